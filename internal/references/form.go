package references

import (
	"regexp"
	"sync"
)

// form is a regular expression that is compiled when it is needed first: few commands need one, and to compile all of them takes as
// long as the rest of a short command.
type form func() *regexp.Regexp

func newForm(pattern string) form {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })
}

func (f form) matches(text string) bool { return f().MatchString(text) }

// parts are the whole match and its groups, or nil.
func (f form) parts(text string) []string { return f().FindStringSubmatch(text) }
