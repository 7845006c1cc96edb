// Package hardening protects a process from others of the same user.
package hardening

// Apply keeps other processes of the same user from reading this one's memory and from attaching to it, and a crash
// from writing it to a file. Best effort: a system that refuses only leaves the default.
func Apply() { apply() }
