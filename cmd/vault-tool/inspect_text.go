package main

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/mazevault/vault-tool/internal/beside"
)

// besideWords are the kinds of files beside a vault, for people.
var besideWords = map[beside.Kind]string{
	beside.Lock: "a lock, which stays", beside.Backup: "what encrypt or restore replaced", beside.DatedBackup: "a backup",
	beside.DropKey: "the public key for drops", beside.Key: "the key", beside.NewKey: "a new key: a rotation is under way",
	beside.OldKey: "an earlier key", beside.Temporary: "of a writer that is at work, or was killed",
	beside.Displaced: "written by another program during a write",
}

// linkTarget is the file that a path leads to, or "" where that is no link.
func linkTarget(path string) string {
	target, err := filepath.EvalSymlinks(path)
	if err != nil || filepath.Base(target) == filepath.Base(path) && filepath.Dir(target) == filepath.Dir(filepath.Clean(path)) {
		return ""
	}
	return target
}

// text is the inspection for people.
func (i inspection) text() []byte {
	var out bytes.Buffer
	table := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	row := func(label, format string, args ...any) {
		fmt.Fprintf(table, "%s\t%s\n", label, printable(fmt.Sprintf(format, args...)))
	}
	row("vault", "%s", i.VaultFile)
	if i.Target != "" {
		row("  leads to", "%s", i.Target)
	}
	row("format", "%s", i.Format)
	row("size", "%s", count(int(i.Size), "byte"))
	row("salt", "%s (fingerprint)", i.SaltFingerprint)
	row("etag", "%s", i.ETag)
	row("modified", "%s", i.Modified)
	if i.Owner != nil {
		row("owner", "%s:%s", *i.Owner, *i.Group)
	}
	row("mode", "%s", i.Mode)
	for n, f := range i.Beside {
		label := ""
		if n == 0 {
			label = "beside"
		}
		row(label, "%s (%s)", f.File, besideWords[f.Kind])
	}
	if i.Key.Problem == "" {
		row("key", "%s opens it", i.Key.Source)
	} else {
		row("key", "%s: %s", i.Key.Source, i.Key.Problem)
	}
	if i.Content != nil {
		i.Content.rows(row)
	}
	_ = table.Flush() // to memory
	return out.Bytes()
}

func (c *vaultContents) rows(row func(label, format string, args ...any)) {
	row("secrets", "%d", c.Secrets)
	if len(c.Scopes) > 0 {
		row("scopes", "%d: %s", len(c.Scopes), shortList(c.Scopes))
	}
	if c.Keep == 0 {
		row("history", "none is kept")
	} else {
		row("history", "%s on record, %s among them; %d of a secret are kept, up to %s", count(c.Versions, "version"), count(c.Kept, "old value"), c.Keep, count(int(c.MaxBytes), "byte"))
	}
	if c.References+c.Stores > 0 {
		row("stores", "%s, and %s to them", count(c.Stores, "connection"), count(c.References, "reference"))
	}
	for _, k := range c.DropKeys {
		replaced := ""
		if k.Replaced != nil {
			replaced = ", replaced " + *k.Replaced
		}
		row("drop key", "%s, made %s%s", k.Fingerprint, k.Created, replaced)
	}
	if len(c.NotAllowed) > 0 {
		row("not allowed", "%s: such names are the tool's; a version that allowed them can rename them", strings.Join(c.NotAllowed, ", "))
	}
	if len(c.Unknown) > 0 {
		row("unknown", "%s: of a later version, and kept as they are", strings.Join(c.Unknown, ", "))
	}
}
