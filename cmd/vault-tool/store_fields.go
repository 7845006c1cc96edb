package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/mazevault/vault-tool/internal/connections"
	"github.com/mazevault/vault-tool/internal/lockedmem"
	"github.com/mazevault/vault-tool/internal/terminal"
	"github.com/mazevault/vault-tool/vaultfile"
)

// fieldChanges are the fields that somebody has given for a connection, with their values in locked memory.
type fieldChanges struct {
	fields []fieldChange
	memory lockedmem.Arena
}

// fieldChange gives a field a value, or takes it away where that is empty.
type fieldChange struct {
	key   string
	value []byte
}

func (c *fieldChanges) close() { c.memory.Destroy() }

// apply makes the changes, and tells whether the connection is as it has to be then.
func (c *fieldChanges) apply(to *connections.Connection) error {
	for _, f := range c.fields {
		if err := to.SetShown(f.key, f.value); err != nil {
			return err
		}
	}
	return to.Check()
}

// readFields asks for the fields on a terminal, or reads a JSON object of them from standard input. present is the connection that they
// are for: what it has is shown, and stays where nothing is typed.
func (a *app) readFields(ctx context.Context, present *connections.Connection) (*fieldChanges, error) {
	if terminal.Is(a.stdin) {
		return a.askForFields(ctx, present)
	}
	input, err := a.readChanges(ctx, stdinName, "JSON object of fields")
	if err != nil {
		return nil, err
	}
	defer input.Destroy()
	return parseFields(present.Type, bytes.TrimPrefix(input.Bytes(), []byte(utf8BOM)))
}

func parseFields(t *connections.Type, src []byte) (*fieldChanges, error) {
	patch, err := vaultfile.ParsePatch(src)
	if err != nil {
		hint := `expected one JSON object of fields to strings, such as {"` + t.Fields[0].Key + `": "…"}; ` + nothingChanged
		if payload := (*vaultfile.PayloadError)(nil); errors.As(err, &payload) || errors.Is(err, vaultfile.ErrBadName) {
			err = badInput(hint, "standard input: %w", err)
		}
		return nil, err
	}
	c := &fieldChanges{}
	err = patch.Each(func(key string, value []byte) error {
		stored, err := c.memory.Copy(value)
		c.fields = append(c.fields, fieldChange{key, stored})
		return err
	})
	if err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// takeAway is what is typed to take a field away.
const takeAway = "-"

func (a *app) askForFields(ctx context.Context, present *connections.Connection) (*fieldChanges, error) {
	a.interrupts.catch() // a process that ends at once leaves the terminal without echo
	questions := terminal.NewQuestions(a.stdin, a.stderr)
	c := &fieldChanges{}
	for _, f := range present.Type.Fields {
		if err := c.ask(ctx, questions, f, present); err != nil {
			c.close()
			return nil, a.askError(err)
		}
	}
	return c, nil
}

// askError replaces the hints that are about the value of a secret.
func (a *app) askError(err error) error {
	if errors.Is(err, terminal.ErrSeveralLines) || errors.Is(err, terminal.ErrControlCharacter) {
		return badInput(nothingChanged+"; a text of several lines goes in as JSON: jq -n --rawfile f FILE '{FIELD: $f}' | vault-tool store …", "%w", err)
	}
	return err
}

// ask asks for one field, again where a required one gets no answer. An answer that it cannot have is an error.
func (c *fieldChanges) ask(ctx context.Context, questions *terminal.Questions, f connections.Field, present *connections.Connection) error {
	for {
		answer, err := questions.Ask(ctx, fieldPrompt(f, present), !f.Sensitive)
		if err != nil {
			return err
		}
		value := answer.Bytes()
		switch {
		case len(value) == 0 && (present.Has(f.Key) || !f.Required):
			answer.Destroy()
			return nil
		case string(value) == takeAway && present.Has(f.Key) && !f.Required:
			value = nil
		case len(value) == 0:
			answer.Destroy()
			continue
		}
		if err := present.SetShown(f.Key, value); err != nil {
			answer.Destroy()
			return err
		}
		stored, err := c.memory.Copy(value)
		answer.Destroy()
		c.fields = append(c.fields, fieldChange{f.Key, stored})
		return err
	}
}

// fieldPrompt is the question for a field: its label, what it has now, and what to type.
func fieldPrompt(f connections.Field, present *connections.Connection) string {
	help := []string{f.Help}
	if len(f.Choices) > 0 {
		help = append(help, strings.Join(f.Choices, ", "))
	}
	if f.Sensitive {
		help = append(help, "not shown")
	}
	now := ""
	if shown, ok := present.Shown(f.Key); ok {
		now = " [" + printable(shown) + "]"
		help = append(help, "Enter keeps it")
		if !f.Required {
			help = append(help, takeAway+" takes it away")
		}
	}
	return fmt.Sprintf("%s%s (%s): ", f.Label, now, strings.Join(help, "; "))
}
