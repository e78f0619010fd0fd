// SPDX-License-Identifier: BSL-1.0

// A tree of goroutines, ten below each, whose leaves send up their numbers.

package main

import "time"

func addUp(up chan<- int, first, leaves, capacity int) {
	if leaves == 1 {
		up <- first
		return
	}
	below := make(chan int, capacity)
	part := leaves / 10
	for i := 0; i < 10; i++ {
		go addUp(below, first+i*part, part, capacity)
	}
	sum := 0
	for i := 0; i < 10; i++ {
		sum += <-below
	}
	up <- sum
}

func skynet(leaves, capacity int) float64 {
	start := time.Now()
	result := make(chan int)
	go addUp(result, 0, leaves, capacity)
	sum := <-result
	took := nsSince(start)
	check(sum == leaves*(leaves-1)/2, "the sum of skynet")
	return took / 1e6
}

func addSkynetCases() {
	cold := func(capacity int) func(work) float64 {
		return func(w work) float64 {
			return skynet(w.crowd(1000000), capacity)
		}
	}
	warm := func(capacity int) func(work) float64 {
		return func(w work) float64 {
			skynet(w.crowd(1000000), capacity)
			return skynet(w.crowd(1000000), capacity)
		}
	}
	addOnce("skynet_1m/unbuffered/cold", "ms",
		"a million leaves, unbuffered; the first run of its process", cold(0))
	addOnce("skynet_1m/unbuffered/warm", "ms",
		"a million leaves, unbuffered; the second run, stacks warm", warm(0))
	addOnce("skynet_1m/buffered/cold", "ms",
		"a million leaves, buffers of 10; the first run of its process", cold(10))
	addOnce("skynet_1m/buffered/warm", "ms",
		"a million leaves, buffers of 10; the second run, stacks warm", warm(10))
}
