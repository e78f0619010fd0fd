// SPDX-License-Identifier: BSL-1.0

// Goroutines that take turns.

package main

import (
	"runtime"
	"sync"
	"time"
)

// Four calls below their caller.
//
//go:noinline
func below4(f func()) { below3(f) }

//go:noinline
func below3(f func()) { below2(f) }

//go:noinline
func below2(f func()) { below1(f) }

//go:noinline
func below1(f func()) { f() }

// The clock runs from when the last of them has started.
func takeTurns(crowd, operations int, depth4 bool) float64 {
	rounds := operations / crowd
	if rounds < 20 {
		rounds = 20
	}
	var start time.Time
	var all sync.WaitGroup
	started, turns := 0, 0
	all.Add(crowd)
	for i := 0; i < crowd; i++ {
		go func() {
			started++
			if started == crowd {
				start = time.Now()
			}
			runtime.Gosched()
			if depth4 {
				for round := 0; round < rounds; round++ {
					below4(runtime.Gosched)
				}
			} else {
				for round := 0; round < rounds; round++ {
					runtime.Gosched()
				}
			}
			turns += rounds
			all.Done()
		}()
	}
	all.Wait()
	took := nsSince(start)
	check(turns == rounds*crowd, "a goroutine had too few turns")
	return took / float64(turns)
}

func addYieldCases() {
	add("yield/2", "a yield between 2; stacks warm",
		func(w work) float64 { return takeTurns(2, w.operations, false) })
	add("yield/1000", "a yield among 1000; stacks warm",
		func(w work) float64 { return takeTurns(w.crowd(1000), w.operations, false) })
	add("yield/100000", "a yield among 100000; stacks touched before",
		func(w work) float64 { return takeTurns(w.crowd(100000), w.operations, false) })
	add("yield/1000/depth4",
		"a yield among 1000, four calls below the body; stacks warm",
		func(w work) float64 { return takeTurns(w.crowd(1000), w.operations, true) })
}
