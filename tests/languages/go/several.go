package main

import "fmt"

func main() { fmt.Println("part of", part()) }
