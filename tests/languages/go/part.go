package main

func part() int { return 42 }
