package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/mazevault/vault-tool/internal/connections"
	"github.com/mazevault/vault-tool/internal/references"
	"github.com/mazevault/vault-tool/vaultfile"
)

type linkSummary struct {
	VaultFile string            `json:"vault_file"`
	Name      string            `json:"name"`
	Reference string            `json:"reference"`
	Outcome   vaultfile.Outcome `json:"outcome"`
	ETag      string            `json:"etag"`
}

func newLinkCommand(a *app) *cobra.Command {
	via := ""
	cmd := &cobra.Command{
		Use:   "link NAME REFERENCE",
		Short: "Make a secret a reference to an external store",
		Long: `Make a secret a reference to a secret of an external store, and print it in its canonical form:

  awssm://CONNECTION/NAME-OR-ARN   AWS Secrets Manager
  akv://CONNECTION/NAME            Azure Key Vault
  gcpsm://CONNECTION/NAME          GCP Secret Manager
  vault://CONNECTION/MOUNT/PATH    HashiCorp Vault and OpenBao

with options behind '?' and a JSON pointer behind '#': akv://corp/db?version=V, awssm://prod/stripe#/api_key.
CONNECTION is one of "store list". docs/stores.md has the rules.

What consoles and other programs give to copy is taken as well: an ARN or the valueFrom of ECS, the URL of a
Key Vault secret or an App Service reference, a resource name of GCP, references of vals, berglas and
bank-vaults. The connection is then the one of that kind, or at that place; --via names it.

A value that the secret has is replaced; the history keeps it.`,
		Example: `  vault-tool link DB_PASSWORD akv://corp/database-password
  vault-tool link STRIPE_KEY 'awssm://prod/stripe#/api_key'
  vault-tool link TOKEN https://corp.vault.azure.net/secrets/token --via corp`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return fmt.Errorf("give a name and a reference (%d arguments were given)", len(args))
			}
			return nil
		},
		ValidArgsFunction: a.completeOneName,
	}
	cmd.RunE = a.action(func(ctx context.Context, args []string) error { return a.runLink(ctx, via, args[0], args[1]) })
	cmd.Flags().StringVar(&via, "via", "", "the `CONNECTION`, for a reference in the form of another program")
	_ = cmd.RegisterFlagCompletionFunc("via", func(cmd *cobra.Command, _ []string, prefix string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return a.completeConnections(cmd, nil, prefix)
	}) // fails for an unknown flag only
	a.addIfMatch(cmd)
	a.addScope(cmd)
	return cmd
}

func (a *app) runLink(ctx context.Context, via, name, text string) error {
	full, err := a.fullNames([]string{name})
	if err != nil {
		return err
	}
	target, err := parseReferent(text, via)
	if err != nil {
		return err
	}
	s := linkSummary{VaultFile: a.vaultPath(), Name: full[0]}
	var written vaultfile.Written
	err = leftUnchanged(a.withUnlocker(ctx, func(u *vaultfile.Unlocker) (err error) {
		update := vaultfile.UpdateOptions{WriteOptions: a.writeOptions("link")}
		written, err = vaultfile.Update(ctx, s.VaultFile, u, update, func(d *vaultfile.Draft) (err error) {
			s.Reference, s.Outcome, err = target.link(d, s.Name)
			return a.inVault(err)
		})
		return err
	}))
	if err != nil {
		return err
	}
	s.ETag = written.ETag
	if s.Outcome == vaultfile.Unchanged {
		a.note("%s is that reference in %s already", s.Name, s.VaultFile)
	} else {
		a.note("%s is a reference in %s now", s.Name, s.VaultFile)
	}
	a.noteHistory(written, "the old value is kept: vault-tool history "+s.Name)
	if a.json {
		return a.printJSON(s)
	}
	return a.print([]byte(s.Reference + "\n"))
}

// referent is what a secret is to refer to, before it is known which connection leads there.
type referent struct {
	own     *references.Ref // nil for one in the form of another program
	foreign references.Foreign
	via     string // a connection, or ""
}

