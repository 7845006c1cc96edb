package vaultfile

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/mazevault/vault-tool/internal/history"
	"github.com/mazevault/vault-tool/internal/reserved"
)

// HistoryBounds say how much of a vault's past it keeps. The zero value is nothing at all.
type HistoryBounds struct {
	Keep     int   // versions of a secret, the current one among them
	MaxBytes int64 // of a secret's old values together, but always the one before the current
}

// DefaultHistory returns the bounds that vault-tool gives a new vault.
func DefaultHistory() HistoryBounds {
	return HistoryBounds(history.Bounds{Keep: history.DefaultKeep, MaxBytes: history.DefaultMaxBytes})
}

// VersionState says what there is of a version's value.
type VersionState = history.State

// The states of a version.
const (
	VersionCurrent   = history.Current   // it is the secret's
	VersionKept      = history.Kept      // it is an old one, to be had
	VersionDeleted   = history.Deleted   // there is none: the secret was removed
	VersionDropped   = history.Dropped   // the bounds of the history took it
	VersionDestroyed = history.Destroyed // somebody destroyed it
	VersionLost      = history.Lost      // a program that keeps no history wrote over it
)

// VersionOrigin says how a version came into the history.
type VersionOrigin = history.Origin

// The origins of a version.
const (
	OriginWritten = history.Written // it was written with its record
	OriginBefore  = history.Before  // it was there when the history began
	OriginForeign = history.Foreign // a program that keeps no history wrote it, at some time before it was noticed
)

// Version is one version of a secret. Numbers ascend from 1, with gaps where records have gone; none is used twice.
type Version struct {
	Number   uint64
	Time     time.Time // when it was written, or where the origin is another when it was noticed; zero: only now
	Who      string    // "" where nobody has said
	Command  string
	From     string // the secret that it was before it was renamed or copied, "" if none
	Revision uint64 // of the secret's folder, the name up to its last '/'
	State    VersionState
	Origin   VersionOrigin
}

// History are the versions of one secret.
type History struct {
	Name     string
	Complete bool      // no earlier version than the first has been forgotten
	Versions []Version // at least one, in the order of their numbers
}

// Last is the newest version.
func (h History) Last() Version { return h.Versions[len(h.Versions)-1] }

// Exists tells whether there is a secret of that name now.
func (h History) Exists() bool { return h.Last().State == VersionCurrent }

// Keeps returns the bounds of the vault's history, the zero value where it has none.
func (v *Vault) Keeps() HistoryBounds {
	s, err := v.settings()
	if err != nil {
		return HistoryBounds{}
	}
	return HistoryBounds(s.Bounds)
}

// History returns the versions of a secret, also of one that was removed. A change by a program that keeps no history is among them.
// The error wraps [ErrNotFound], [ErrClosed], or [ErrNoHistory]. The vault was opened with [OpenHistory].
func (v *Vault) History(name string) (History, error) {
	r, err := v.record(name)
	if err != nil {
		return History{}, err
	}
	return historyOf(r), nil
}

func historyOf(r history.Record) History {
	h := History{Name: r.Name, Complete: !r.Cut}
	for _, v := range r.Versions {
		shown := Version{Number: v.Number, Who: v.Who, Command: v.Command, From: v.From, Revision: v.Revision, State: v.State, Origin: v.Origin}
		if v.Seconds != 0 {
			shown.Time = time.Unix(v.Seconds, 0)
		}
		h.Versions = append(h.Versions, shown)
	}
	return h
}

// record is what is kept of a secret, and what has happened to it since.
func (v *Vault) record(name string) (history.Record, error) {
	if v.payload == nil {
		return history.Record{}, ErrClosed
	}
	s, err := v.settings()
	if err != nil || !s.On() {
		return history.Record{}, ErrNoHistory
	}
	r, err := v.recorded(name, new(history.Decoder))
	if err != nil {
		return history.Record{}, err
	}
	value, _ := v.find(name)
	d := s.NewDigester()
	defer d.Close()
	r.Reconcile(value, d, s.Counter+1, history.Moment{})
	if len(r.Versions) == 0 {
		return history.Record{}, fmt.Errorf("%w: %s", ErrNotFound, name)
	}
	return r, nil
}

