package main

import (
	"bytes"
	"context"
	"fmt"
	"text/tabwriter"

	"github.com/mazevault/vault-tool/internal/references"
	"github.com/mazevault/vault-tool/internal/selection"
	"github.com/mazevault/vault-tool/vaultfile"
)

// listedReference is a secret that is a reference.
type listedReference struct {
	Name      string `json:"name"`
	Reference string `json:"reference"`
}

type referenceList struct {
	References []listedReference `json:"references"`
}

// runListReferences lists those of the secrets that are references.
func (a *app) runListReferences(ctx context.Context, s selection.Selection) error {
	return a.withVault(ctx, func(v *vaultfile.Vault) error {
		names := a.scope.Of(v).Names()
		if missing, _ := s.Unmatched(names); len(missing) > 0 {
			return a.noSuchName(names, missing[0].Glob)
		}
		all, err := references.All(v)
		if err != nil {
			return err
		}
		list := referenceList{[]listedReference{}}
		for _, name := range s.Names(names) {
			full := a.scope.Name(name)
			if !v.Has(full) { // inherited
				full = name
			}
			if text, ok := all[full]; ok {
				list.References = append(list.References, listedReference{name, text})
			}
		}
		if a.json {
			return a.printJSON(list)
		}
		var out bytes.Buffer
		table := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
		for _, l := range list.References {
			fmt.Fprintf(table, "%s\t%s\n", l.Name, printable(l.Reference))
		}
		_ = table.Flush() // to memory
		return a.print(out.Bytes())
	})
}
