// SPDX-License-Identifier: BSL-1.0

// What two goroutines hand each other without a value.

package main

import (
	"runtime"
	"sync"
	"time"
)

// Its mutex is not handed over: who unlocks has to let the other run.
func mutexTurns(n int) float64 {
	var m sync.Mutex
	var all sync.WaitGroup
	inside := 0
	start := time.Now()
	for range [2]int{} {
		all.Add(1)
		go func() {
			for i := 0; i < n/2; i++ {
				m.Lock()
				inside++
				m.Unlock()
				runtime.Gosched()
			}
			all.Done()
		}()
	}
	all.Wait()
	took := nsSince(start)
	check(inside == n/2*2, "the turns")
	return took / float64(n)
}

// A channel of one is Go's semaphore.
func semaphoreTurns(n int) float64 {
	here := make(chan struct{}, 1)
	there := make(chan struct{}, 1)
	var all sync.WaitGroup
	all.Add(2)
	start := time.Now()
	go func() {
		for i := 0; i < n/2; i++ {
			there <- struct{}{}
			<-here
		}
		all.Done()
	}()
	go func() {
		for i := 0; i < n/2; i++ {
			<-there
			here <- struct{}{}
		}
		all.Done()
	}()
	all.Wait()
	return nsSince(start) / float64(n)
}

func addSyncCases() {
	add("sync/mutex", "a mutex taken in turns by 2",
		func(w work) float64 { return mutexTurns(w.operations) })
	add("sync/semaphore", "a permit handed over between 2, by channels of one",
		func(w work) float64 { return semaphoreTurns(w.operations) })
}
