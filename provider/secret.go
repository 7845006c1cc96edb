package provider

import (
	"fmt"
	"io"
	"log/slog"

	"github.com/mazevault/vault-tool/internal/redact"
)

// Secret is a string that does not show itself: with every verb of package fmt, in JSON, as text and in package slog it
// is "[redacted]". It is for the fields of a configuration; see [Provider.Fill]. It is an ordinary string otherwise, in
// memory that cannot be wiped, and string(s) takes it out as [Secret.Reveal] does.
type Secret string

// Reveal returns the value.
func (s Secret) Reveal() string { return string(s) }

// String implements fmt.Stringer.
func (Secret) String() string { return redact.Value{}.String() }

// Format implements fmt.Formatter, for every verb and flag.
func (s Secret) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, s.String()) }

// MarshalJSON implements json.Marshaler.
func (Secret) MarshalJSON() ([]byte, error) { return redact.Value{}.MarshalJSON() }

// MarshalText implements encoding.TextMarshaler.
func (Secret) MarshalText() ([]byte, error) { return redact.Value{}.MarshalText() }

// LogValue implements slog.LogValuer.
func (Secret) LogValue() slog.Value { return redact.Value{}.LogValue() }
