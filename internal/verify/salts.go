package verify

import (
	"context"
	"sync"

	"github.com/mazevault/vault-tool/vaultfile"
)

// saltIndex finds the files that share a salt. It is made when the first file fails.
type saltIndex struct {
	files  []File
	make   sync.Once
	groups []*saltGroup
}

// saltGroup are the files with one salt: as a rule the backups of one vault under one key.
type saltGroup struct {
	id    vaultfile.Identity
	paths []string
	try   sync.Once
	opens bool // one of them can be opened
}

// damaged tells whether a file that no key opens has the salt of one that is opened. A salt is drawn anew with every key, so the key is right then,
// and the file is not.
func (v *Verifier) damaged(ctx context.Context, path string) bool {
	id, err := vaultfile.Identify(path)
	if err != nil {
		return false
	}
	if v.Live != nil && v.Live.vault.Identity().SameSalt(id) {
		return true
	}
	v.salts.make.Do(v.salts.build)
	g := v.salts.find(id)
	if g == nil {
		return false
	}
	g.try.Do(func() {
		for _, sibling := range g.paths {
			if vault, _, err := v.Keys.Open(ctx, sibling); err == nil {
				vault.Close()
				g.opens = true
				return
			}
		}
	})
	return g.opens
}

func (x *saltIndex) build() {
	for _, f := range x.files {
		if f.Skip != "" || f.Err != nil {
			continue
		}
		id, err := vaultfile.Identify(f.Path)
		if err != nil {
			continue
		}
		g := x.find(id)
		if g == nil {
			g = &saltGroup{id: id}
			x.groups = append(x.groups, g)
		}
		g.paths = append(g.paths, f.Path)
	}
}

func (x *saltIndex) find(id vaultfile.Identity) *saltGroup {
	for _, g := range x.groups {
		if g.id.SameSalt(id) {
			return g
		}
	}
	return nil
}
