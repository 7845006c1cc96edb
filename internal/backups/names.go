// Package backups has the names of the copies that `backup` keeps of a vault, and the rules by which old ones go.
package backups

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Backup is a copy of a vault, as its name tells.
type Backup struct {
	Name string    // VAULT.YYYYMMDDTHHMMSSZ, or VAULT.YYYYMMDDTHHMMSSZ-N for the N-th further one of a second
	Time time.Time // UTC, whole seconds

	number int // N; 0: the first of its second
}

const stampLayout = "20060102T150405Z"

// Name is the name of a vault's backup of a time. A number from 1 tells those of the same second apart.
func Name(vault string, t time.Time, number int) string {
	name := vault + "." + t.UTC().Format(stampLayout)
	if number > 0 {
		name += "-" + strconv.Itoa(number)
	}
	return name
}

// TimeOf is the time that the name of a backup tells, of whatever vault it is.
func TimeOf(path string) (time.Time, bool) {
	name := filepath.Base(path)
	b, ok := parse(name[:strings.LastIndexByte(name, '.')+1], name)
	return b.Time, ok
}

// Of returns those of names that are backups of the vault, newest first. A name of any other form is none.
func Of(vault string, names []string) []Backup {
	var found []Backup
	for _, name := range names {
		if b, ok := parse(vault+".", name); ok {
			found = append(found, b)
		}
	}
	slices.SortFunc(found, func(a, b Backup) int {
		if c := b.Time.Compare(a.Time); c != 0 {
			return c
		}
		return b.number - a.number
	})
	return found
}

func parse(prefix, name string) (Backup, bool) {
	rest, ok := strings.CutPrefix(name, prefix)
	if !ok || len(prefix) <= len(".") { // no vault is named
		return Backup{}, false
	}
	stamp, suffix, numbered := strings.Cut(rest, "-")
	t, err := time.Parse(stampLayout, stamp)
	if err != nil || t.Format(stampLayout) != stamp {
		return Backup{}, false
	}
	b := Backup{Name: name, Time: t}
	if numbered {
		b.number, err = strconv.Atoi(suffix)
		if err != nil || b.number < 1 || strconv.Itoa(b.number) != suffix {
			return Backup{}, false
		}
	}
	return b, true
}
