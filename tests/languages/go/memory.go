// Garbage far beyond the run's memory: the collector has to know the limit to keep up.
package main

import "fmt"

var kept [64][]byte

func main() {
	for i := 0; i < 4000; i++ {
		block := make([]byte, 1<<20)
		for at := 0; at < len(block); at += 4096 {
			block[at] = 1
		}
		kept[i%len(kept)] = block
	}
	fmt.Println("ok")
}
