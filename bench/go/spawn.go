// SPDX-License-Identifier: BSL-1.0

// Goroutines that begin and end.

package main

import (
	"runtime"
	"sync"
	"time"
)

func joined(n int) float64 {
	count := 0
	var end sync.WaitGroup
	start := time.Now()
	for i := 0; i < n; i++ {
		end.Add(1)
		go func() {
			count++
			end.Done()
		}()
		end.Wait()
	}
	took := nsSince(start)
	check(count == n, "a goroutine did not run")
	return took / float64(n)
}

func unjoined(n int) float64 {
	count := 0
	start := time.Now()
	for i := 0; i < n; i++ {
		go func() { count++ }()
		runtime.Gosched()
	}
	for count < n { // the last may still wait
		runtime.Gosched()
	}
	return nsSince(start) / float64(n)
}

func addSpawnCases() {
	add("spawn_join", "spawn, run to the end and join; stack warm",
		func(w work) float64 { return joined(w.operations) })
	add("spawn_unjoined", "spawn and run to the end; stack warm",
		func(w work) float64 { return unjoined(w.operations) })
}
