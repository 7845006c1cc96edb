package provider

import (
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"unicode"
)

// watcher holds what a Watch has not reported yet. What comes while a report is under way becomes one change.
type watcher struct {
	inner bool          // it is not a Watch but an [Updater]
	ready chan struct{} // holds a token while there is something

	mu      sync.Mutex
	fates   map[string]fate
	problem error // as it is now
	told    error // the problem as it was reported last
	warning error
}

// fate is what became of a secret.
type fate int

const (
	added fate = iota + 1
	changed
	removed
)

func newWatcher() *watcher {
	return &watcher{ready: make(chan struct{}, 1), fates: make(map[string]fate)}
}

// add takes in a change, with the problem as it is now.
func (w *watcher) add(c Change) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, one := range []struct {
		names []string
		fate  fate
	}{{c.Added, added}, {c.Changed, changed}, {c.Removed, removed}} {
		for _, name := range one.names {
			w.note(name, one.fate)
		}
	}
	w.problem = c.Err
	w.join(c.Warning)
	w.signal()
}

// note combines what becomes of a secret with what became of it before.
func (w *watcher) note(name string, now fate) {
	switch before := w.fates[name]; {
	case before == added && now == removed:
		delete(w.fates, name)
	case before == added:
	case before == removed && now == added:
		w.fates[name] = changed
	default:
		w.fates[name] = now
	}
}

// warn takes in a warning that came without a look at the vault.
func (w *watcher) warn(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.join(err)
	w.signal()
}

// join adds a warning, unless one of its kind waits already.
func (w *watcher) join(warning error) {
	if warning == nil || w.inner || w.warning != nil && sameKind(w.warning, warning) {
		return
	}
	w.warning = errors.Join(w.warning, warning)
}

func (w *watcher) signal() {
	if !w.due() {
		return
	}
	select {
	case w.ready <- struct{}{}:
	default:
	}
}

// due tells whether there is something to report: a change of secrets, a warning, a problem of another kind than before,
// or its end.
func (w *watcher) due() bool {
	return len(w.fates) > 0 || w.warning != nil || !sameKind(w.told, w.problem)
}

// take returns what is to be reported, if anything is.
func (w *watcher) take() (c Change, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.due() {
		return Change{}, false
	}
	c = Change{Added: w.with(added), Changed: w.with(changed), Removed: w.with(removed), Err: w.problem, Warning: w.warning}
	w.told, w.warning = w.problem, nil
	clear(w.fates)
	return c, true
}

// with lists the secrets of a fate, sorted.
func (w *watcher) with(f fate) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(w.fates)) {
		if w.fates[name] == f {
			names = append(names, name)
		}
	}
	return names
}

// restart makes a watcher whose Watch has ended ready for the next: what was not reported waits, and the problem, if there
// is one, is told again.
func (w *watcher) restart() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.told = nil
	w.signal()
}

// sameKind tells whether two errors come down to the same causes. Texts are no measure of that: a size or a time in
// one makes the same failure look new at every look.
func sameKind(a, b error) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return slices.EqualFunc(causes(a), causes(b), sameCause)
}

// causes are the errors at the ends of what err wraps.
func causes(err error) []error {
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil {
			return causes(inner)
		}
	case interface{ Unwrap() []error }:
		var all []error
		for _, inner := range e.Unwrap() {
			all = append(all, causes(inner)...)
		}
		return all
	}
	return []error{err}
}

// sameCause takes two errors for the same where they are, or where they differ in numbers only.
func sameCause(a, b error) bool {
	if reflect.TypeOf(a) != reflect.TypeOf(b) {
		return false
	}
	return reflect.TypeOf(a).Comparable() && a == b || withoutNumbers(a.Error()) == withoutNumbers(b.Error())
}

func withoutNumbers(text string) string {
	return strings.Join(strings.FieldsFunc(text, unicode.IsDigit), "#")
}
