package main

func inner(values []int) int {
	return values[len(values)+2]
}

func outer() int {
	return inner([]int{1})
}

func main() {
	println(outer())
}
