// Package pendinginput finds out whether somebody has prepared standard input for a command that does not read
// it. A value that was meant to be stored would be lost without a word.
//
// A loop over a list of names, or a script that a shell reads from its standard input, gives the rest of that input to
// each command. Nobody has prepared it for the command: a file is not at its start any more, and a pipe is the
// standard input of the parent process too, which has begun to read.
package pendinginput
