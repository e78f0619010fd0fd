// SPDX-License-Identifier: BSL-1.0

// Values that go from goroutine to goroutine.

package main

import (
	"sync"
	"time"
)

// n values from one to another.
func stream(capacity, n int) float64 {
	c := make(chan int, capacity)
	done := make(chan int)
	start := time.Now()
	go func() {
		for i := 0; i < n; i++ {
			c <- i
		}
		close(c)
	}()
	go func() {
		sum := 0
		for v := range c {
			sum += v
		}
		done <- sum
	}()
	sum := <-done
	took := nsSince(start)
	check(sum == n*(n-1)/2, "the sum of a stream")
	return took / float64(n)
}

// The same, both ends four calls below the body.
func deepStream(n int) float64 {
	c := make(chan int)
	done := make(chan int)
	start := time.Now()
	go func() {
		for i := 0; i < n; i++ {
			send4(c, i)
		}
		close(c)
	}()
	go func() {
		sum := 0
		for v, ok := receive4(c); ok; v, ok = receive4(c) {
			sum += v
		}
		done <- sum
	}()
	sum := <-done
	took := nsSince(start)
	check(sum == n*(n-1)/2, "the sum of a stream")
	return took / float64(n)
}

//go:noinline
func send4(c chan int, v int) { send3(c, v) }

//go:noinline
func send3(c chan int, v int) { send2(c, v) }

//go:noinline
func send2(c chan int, v int) { send1(c, v) }

//go:noinline
func send1(c chan int, v int) { c <- v }

//go:noinline
func receive4(c chan int) (int, bool) { return receive3(c) }

//go:noinline
func receive3(c chan int) (int, bool) { return receive2(c) }

//go:noinline
func receive2(c chan int) (int, bool) { return receive1(c) }

//go:noinline
func receive1(c chan int) (int, bool) {
	v, ok := <-c
	return v, ok
}

func streamOfStrings(n int) float64 {
	c := make(chan string)
	done := make(chan int)
	start := time.Now()
	go func() {
		for i := 0; i < n; i++ {
			c <- "hello"
		}
		close(c)
	}()
	go func() {
		sum := 0
		for v := range c {
			sum += len(v)
		}
		done <- sum
	}()
	sum := <-done
	took := nsSince(start)
	check(sum == n*5, "the sum of a stream")
	return took / float64(n)
}

// n round trips between two.
func pingPong(n int) float64 {
	ping := make(chan int)
	pong := make(chan int)
	done := make(chan int)
	start := time.Now()
	go func() {
		sum := 0
		for i := 0; i < n; i++ {
			ping <- i
			sum += <-pong
		}
		close(ping)
		done <- sum
	}()
	go func() {
		for v := range ping {
			pong <- v
		}
	}()
	sum := <-done
	took := nsSince(start)
	check(sum == n*(n-1)/2, "the sum of ping-pong")
	return took / float64(n)
}

// A token makes n hops round a ring.
func ring(members, n int) float64 {
	links := make([]chan int, members)
	for i := range links {
		links[i] = make(chan int)
	}
	last := -1
	var all sync.WaitGroup
	all.Add(members)
	for i := 0; i < members; i++ {
		go func(i int) {
			in, out := links[i], links[(i+1)%members]
			for token := range in {
				if token == 0 {
					last = i
					break
				}
				out <- token - 1
			}
			close(out)
			all.Done()
		}(i)
	}
	start := time.Now()
	links[0] <- n
	all.Wait()
	took := nsSince(start)
	check(last == n%members, "the token stopped elsewhere")
	return took / float64(n)
}

// The primes up to limit: a goroutine for each one takes out its multiples.
func sieve(limit, primes int) float64 {
	start := time.Now()
	in := make(chan int)
	go func(first chan<- int) {
		for n := 2; n <= limit; n++ {
			first <- n
		}
		close(first)
	}(in)
	found, last := 0, 0
	for {
		prime, ok := <-in
		if !ok {
			break
		}
		found++
		last = prime
		out := make(chan int)
		go func(in <-chan int, out chan<- int) {
			for n := range in {
				if n%prime != 0 {
					out <- n
				}
			}
			close(out)
		}(in, out)
		in = out
	}
	took := nsSince(start)
	check(found == primes && last == limit, "the primes")
	return took / 1e6
}

func addChannelCases() {
	add("channel/unbuffered", "an int, unbuffered; stacks warm",
		func(w work) float64 { return stream(0, w.operations) })
	add("channel/unbuffered/depth4",
		"the same, both ends four calls below the body; stacks warm",
		func(w work) float64 { return deepStream(w.operations) })
	add("channel/unbuffered_string", "a short string, unbuffered; stacks warm",
		func(w work) float64 { return streamOfStrings(w.operations) })
	add("channel/buffered", "an int through a buffer of 128; stacks warm",
		func(w work) float64 { return stream(128, w.operations) })
	add("channel/pingpong", "a round trip over two unbuffered channels; stacks warm",
		func(w work) float64 { return pingPong(w.operations) })
	add("channel/ring503", "a hop of a token in a ring of 503; stacks warm",
		func(w work) float64 { return ring(503, w.operations) })
	addOnce("channel/sieve", "ms",
		"the first 2000 primes by a chain of filters; stacks warm",
		func(w work) float64 {
			limit, primes := 17389, 2000
			if w.smoke {
				limit, primes = 97, 25
			}
			sieve(limit, primes)
			return sieve(limit, primes)
		})
}
