// SPDX-License-Identifier: BSL-1.0

// Goroutines on two processors, and the ways between them.

package main

import (
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// Where a goroutine runs, said at its beginning; that of a thread of its own takes it
// along when it ends.
type placement func(which int)

func anywhere(int) {}

func ownThread(int) { runtime.LockOSThread() }

// On the first or second of the cores that there are.
func ownCore(which int) {
	runtime.LockOSThread()
	pin(which)
}

// Does nothing where there is one core only.
func pin(which int) {
	var allowed, one [1024 / 64]uint64
	size := unsafe.Sizeof(allowed)
	_, _, err := syscall.RawSyscall(syscall.SYS_SCHED_GETAFFINITY, 0, size,
		uintptr(unsafe.Pointer(&allowed)))
	if err != 0 || runtime.NumCPU() < 2 {
		return
	}
	for core := 0; core < 1024; core++ {
		if allowed[core/64]>>(core%64)&1 == 0 {
			continue
		}
		if which == 0 {
			one[core/64] = 1 << (core % 64)
			break
		}
		which--
	}
	syscall.RawSyscall(syscall.SYS_SCHED_SETAFFINITY, 0, size,
		uintptr(unsafe.Pointer(&one)))
}

// Returns when first and second have; each is placed before it begins.
func both(where placement, first, second func()) {
	var there, all sync.WaitGroup
	there.Add(2)
	all.Add(2)
	for i, f := range []func(){first, second} {
		go func(which int, f func()) {
			where(which)
			there.Done()
			there.Wait()
			f()
			all.Done()
		}(i, f)
	}
	all.Wait()
}

// n round trips between two.
func crossPingPong(n int, where placement) float64 {
	ping, pong := make(chan int), make(chan int)
	sum, took := 0, 0.0
	both(where, func() {
		start := time.Now()
		for i := 0; i < n; i++ {
			ping <- i
			sum += <-pong
		}
		took = nsSince(start)
		close(ping)
	}, func() {
		for v := range ping {
			pong <- v
		}
	})
	check(sum == n*(n-1)/2, "the sum of ping-pong")
	return took / float64(n)
}

// Four send and four receive.
func crossCrowd(n int) float64 {
	c := make(chan int, 128)
	share := n / 4
	var senders, receivers sync.WaitGroup
	senders.Add(4)
	receivers.Add(4)
	var sum int64
	start := time.Now()
	for i := 0; i < 4; i++ {
		go func() {
			for k := 0; k < share; k++ {
				c <- k
			}
			senders.Done()
		}()
		go func() {
			mine := 0
			for v := range c {
				mine += v
			}
			atomic.AddInt64(&sum, int64(mine))
			receivers.Done()
		}()
	}
	senders.Wait()
	close(c)
	receivers.Wait()
	took := nsSince(start)
	check(sum == int64(4*(share*(share-1)/2)), "the sum of a crowd")
	return took / float64(4*share)
}

func cpuTime() float64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		fail(1, "getrusage fails")
	}
	return float64(u.Utime.Nano() + u.Stime.Nano())
}

// One waits for the other, which waits for the time; in microseconds a second.
func idle(length time.Duration) float64 {
	c := make(chan int)
	spent := 0.0
	both(ownCore, func() {
		c <- 0 // the other is there
		before, start := cpuTime(), time.Now()
		time.Sleep(length)
		spent = (cpuTime() - before) / nsSince(start) * 1e6
		close(c)
	}, func() {
		for range c {
		}
	})
	return spent
}

func addThreadCases() {
	onTwo := func(measure func(work) float64) func(work) float64 {
		return func(w work) float64 {
			runtime.GOMAXPROCS(2)
			return measure(w)
		}
	}
	pingPong := func(where placement) func(work) float64 {
		return onTwo(func(w work) float64 { return crossPingPong(w.operations, where) })
	}
	add("xthread/pingpong",
		"a round trip between two threads over two unbuffered channels; a core each",
		pingPong(ownCore))
	add("xthread/pingpong/unpinned", "the same; on any core", pingPong(ownThread))
	add("xthread/pingpong/unlocked", "the same; on any thread, which may be one",
		pingPong(anywhere))
	add("xthread/stream_1024", "an int through a buffer of 1024; on any two threads",
		onTwo(func(w work) float64 { return stream(1024, w.operations) }))
	add("xthread/mpmc_4x4", "an int from 4 to 4 through a buffer of 128; on any two threads",
		onTwo(func(w work) float64 { return crossCrowd(w.operations) }))
	addOnce("xthread/idle", "us", "CPU time a second of two threads that wait",
		onTwo(func(w work) float64 {
			length := time.Second
			if w.smoke {
				length = 10 * time.Millisecond
			}
			return idle(length)
		}))
}
