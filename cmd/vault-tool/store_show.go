package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/mazevault/vault-tool/internal/connections"
	"github.com/mazevault/vault-tool/internal/references"
	"github.com/mazevault/vault-tool/vaultfile"
)

// typeList is what `store types --json` prints: what a form can be made from.
type typeList struct {
	Types []*connections.Type `json:"types"`
}

func newStoreTypesCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "types",
		Short:   "Show the types of stores and their fields",
		Long:    "Show the types of stores and the fields of their connections. With --json what a form can be made from.",
		Example: "  vault-tool store types --json",
		Args:    noArguments,
	}
	cmd.RunE = a.plainAction(func(context.Context, []string) error {
		if a.json {
			return a.printJSON(typeList{connections.Types()})
		}
		return a.print(typesText())
	})
	return cmd
}

func typesText() []byte {
	var out bytes.Buffer
	for i, t := range connections.Types() {
		if i > 0 {
			out.WriteByte('\n')
		}
		fmt.Fprintf(&out, "%s  %s\n", t.Key, t.Label)
		table := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
		for _, f := range t.Fields {
			about := []string{f.Help}
			if len(f.Choices) > 0 {
				about = append(about, strings.Join(f.Choices, ", "))
			}
			if f.Required {
				about = append(about, "required")
			}
			if f.Sensitive {
				about = append(about, "a credential")
			}
			fmt.Fprintf(table, "  %s\t%s\n", f.Key, strings.Join(about, "; "))
		}
		_ = table.Flush() // to memory
		fmt.Fprintf(&out, "  %s.\n", t.Description)
	}
	return out.Bytes()
}

// shownConnection is a connection without its credentials.
type shownConnection struct {
	Name   string            `json:"name"`
	Type   string            `json:"type"`
	Config map[string]string `json:"config"` // sensitive fields are masked
}

// listedConnection is a line of `store list`.
type listedConnection struct {
	Name        string `json:"name"`
	Type        string `json:"type"` // "": of a later version
	Place       string `json:"place"`
	Description string `json:"description"`
	References  int    `json:"references"` // secrets that refer to it
}

type connectionList struct {
	Stores []listedConnection `json:"stores"`
}

func newStoreListCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the connections",
		Long:    "List the connections: name, type, where the store is, and how many secrets refer to it.",
		Example: "  vault-tool store list",
		Args:    noArguments,
	}
	cmd.RunE = a.action(func(ctx context.Context, _ []string) error { return a.withVault(ctx, a.runStoreList) })
	return cmd
}

func (a *app) runStoreList(v *vaultfile.Vault) error {
	all, err := references.All(v)
	if err != nil {
		return err
	}
	list := connectionList{[]listedConnection{}}
	for _, name := range connections.Names(v) {
		l := listedConnection{Name: name, References: len(linkedTo(all, name))}
		c, err := connections.In(v, name)
		switch {
		case err == nil:
			l.Type, l.Place = c.Type.Key, c.Place()
			l.Description, _ = c.Shown("description")
		case !errors.Is(err, connections.ErrUnknown):
			return err
		}
		c.Close()
		list.Stores = append(list.Stores, l)
	}
	if a.json {
		return a.printJSON(list)
	}
	if len(list.Stores) == 0 {
		a.note("there is no connection in %s; make one with: vault-tool store add", a.vaultPath())
		return nil
	}
	var out bytes.Buffer
	table := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	fmt.Fprint(table, "NAME\tTYPE\tPLACE\tREFERENCES\n")
	for _, l := range list.Stores {
		fmt.Fprintf(table, "%s\t%s\t%s\t%d\n", printable(l.Name), dash(l.Type), dash(printable(l.Place)), l.References)
	}
	_ = table.Flush() // to memory
	return a.print(out.Bytes())
}

func newStoreShowCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:               "show NAME",
		Short:             "Show a connection, its credentials masked",
		Long:              "Show the fields of a connection. Credentials are shown as •••••••• where there are any.",
		Example:           "  vault-tool store show prod",
		Args:              oneConnection,
		ValidArgsFunction: a.completeConnections,
	}
	cmd.RunE = a.action(func(ctx context.Context, args []string) error {
		return a.withVault(ctx, func(v *vaultfile.Vault) error {
			c, err := connections.In(v, args[0])
			if err != nil {
				return a.inVault(err)
			}
			defer c.Close()
			return a.showConnection(c)
		})
	})
	return cmd
}

func (a *app) showConnection(c *connections.Connection) error {
	s := shownConnection{Name: c.Name, Type: c.Type.Key, Config: make(map[string]string)}
	var out bytes.Buffer
	table := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "name\t%s\ntype\t%s\n", c.Name, c.Type.Key)
	for _, f := range c.Type.Fields {
		if shown, ok := c.Shown(f.Key); ok {
			s.Config[f.Key] = shown
			fmt.Fprintf(table, "%s\t%s\n", f.Key, printable(shown))
		}
	}
	if a.json {
		return a.printJSON(s)
	}
	_ = table.Flush() // to memory
	return a.print(out.Bytes())
}