// recorded is a secret's record as it stands, without versions where there is none.
func (v *Vault) recorded(name string, d *history.Decoder) (history.Record, error) {
	src, ok := v.findReserved(reserved.History(name))
	if !ok {
		return history.Record{Name: name}, nil
	}
	r, err := d.Decode(src, name)
	if err != nil || r.Name != name {
		return history.Record{}, fmt.Errorf("%w: the history of %s is of another version of vault-tool", ErrNoHistory, name)
	}
	return r, nil
}

// UseVersion calls f with the value of a secret's version, as [Vault.Use] does. The error wraps [ErrNotFound] also where the value is
// there no more.
func (v *Vault) UseVersion(name string, number uint64, f func(value []byte) error) error {
	r, err := v.record(name)
	if err != nil {
		return err
	}
	version := r.Find(number)
	switch {
	case version == nil:
		return fmt.Errorf("%w: %s has no version %d", ErrNotFound, name, number)
	case version.State == history.Current:
		return v.Use(name, f)
	case version.State != history.Kept:
		return fmt.Errorf("%w: version %d of %s is %s", ErrNotFound, number, name, version.State)
	}
	return version.Use(f)
}

// Past returns the names of all secrets that there are or have been, as far as the history reaches, sorted bytewise.
func (v *Vault) Past() []string {
	names := make(map[string]bool)
	for _, name := range v.Names() {
		names[name] = true
	}
	v.eachRecord(func(r history.Record) { names[r.Name] = true })
	return slices.Sorted(maps.Keys(names))
}

// EachValue calls f for every value in the vault until f returns an error, which EachValue returns: those that secrets have now, in the order of
// names, with version 0, and behind them the old ones that are kept. The vault was opened with [OpenHistory], else there are no old ones.
// The values are valid inside the call only, and must not be changed.
func (v *Vault) EachValue(f func(name string, version uint64, value []byte) error) error {
	err := v.Each(func(name string, value []byte) error { return f(name, 0, value) })
	v.eachRecord(func(r history.Record) {
		for i := range r.Versions {
			if version := &r.Versions[i]; err == nil && version.State == history.Kept {
				err = version.Use(func(value []byte) error { return f(r.Name, version.Number, value) })
			}
		}
	})
	return err
}

// eachRecord calls f for every record that can be read.
func (v *Vault) eachRecord(f func(history.Record)) {
	var d history.Decoder
	for _, e := range v.reserved {
		secret, ok := reserved.IsHistory(string(e.name(v.payload)))
		if !ok {
			continue
		}
		if r, err := d.Decode(e.value(v.payload), secret); err == nil {
			f(r)
		}
	}
}

// UseReserved calls f with an entry that belongs to the tool.
func (v *Vault) UseReserved(name reserved.Name, f func(value []byte) error) error {
	value, ok := v.findReserved(name)
	if !ok {
		return fmt.Errorf("%w: %s", ErrNotFound, name)
	}
	return f(value)
}

// Reserved returns the names of what belongs to the tool.
func (v *Vault) Reserved() []reserved.Name {
	names := make([]reserved.Name, 0, len(v.reserved))
	for _, e := range v.reserved {
		names = append(names, reserved.Name(e.name(v.payload)))
	}
	return names
}

func (v *Vault) findReserved(name reserved.Name) ([]byte, bool) {
	if v.payload == nil {
		return nil, false
	}
	return findIn(v.payload, v.reserved, string(name))
}

// SameHistory tells whether two vaults have the history of one: one is a copy of the other, or was it once. A rotation of the key keeps the
// history; where it is dropped, or there is none, this is false. Both were opened with [OpenHistory].
func (v *Vault) SameHistory(other *Vault) bool {
	mine, err := v.settings()
	theirs, otherErr := other.settings()
	return err == nil && otherErr == nil && mine.On() && theirs.On() && bytes.Equal(mine.Key, theirs.Key)
}

func (v *Vault) settings() (history.Settings, error) {
	src, _ := v.findReserved(reserved.Settings)
	return history.DecodeSettings(src)
}
