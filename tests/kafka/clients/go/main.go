// SPDX-License-Identifier: Apache-2.0

// Go's Kafka clients against sluice: TAP.
//
// usage: clients sarama|kafka-go HOST:PORT
package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"time"
)

const limit = 60 * time.Second

// A test panics where something is not as it should be.
type test struct {
	name string
	run  func()
}

var run = fmt.Sprintf("%x", time.Now().UnixNano())

// base is the time of records, whole milliseconds; old ones would be deleted.
var base = time.UnixMilli(time.Now().UnixMilli() - 3600000)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func get[T any](value T, err error) T {
	must(err)
	return value
}

func equal(got, expected any, what string) {
	if fmt.Sprint(got) != fmt.Sprint(expected) {
		panic(fmt.Sprintf("%s: got %v, expected %v", what, got, expected))
	}
}

// until waits for something that is to come by itself.
func until(what string, condition func() bool) {
	for end := time.Now().Add(limit); !condition(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			panic("no " + what)
		}
	}
}

// attempt gives what went wrong, "" if nothing did.
func attempt(t test) string {
	ended := make(chan string, 1)
	go func() {
		defer func() {
			if failure := recover(); failure != nil {
				ended <- fmt.Sprintf("%v\n%s", failure, debug.Stack())
			}
		}()
		t.run()
		ended <- ""
	}()
	select {
	case failure := <-ended:
		return failure
	case <-time.After(2 * limit):
		return "not done in time"
	}
}

func main() {
	suites := map[string]func(string) []test{"sarama": saramaTests, "kafka-go": segmentioTests}
	if len(os.Args) != 3 || suites[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: clients sarama|kafka-go HOST:PORT")
		os.Exit(2)
	}
	tests, failed := suites[os.Args[1]](os.Args[2]), false
	fmt.Printf("1..%d\n", len(tests))
	for i, t := range tests {
		if failure := attempt(t); failure != "" {
			failed = true
			fmt.Printf("not ok %d - %s\n# %s\n", i+1, t.name, strings.ReplaceAll(failure, "\n", "\n# "))
		} else {
			fmt.Printf("ok %d - %s\n", i+1, t.name)
		}
	}
	if failed {
		os.Exit(1)
	}
}
