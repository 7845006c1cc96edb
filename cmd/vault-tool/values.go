package main

import (
	"context"
	"errors"
	"strconv"

	"github.com/mazevault/vault-tool/internal/matcher"
	"github.com/mazevault/vault-tool/internal/scope"
	"github.com/mazevault/vault-tool/internal/selection"
)

// values are those of the vault, to be found in other data.
type values struct {
	*matcher.Set
	short []string // names of those that are too short to be looked for
}

// openValues opens the vault for as long as it takes to learn the selected values. The caller destroys them.
func (a *app) openValues(ctx context.Context, s selection.Selection) (*values, error) {
	if err := globError(s.Validate()); err != nil {
		return nil, err
	}
	var learned *values
	err := a.withDelivered(ctx, func(v scope.Secrets) (err error) {
		names := v.Names()
		if err := a.checkSelection(s, names); err != nil {
			return err
		}
		learned, err = a.learnValues(v, s.Names(names))
		return err
	})
	return learned, err
}

// learnValues returns the values of the names, and says which of them are not looked for.
func (a *app) learnValues(v scope.Secrets, names []string) (*values, error) {
	var b matcher.Builder
	defer b.Destroy()
	for _, name := range names {
		err := v.Use(name, func(value []byte) error { return b.Add(name, value) })
		if reference := (*referenceError)(nil); errors.As(err, &reference) {
			continue // its text is no secret
		}
		if err != nil {
			return nil, err
		}
	}
	short, large := b.Short(), b.Large()
	set, err := b.Build()
	if err != nil {
		return nil, err
	}
	if len(short) > 0 {
		a.note("Not looked for, because they have fewer than "+strconv.Itoa(matcher.MinBytes)+" bytes: %s", join(short))
	}
	if len(large) > 0 {
		a.note("Looked for as they are, but in no encoding, because they have more than 1 MiB: %s", join(large))
	}
	return &values{set, short}, nil
}
