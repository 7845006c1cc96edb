package verify

import (
	"bytes"
	"os"
	"time"

	"github.com/mazevault/vault-tool/internal/backups"
	"github.com/mazevault/vault-tool/vaultfile"
)

// Live is the vault that backups are compared with.
type Live struct {
	vault *vaultfile.Vault
	names []string
}

// NewLive compares with a vault that was opened with its history, and stays the caller's.
func NewLive(v *vaultfile.Vault) *Live { return &Live{v, v.Names()} }

// Difference is how a backup differs from the live vault, by name. Lists are never nil.
type Difference struct {
	Missing   []string // only the live vault has it
	Extra     []string // only the backup has it
	Older     []string // the backup has a value from before, which the live vault's history keeps
	Different []string // another value
}

// Any tells whether there is any difference.
func (d *Difference) Any() bool {
	return len(d.Missing)+len(d.Extra)+len(d.Older)+len(d.Different) > 0
}

func (l *Live) compare(backup *vaultfile.Vault) (*Difference, error) {
	d := &Difference{Missing: []string{}, Extra: []string{}, Older: []string{}, Different: []string{}}
	shared := 0
	for _, name := range l.names {
		if !backup.Has(name) {
			d.Missing = append(d.Missing, name)
			continue
		}
		shared++
		err := backup.Use(name, func(value []byte) error {
			switch {
			case l.has(name, value):
			case l.had(name, value):
				d.Older = append(d.Older, name)
			default:
				d.Different = append(d.Different, name)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	if backup.Len() == shared {
		return d, nil
	}
	for _, name := range backup.Names() {
		if !l.vault.Has(name) {
			d.Extra = append(d.Extra, name)
		}
	}
	return d, nil
}

// has tells whether the live vault has that value.
func (l *Live) has(name string, value []byte) (same bool) {
	_ = l.vault.Use(name, func(now []byte) error { // it has the name
		same = bytes.Equal(now, value)
		return nil
	})
	return same
}

// had tells whether the history keeps that value as an earlier one.
func (l *Live) had(name string, value []byte) bool {
	h, err := l.vault.History(name)
	if err != nil {
		return false // no history is kept, or none of this secret
	}
	for _, version := range h.Versions {
		same := false
		if version.State == vaultfile.VersionKept {
			_ = l.vault.UseVersion(name, version.Number, func(then []byte) error { // one that is gone is not the same
				same = bytes.Equal(then, value)
				return nil
			})
		}
		if same {
			return true
		}
	}
	return false
}

// timeOf is when a backup was made: what `backup` wrote into its name, else when the file was written.
func timeOf(path string) time.Time {
	if t, ok := backups.TimeOf(path); ok {
		return t
	}
	info, err := os.Stat(path)
	if err != nil {
		return time.Time{} // it has just been there
	}
	return info.ModTime()
}
