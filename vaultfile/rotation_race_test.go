package vaultfile

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// rotations is a script of key rotations beside which a vault is read. Its steps are those of the
// product's flow, three for each rotation, and every one is atomic on a real file system as well.
type rotations struct {
	t         *testing.T
	path      string
	files     [][]byte // the vault under each key in turn
	keys      []passphrase
	next      int // step
	current   passphrase
	successor passphrase // "" where there is none
}

const stepsPerRotation = 3

func newRotations(t *testing.T, count int) *rotations {
	t.Helper()
	r := &rotations{t: t}
	for i := range count + 1 {
		key := passphrase(fmt.Sprintf("key %d", i))
		u := newUnlocker(t, key)
		r.keys = append(r.keys, key)
		r.files = append(r.files, readFile(t, createVault(t, u, map[string]string{"A": "1"})))
	}
	r.path = filepath.Join(t.TempDir(), "secrets.vault")
	return r
}

func (r *rotations) reset() {
	r.next, r.current, r.successor = 0, r.keys[0], ""
	r.replaceVault(0)
}

func (r *rotations) replaceVault(generation int) {
	r.t.Helper()
	temporary := r.path + ".tmp"
	writeFile(r.t, temporary, r.files[generation])
	if err := os.Rename(temporary, r.path); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rotations) step() {
	generation := r.next/stepsPerRotation + 1
	switch r.next % stepsPerRotation {
	case 0:
		r.successor = r.keys[generation]
	case 1:
		r.replaceVault(generation)
	case 2:
		r.current, r.successor = r.successor, ""
	}
	r.next++
}

// scheduledSource is a key file whose rotation moves on at every moment that the reader can notice:
// before and after each look at the key file and at its successor. (Each of these follows a look at
// the vault.)
type scheduledSource struct {
	*rotations
	schedule []int // how many steps are made at each moment
	moment   int
}

func (s *scheduledSource) pass() {
	if s.moment < len(s.schedule) {
		for range s.schedule[s.moment] {
			s.step()
		}
	}
	s.moment++
}

func (s *scheduledSource) Passphrase(ctx context.Context, use func([]byte) error) error {
	s.pass()
	defer s.pass()
	return s.current.Passphrase(ctx, use)
}

func (s *scheduledSource) Successor(ctx context.Context, use func([]byte) error) (string, error) {
	s.pass()
	defer s.pass()
	if s.successor == "" {
		return "", nil
	}
	return "successor", s.successor.Passphrase(ctx, use)
}

// schedules calls f with every way to spread steps over moments.
func schedules(steps, moments int, f func([]int)) {
	schedule := make([]int, moments)
	var spread func(at, left int)
	spread = func(at, left int) {
		if at == moments-1 {
			schedule[at] = left
			f(schedule)
			return
		}
		for n := range left + 1 {
			schedule[at] = n
			spread(at+1, left-n)
		}
	}
	spread(0, steps)
}

// TestReadDuringEveryRotation reads a vault while one or two rotations go on beside it, in every
// possible order of their steps (the first place in a schedule is before the reader begins), with an
// unlocker that is new or, for one rotation, knows the first key. It never fails.
func TestReadDuringEveryRotation(t *testing.T) {
	cheapKDF(t)
	for _, test := range []struct {
		rotations, moments int
		knows              bool
	}{{1, 8, false}, {1, 8, true}, {2, 6, false}} {
		r := newRotations(t, test.rotations)
		schedules(test.rotations*stepsPerRotation, test.moments, func(schedule []int) {
			r.reset()
			source := &scheduledSource{rotations: r}
			u := NewUnlocker(source)
			defer u.Close()
			if test.knows {
				readOnce(t, r.path, u)
			}
			source.schedule, source.moment = schedule, 0
			source.pass()
			if !readOnce(t, r.path, u) {
				t.Fatalf("schedule %v, knows the first key: %v", schedule, test.knows)
			}
		})
	}
}

func readOnce(t *testing.T, path string, u *Unlocker) bool {
	t.Helper()
	v, err := Open(context.Background(), path, u)
	if err != nil {
		t.Error(err)
		return false
	}
	defer v.Close()
	return v.Has("A")
}
