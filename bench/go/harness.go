// SPDX-License-Identifier: BSL-1.0

// Go, measured by the protocol of ../harness.h.
//
// With GOMAXPROCS=1 no two goroutines run at a time, and the cases count in plain
// variables. Those of skynet share none, nor do those of threads.go, which have
// themselves run on two.

package main

import (
	"fmt"
	"os"
	"sort"
	"strings"
	"time"
)

// How much a case is to do.
type work struct {
	operations int  // about as many
	smoke      bool // only to see that it works
}

// How many take part where there would be usual.
func (w work) crowd(usual int) int {
	if w.smoke && usual > 100 {
		return 100
	}
	return usual
}

type benchCase struct {
	name, unit, about string
	measure           func(work) float64
	once              bool
}

var cases []benchCase

// A case that takes any number of operations, and gives the nanoseconds of one.
func add(name, about string, measure func(work) float64) {
	cases = append(cases, benchCase{name, "ns", about, measure, false})
}

// A case that runs once, and gives its figure.
func addOnce(name, unit, about string, measure func(work) float64) {
	cases = append(cases, benchCase{name, unit, about, measure, true})
}

// Ends the program with one sentence.
func fail(code int, sentence string) {
	fmt.Fprintf(os.Stderr, "go: %s\n", sentence)
	os.Exit(code)
}

// A wrong result ends the program.
func check(right bool, otherwise string) {
	if !right {
		fail(1, "wrong result: "+otherwise)
	}
}

func nsSince(start time.Time) float64 {
	return float64(time.Since(start).Nanoseconds())
}

// Up to five batches, as far as time goes; the median counts.
func (c benchCase) run(quick, smoke bool) float64 {
	if c.once {
		return c.measure(work{1, smoke})
	}
	if smoke {
		return c.measure(work{100, true})
	}
	batch := 50e6
	if quick {
		batch = 5e6
	}
	n := 1000
	for {
		start := time.Now()
		c.measure(work{n, false})
		took := nsSince(start)
		if took >= batch {
			break
		}
		factor := batch / took
		if factor < 2 {
			factor = 2
		}
		if factor > 20 {
			factor = 20
		}
		n = int(float64(n) * factor)
	}
	var results []float64
	start := time.Now()
	for len(results) == 0 || len(results) < 5 && nsSince(start) < 5*batch {
		results = append(results, c.measure(work{n, false}))
	}
	sort.Float64s(results)
	return results[len(results)/2]
}

func find(name string) benchCase {
	for _, c := range cases {
		if c.name == name {
			return c
		}
	}
	fail(2, "there is no case '"+name+"'; --list prints them")
	panic("not reached")
}

func main() {
	addYieldCases()
	addChannelCases()
	addSelectCases()
	addSpawnCases()
	addFutureCases()
	addSyncCases()
	addSkynetCases()
	addMemoryCases()
	addThreadCases()

	var quick, smoke bool
	var chosen []benchCase
	for _, argument := range os.Args[1:] {
		switch {
		case argument == "--list":
			for _, c := range cases {
				fmt.Printf("%s\t%s\n", c.name, c.about)
			}
			return
		case argument == "--quick":
			quick = true
		case argument == "--smoke":
			smoke = true
		case strings.HasPrefix(argument, "-"):
			fail(2, "there is no option '"+argument+"'")
		default:
			chosen = append(chosen, find(argument))
		}
	}
	if len(chosen) == 0 {
		fail(2, "no case is given; --list prints them")
	}
	for _, c := range chosen {
		_, err := fmt.Printf("%s\t%s\t%.4g\n", c.name, c.unit, c.run(quick, smoke))
		if err != nil {
			fail(1, "cannot write to standard output: "+err.Error())
		}
	}
}
