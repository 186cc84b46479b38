package main

import (
	"bufio"
	"fmt"
	"os"
)

func main() {
	reader := bufio.NewReader(os.Stdin)
	title, _ := reader.ReadString('\n')
	count, sum, number := 0, 0, 0
	for {
		if _, err := fmt.Fscan(reader, &number); err != nil {
			break
		}
		count++
		sum += number
	}
	fmt.Printf("%s: %d numbers, sum %d\n", title[:len(title)-1], count, sum)
}
