package dotenv

import "fmt"

// Dialect says whose rules decide what a .env file means.
type Dialect int

const (
	// Strict accepts a statement only where godotenv and compose-go agree on it.
	Strict Dialect = iota
	// Godotenv takes every value as github.com/joho/godotenv gives it.
	Godotenv
	// Compose takes every value as docker compose gives it in an empty
	// environment (github.com/compose-spec/compose-go/v2/dotenv).
	Compose
	// Literal expands nothing and unescapes nothing. A value that begins with a
	// quote ends at the first same quote of its line that only blanks, or blanks
	// and a comment, follow; or, where its line has no second such quote, at the
	// next such quote below, which the same must follow. The quotes are dropped and
	// all between them is the value. Any other value that begins with a quote is
	// an error. A value without quotes is the text behind the separator up to
	// the end of the line or to the first # that a space or tab precedes, less
	// the spaces, tabs, carriage returns, vertical tabs and form feeds around it.
	Literal
)

var dialectNames = [...]string{Strict: "strict", Godotenv: "godotenv", Compose: "compose", Literal: "literal"}

// ParseDialect returns the dialect called s: "godotenv", "compose" or
// "literal". The error for any other s lists these. Strict has no name here: it
// is what holds when no dialect is chosen.
func ParseDialect(s string) (Dialect, error) {
	for d := Godotenv; d <= Literal; d++ {
		if dialectNames[d] == s {
			return d, nil
		}
	}
	return Strict, fmt.Errorf("dotenv: unknown dialect %q (choose godotenv, compose or literal)", s)
}

// String returns the name ParseDialect takes, or "strict".
func (d Dialect) String() string {
	if d < Strict || d > Literal {
		return fmt.Sprintf("dialect(%d)", int(d))
	}
	return dialectNames[d]
}
