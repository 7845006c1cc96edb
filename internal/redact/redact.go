// Package redact keeps secret-holding types out of logs.
//
// A type that embeds [Value] prints as "[redacted]" under every fmt verb, as JSON and as text, so
// that a stray %+v or a structured logger cannot walk into its fields. It is no protection against
// code that reads the fields on purpose.
package redact

import (
	"fmt"
	"io"
	"log/slog"
)

// placeholder is what every formatting of a [Value] yields.
const placeholder = "[redacted]"

// Value is embedded by types that hold secrets. Its methods have value receivers, so that both the
// outer type and a pointer to it are covered.
type Value struct{}

// Format implements fmt.Formatter; it answers every verb and flag, %#v included.
func (Value) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, placeholder) }

// String implements fmt.Stringer for callers that do not go through fmt.
func (Value) String() string { return placeholder }

// MarshalJSON implements json.Marshaler.
func (Value) MarshalJSON() ([]byte, error) { return []byte(`"` + placeholder + `"`), nil }

// MarshalText implements encoding.TextMarshaler.
func (Value) MarshalText() ([]byte, error) { return []byte(placeholder), nil }

// LogValue implements slog.LogValuer.
func (Value) LogValue() slog.Value { return slog.StringValue(placeholder) }
