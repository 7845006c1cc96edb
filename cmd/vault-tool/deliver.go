package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/mazevault/vault-tool/internal/references"
	"github.com/mazevault/vault-tool/internal/scope"
	"github.com/mazevault/vault-tool/provider"
	"github.com/mazevault/vault-tool/vaultfile"
)

// referenceError says that a secret's value is not in the vault, and where it is.
type referenceError struct{ name, reference string }

func (e *referenceError) Error() string {
	return fmt.Sprintf("%s is a reference to %s, which this version does not fetch", e.name, e.reference)
}

const (
	kindUnresolved = "unresolved_reference"
	unresolvedHint = "take the value from there, or give the secret one of its own: vault-tool add; where several are selected, leave it out"
)

// deliverable are the secrets of a vault as programs get them: the text of a reference is no value, and Use of it a referenceError.
type deliverable struct {
	vault      *vaultfile.Vault
	references bool // there are any
}

func deliver(v *vaultfile.Vault) deliverable {
	return deliverable{v, references.Any(v)}
}

func (d deliverable) Names() []string      { return d.vault.Names() }
func (d deliverable) Has(name string) bool { return d.vault.Has(name) }

func (d deliverable) Use(name string, f func(value []byte) error) error {
	if d.references {
		text, err := references.Of(d.vault, name)
		if err != nil {
			return err
		}
		if text != "" {
			return &referenceError{name, text}
		}
	}
	return d.vault.Use(name, f)
}

// checkValue returns a referenceError for a value that a secret has, or had, if that is a reference.
func checkValue(v *vaultfile.Vault, name string, value []byte) error {
	text, err := references.IsText(v, name, value)
	if err == nil && text != "" {
		err = &referenceError{name, text}
	}
	return err
}

// formerDeliverable are secrets as they were, as programs get them.
type formerDeliverable struct {
	formerSecrets
	vault *vaultfile.Vault
}

func (d formerDeliverable) Use(name string, f func(value []byte) error) error {
	return d.formerSecrets.Use(name, func(value []byte) error {
		if err := checkValue(d.vault, name, value); err != nil {
			return err
		}
		return f(value)
	})
}

// withDelivered is withSecrets for a command that hands values to programs.
func (a *app) withDelivered(ctx context.Context, f func(scope.Secrets) error) error {
	return a.withVault(ctx, func(v *vaultfile.Vault) error { return a.tellReference(f(a.scope.Of(deliver(v)))) })
}

// tellReference adds exit code and hint to the error about a reference.
func (a *app) tellReference(err error) error {
	var reference *referenceError
	if !errors.As(err, &reference) {
		return err
	}
	return &failure{code: exitFailed, kind: kindUnresolved, err: fmt.Errorf("%s: %w", a.vaultPath(), err), hint: unresolvedHint}
}

// refuseReferences names all of the selected secrets that are references, where there are any.
func refuseReferences(v scope.Secrets, names []string) error {
	var found []string
	for _, name := range names {
		err := v.Use(name, func([]byte) error { return nil })
		var reference *referenceError
		switch {
		case errors.As(err, &reference):
			found = append(found, reference.name+" ("+reference.reference+")")
		case errors.Is(err, provider.ErrReference):
			found = append(found, name)
		case err != nil:
			return err
		}
	}
	if len(found) == 0 {
		return nil
	}
	return &failure{
		code: exitFailed, kind: kindUnresolved, hint: unresolvedHint,
		err: fmt.Errorf("%s selected here are references, which this version does not fetch: %s", count(len(found), "secret"), shortList(found)),
	}
}
