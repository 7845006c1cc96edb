//go:build race

package main

const raceEnabled = true // the race detector is in this test and in the programs that it builds
