// SPDX-License-Identifier: BSL-1.0

// Selects between channels in each of which senders wait.

package main

import (
	"runtime"
	"time"
)

const crowd = 16 // senders to a channel

// Sends until the channel is closed.
func sendForEver(c chan int) {
	defer func() { _ = recover() }()
	for {
		c <- 1
	}
}

func takeOfTwo(c []chan int, n int) int {
	sum := 0
	for i := 0; i < n; i++ {
		select {
		case v := <-c[0]:
			sum += v
		case v := <-c[1]:
			sum += v
		}
	}
	return sum
}

func takeOfEight(c []chan int, n int) int {
	sum := 0
	for i := 0; i < n; i++ {
		select {
		case v := <-c[0]:
			sum += v
		case v := <-c[1]:
			sum += v
		case v := <-c[2]:
			sum += v
		case v := <-c[3]:
			sum += v
		case v := <-c[4]:
			sum += v
		case v := <-c[5]:
			sum += v
		case v := <-c[6]:
			sum += v
		case v := <-c[7]:
			sum += v
		}
	}
	return sum
}

// Only the selects are timed.
func between(width, n int, take func([]chan int, int) int) float64 {
	batch := crowd / 2 * width
	c := make([]chan int, width)
	for i := range c {
		c[i] = make(chan int)
		for k := 0; k < crowd; k++ {
			go sendForEver(c[i])
		}
	}
	sum, taken, took := 0, 0, 0.0
	for taken < n {
		runtime.Gosched() // all of them wait
		start := time.Now()
		sum += take(c, batch)
		took += nsSince(start)
		taken += batch
	}
	check(sum == taken, "the sum of a select")
	for i := range c {
		close(c[i])
	}
	runtime.Gosched()
	return took / float64(taken)
}

func addSelectCases() {
	add("select/2", "an int by a select between 2, senders waiting in both",
		func(w work) float64 { return between(2, w.operations, takeOfTwo) })
	add("select/8", "the same between 8",
		func(w work) float64 { return between(8, w.operations, takeOfEight) })
}
