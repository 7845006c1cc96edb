// Package finding has the form of what an examination finds.
package finding

// Severity says how bad a finding is.
type Severity string

// The severities. They stand in the output of programs, so that none is renamed.
const (
	Error Severity = "error" // it is broken or open, or will be
	Warn  Severity = "warn"  // it ought to be looked at
	Info  Severity = "info"  // it is good to know
)

// Level orders severities: the worst has the most.
func (s Severity) Level() int {
	switch s {
	case Error:
		return 2
	case Warn:
		return 1
	}
	return 0
}

// Finding is one thing that was found. No part of it is a value, or tells anything of one.
type Finding struct {
	Severity Severity
	Check    string   // the id of the check, which is never renamed
	What     string   // a sentence for people; its words may change
	Where    []string // paths, names of secrets or of variables
	Mend     string   // a command that mends it, for a shell; "" where there is no single one
	Insecure bool     // it lets somebody in, or would
}