// parseReferent reads a reference of our own or of another program.
func parseReferent(text, via string) (referent, error) {
	if via != "" {
		if err := checkConnectionName(via); err != nil {
			return referent{}, err
		}
	}
	if !references.Looks(text) {
		foreign, err := references.ParseForeign(text)
		return referent{foreign: foreign, via: via}, err
	}
	r, err := references.Parse(text)
	if err == nil && via != "" && via != r.Connection {
		err = badInput("leave --via out", "the reference names a connection itself, and another one than --via")
	}
	return referent{own: &r}, err
}

// link makes a secret a reference, and returns its canonical form.
func (t referent) link(d *vaultfile.Draft, name string) (text string, outcome vaultfile.Outcome, err error) {
	r, err := t.resolve(d)
	if err != nil {
		return "", "", err
	}
	text = r.String()
	before, err := references.Of(d, name)
	if err != nil {
		return "", "", err
	}
	if before == text {
		return text, vaultfile.Unchanged, nil
	}
	outcome, err = d.Set(name, []byte(text))
	if err != nil {
		return "", "", err
	}
	if outcome == vaultfile.Unchanged { // a value that was the same text, and is a reference from now on
		outcome = vaultfile.Updated
	}
	return text, outcome, references.Note(d, name, text)
}

// resolve is the reference on a connection that there is, and that leads to a store of its kind.
func (t referent) resolve(d *vaultfile.Draft) (references.Ref, error) {
	if t.own == nil {
		name := t.via
		if name == "" {
			var err error
			if name, err = chooseConnection(d, t.foreign); err != nil {
				return references.Ref{}, err
			}
		}
		r, err := t.foreign.On(name)
		if err != nil {
			return references.Ref{}, err
		}
		t.own = &r
	}
	c, err := connections.In(d, t.own.Connection)
	if err != nil {
		return references.Ref{}, err
	}
	defer c.Close()
	if c.Type.Scheme != t.own.Scheme {
		return references.Ref{}, badInput(nothingChanged+"; its references begin with "+string(c.Type.Scheme)+"://",
			"%s is a connection to %s, and no reference of %s:// leads there", c.Name, c.Type.Label, t.own.Scheme)
	}
	if t.foreign.Scheme() == references.Azure && t.foreign.Place != "" && !c.IsAt(t.foreign.Place) {
		return references.Ref{}, badInput(nothingChanged+"; make a connection to that vault with: vault-tool store add azure-kv",
			"the secret is in another Key Vault than that of the connection %s", c.Name)
	}
	return *t.own, nil
}

// chooseConnection finds the connection for a reference in the form of another program: the only one of that kind at the place that it names,
// or the only one of that kind.
func chooseConnection(d *vaultfile.Draft, f references.Foreign) (string, error) {
	var ofKind, atPlace []string
	for _, name := range connectionNames(d) {
		c, err := connections.In(d, name)
		if errors.Is(err, connections.ErrUnknown) {
			continue
		}
		if err != nil {
			return "", err
		}
		if c.Type.Scheme == f.Scheme() {
			ofKind = append(ofKind, name)
			if f.Place != "" && c.IsAt(f.Place) {
				atPlace = append(atPlace, name)
			}
		}
		c.Close()
	}
	switch {
	case len(atPlace) == 1:
		return atPlace[0], nil
	case len(ofKind) == 1:
		return ofKind[0], nil
	case len(ofKind) == 0:
		return "", fmt.Errorf("%w to a store of %s://", connections.ErrNotFound, f.Scheme())
	}
	return "", badInput(nothingChanged+"; name one with: --via", "several connections lead to stores of %s://: %s", f.Scheme(), join(ofKind))
}

func connectionNames(d *vaultfile.Draft) []string {
	if d.Before() == nil {
		return nil
	}
	return connections.Names(d.Before())
}
