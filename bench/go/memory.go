// SPDX-License-Identifier: BSL-1.0

// A million goroutines that wait.

package main

import (
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"
)

func residentBytes() float64 {
	var total, resident int
	text, err := os.ReadFile("/proc/self/statm")
	if err == nil {
		_, err = fmt.Sscan(string(text), &total, &resident)
	}
	if err != nil {
		fail(1, "/proc/self/statm cannot be read")
	}
	return float64(resident * os.Getpagesize())
}

// The bytes and nanoseconds of each of them.
func park(crowd int) (bytes, ns float64) {
	silent := make(chan int)
	var all sync.WaitGroup
	all.Add(crowd)
	parked, ended := 0, 0
	before := residentBytes()
	start := time.Now()
	for i := 0; i < crowd; i++ {
		go func() {
			parked++
			if _, ok := <-silent; !ok {
				ended++
			}
			all.Done()
		}()
	}
	for parked < crowd {
		runtime.Gosched()
	}
	took := nsSince(start)
	after := residentBytes()
	close(silent)
	all.Wait()
	check(ended == crowd, "not all went on")
	return (after - before) / float64(crowd), took / float64(crowd)
}

func addMemoryCases() {
	addOnce("memory/parked_1m", "B",
		"resident bytes of each of a million parked in a receive",
		func(w work) float64 {
			bytes, _ := park(w.crowd(1000000))
			return bytes
		})
	addOnce("memory/parked_1m/make", "ns",
		"making and parking each of them; every stack cold",
		func(w work) float64 {
			_, ns := park(w.crowd(1000000))
			return ns
		})
}
