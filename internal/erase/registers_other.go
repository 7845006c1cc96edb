//go:build !linux

package erase

// Registers erases what signals saved of the registers; here [Flush] is the way.
func Registers() { Flush() }
