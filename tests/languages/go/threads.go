// Goroutines, channels, locks, timers, contexts, processes, signals.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

func check(condition bool, what string) {
	if !condition {
		panic("not so: " + what)
	}
}

func main() {
	jobs, results := make(chan int), make(chan int)
	var group sync.WaitGroup
	for worker := 0; worker < 100; worker++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for job := range jobs {
				results <- job * 2
			}
		}()
	}
	go func() {
		for job := 0; job < 10000; job++ {
			jobs <- job
		}
		close(jobs)
		group.Wait()
		close(results)
	}()
	sum := 0
	for result := range results {
		sum += result
	}
	check(sum == 99990000, "sum")

	var counter int64
	var mutex sync.RWMutex
	shared := map[int]int{}
	for n := 0; n < 16; n++ {
		group.Add(1)
		go func(n int) {
			defer group.Done()
			runtime.LockOSThread()
			for i := 0; i < 1000; i++ {
				atomic.AddInt64(&counter, 1)
				mutex.Lock()
				shared[i%10]++
				mutex.Unlock()
			}
		}(n)
	}
	group.Wait()
	check(counter == 16000 && shared[3] == 1600, "counter")

	limited, cancel := context.WithTimeout(context.Background(), 5*time.Millisecond)
	defer cancel()
	select {
	case <-limited.Done():
		check(errors.Is(limited.Err(), context.DeadlineExceeded), "deadline")
	case <-time.After(10 * time.Second):
		panic("no deadline")
	}
	ticker := time.NewTicker(time.Millisecond)
	<-ticker.C
	<-ticker.C
	ticker.Stop()

	command := exec.Command("/bin/sh", "-c", "read line; echo got $line; echo err >&2; exit 3")
	var out, failed bytes.Buffer
	command.Stdin, command.Stdout, command.Stderr = strings.NewReader("it\n"), &out, &failed
	var exit *exec.ExitError
	check(errors.As(command.Run(), &exit) && exit.ExitCode() == 3 && out.String() == "got it\n" && failed.String() == "err\n", "command")
	sorted, err := exec.Command("sh", "-c", "printf 'b\\na\\n' | sort").Output()
	check(err == nil && string(sorted) == "a\nb\n", "sorted")
	killed, cancelKilled := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancelKilled()
	check(exec.CommandContext(killed, "/bin/sleep", "60").Run() != nil, "killed")
	cat := exec.Command("/bin/cat")
	in, _ := cat.StdinPipe()
	back, _ := cat.StdoutPipe()
	check(cat.Start() == nil, "start")
	fmt.Fprint(in, "through")
	in.Close()
	text, _ := io.ReadAll(back)
	check(string(text) == "through" && cat.Wait() == nil, "through")

	arrived := make(chan os.Signal, 1)
	signal.Notify(arrived, syscall.SIGUSR1)
	check(syscall.Kill(os.Getpid(), syscall.SIGUSR1) == nil && <-arrived == syscall.SIGUSR1, "signal")
	fmt.Println("ok")
}
