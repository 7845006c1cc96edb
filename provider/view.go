package provider

import (
	"sync/atomic"

	"github.com/mazevault/vault-tool/internal/redact"
)

// View is one snapshot of the secrets: what is read through it belongs together, whatever is reloaded
// meanwhile. It is valid inside the callback of [Provider.View]; used afterwards it gives [ErrClosed]. It may be used
// concurrently. The environment is not part of the snapshot.
type View struct {
	redact.Value
	lookups  reader
	snapshot *snapshot
	count    *readerCount // of the Provider.View that it belongs to
	ended    atomic.Bool
}

// enter keeps the snapshot's memory for a lookup, also where the view was kept and its callback returns meanwhile. The
// caller leaves with leave if it returns true. A reader who finds the view not ended had counted himself before the reader of
// Provider.View left, so the memory is not wiped under him.
func (v *View) enter() bool {
	v.count.n.Add(1)
	if v.ended.Load() {
		v.leave()
		return false
	}
	return true
}

func (v *View) leave() { v.snapshot.leave(v.count) }

// Get is [Provider.Get] in this snapshot.
func (v *View) Get(name string) string {
	value, _, _ := v.Lookup(name) // an ended view has no values
	return value
}

// Lookup is [Provider.Lookup] in this snapshot.
func (v *View) Lookup(name string) (value string, source Source, err error) {
	if !v.enter() {
		return "", FromNone, ErrClosed
	}
	defer v.leave()
	value, source = v.lookups.lookup(name)
	return value, source, nil
}

// Use is [Provider.Use] in this snapshot.
func (v *View) Use(name string, f func(secret []byte) error) error {
	if !v.enter() {
		return ErrClosed
	}
	defer v.leave()
	return v.lookups.use(name, f)
}

// UseCopy is [Provider.UseCopy] in this snapshot.
func (v *View) UseCopy(name string, f func(secret []byte) error) error {
	if !v.enter() {
		return ErrClosed
	}
	defer v.leave()
	return v.lookups.useCopy(name, f)
}

// SourceOf is [Provider.SourceOf] in this snapshot.
func (v *View) SourceOf(name string) (Source, error) {
	if !v.enter() {
		return FromNone, ErrClosed
	}
	defer v.leave()
	source, _ := v.lookups.find(name)
	return source, nil
}

// Require is [Provider.Require] in this snapshot.
func (v *View) Require(names ...string) error {
	if !v.enter() {
		return ErrClosed
	}
	defer v.leave()
	return v.lookups.require(names...)
}

// Names is [Provider.Names] in this snapshot.
func (v *View) Names() []string {
	if !v.enter() {
		return nil
	}
	defer v.leave()
	return v.lookups.names()
}
