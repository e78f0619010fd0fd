// SPDX-License-Identifier: BSL-1.0

// Goroutines that have a result: a channel of one is Go's future.

package main

import "time"

func taken(n int) float64 {
	sum := 0
	start := time.Now()
	for i := 0; i < n; i++ {
		result := make(chan int, 1)
		go func() { result <- 1 }()
		sum += <-result
	}
	took := nsSince(start)
	check(sum == n, "a result is missing")
	return took / float64(n)
}

func addFutureCases() {
	add("future", "go, run to the end and receive the result; stack warm",
		func(w work) float64 { return taken(w.operations) })
}
