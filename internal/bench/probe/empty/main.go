// Command empty does nothing: it is what the start-up of other Go programs is measured against.
package main

func main() {}
