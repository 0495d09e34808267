// The works of coro_bench in Go, as its users write them. go_bench WORK COUNT prints what one operation takes, in ns of processor
// time, after a tenth of the work to warm up; nothing if Go has no such thing.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// The processor time of this process so far.
func now() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// Runs them all to their end.
func together(functions ...func()) time.Duration {
	var group sync.WaitGroup
	start := now()
	for _, function := range functions {
		group.Add(1)
		go func(function func()) {
			defer group.Done()
			function()
		}(function)
	}
	group.Wait()
	return now() - start
}

func repeated(times int, function func()) []func() {
	functions := make([]func(), times)
	for i := range functions {
		functions[i] = function
	}
	return functions
}

func yields(goroutines int) func(int) time.Duration {
	return func(count int) time.Duration {
		return together(repeated(goroutines, func() {
			for left := count / goroutines; left > 0; left-- {
				runtime.Gosched()
			}
		})...)
	}
}

// Go has no join: a channel is what takes its place.
func spawnJoin(count int) time.Duration {
	start := now()
	for left := count; left > 0; left-- {
		result := make(chan int, 1)
		go func(value int) { result <- value }(left)
		if <-result != left {
			panic("a wrong result")
		}
	}
	return now() - start
}

func channelRoundtrip(count int) time.Duration {
	there, back := make(chan int), make(chan int)
	return together(func() {
		for left := count; left > 0; left-- {
			there <- left
			if <-back != left {
				panic("a wrong answer")
			}
		}
		close(there)
	}, func() {
		for element := range there {
			back <- element
		}
	})
}

func channelBuffered(count int) time.Duration {
	there := make(chan int, 100)
	return together(func() {
		for left := count; left > 0; left-- {
			there <- left
		}
		close(there)
	}, func() {
		expected := count
		for element := range there {
			if element != expected {
				panic("a wrong element")
			}
			expected--
		}
	})
}

func select2(count int) time.Duration {
	even, odd := make(chan int), make(chan int)
	return together(func() {
		for left := count; left > 0; left-- {
			if left%2 == 0 {
				even <- left
			} else {
				odd <- left
			}
		}
	}, func() {
		var element int
		for left := count; left > 0; left-- {
			select {
			case element = <-even:
			case element = <-odd:
			}
			if element != left {
				panic("a wrong element")
			}
		}
	})
}

// What Go has for semaphores: a channel with room.
func semaphoreRoundtrip(count int) time.Duration {
	there, back := make(chan struct{}, 1), make(chan struct{}, 1)
	return together(func() {
		for left := count; left > 0; left-- {
			there <- struct{}{}
			<-back
		}
	}, func() {
		for left := count; left > 0; left-- {
			<-there
			back <- struct{}{}
		}
	})
}

func conditionRoundtrip(count int) time.Duration {
	var lock sync.Mutex
	there, back := sync.NewCond(&lock), sync.NewCond(&lock)
	mine := true
	side := func(me bool, wait, wake *sync.Cond) func() {
		return func() {
			lock.Lock()
			for left := count; left > 0; left-- {
				for mine != me {
					wait.Wait()
				}
				mine = !me
				wake.Signal()
			}
			lock.Unlock()
		}
	}
	return together(side(true, back, there), side(false, there, back))
}

func mutexAlone(count int) time.Duration {
	var lock sync.Mutex
	counter := 0
	return together(func() {
		for left := count; left > 0; left-- {
			lock.Lock()
			counter++
			lock.Unlock()
		}
	})
}

func mutexes(goroutines int) func(int) time.Duration {
	return func(count int) time.Duration {
		var lock sync.Mutex
		counter := 0
		return together(repeated(goroutines, func() {
			for left := count / goroutines; left > 0; left-- {
				lock.Lock()
				before := counter
				runtime.Gosched()
				counter = before + 1
				lock.Unlock()
			}
		})...)
	}
}

func main() {
	works := map[string]func(int) time.Duration{
		"yield_2":             yields(2),
		"yield_1000":          yields(1000),
		"spawn_join":          spawnJoin,
		"channel_roundtrip":   channelRoundtrip,
		"channel_buffered":    channelBuffered,
		"select_2":            select2,
		"semaphore_roundtrip": semaphoreRoundtrip,
		"condition_roundtrip": conditionRoundtrip,
		"mutex_alone":         mutexAlone,
		"mutex_2":             mutexes(2),
		"mutex_100":           mutexes(100),
	}
	runtime.GOMAXPROCS(1)
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: go_bench WORK COUNT")
		os.Exit(2)
	}
	count, err := strconv.Atoi(os.Args[2])
	work := works[os.Args[1]]
	if err != nil || count < 1 || work == nil {
		return
	}
	work(count / 10)
	fmt.Println(float64(work(count).Nanoseconds()) / float64(count))
}
