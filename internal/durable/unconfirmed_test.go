package durable

import (
	"errors"
	"path/filepath"
	"syscall"
	"testing"
)

// TestUndoIsConfirmed lets every directory sync fail, or only the first: a change that was taken back is on disk in its
// old state, or the error says that this is not known.
func TestUndoIsConfirmed(t *testing.T) {
	for _, system := range fileSystems[:2] { // the third offers no way back
		for _, s := range scenarios[:5] { // those that write content
			for _, failing := range []int{1, 2} {
				dir := prepare(t)
				before, syncs := snapshot(t, dir), 0
				err := s.run(intercepted(quickSystem(), lacking(system.lack, func(operation string) error {
					if operation != "flushDir" {
						return nil
					}
					if syncs++; syncs > failing {
						return nil
					}
					return syscall.EIO
				})), dir)
				if !errors.Is(err, syscall.EIO) || InPlace(err) {
					t.Errorf("%s/%s, %d failed syncs: %v", system.name, s.name, failing, err)
				}
				if syncs != 2 {
					t.Errorf("%s/%s: %d directory syncs, want one for the change and one for its undoing", system.name, s.name, syncs)
				}
				if got, want := errors.Is(err, ErrUnconfirmed) && errors.Is(err, ErrRestored), failing == 2; got != want {
					t.Errorf("%s/%s, %d failed syncs: unconfirmed %v, want %v: %v", system.name, s.name, failing, got, want, err)
				}
				sameEntries(t, snapshot(t, dir), before)
			}
		}
	}
}

// TestKeepClaimsNothingOfTheFile lets the directory sync fail for each copy that Keep moves or makes. The file itself is
// as it was, so that an ErrUnconfirmed would be wrong.
func TestKeepClaimsNothingOfTheFile(t *testing.T) {
	for failing := 1; failing <= 2; failing++ {
		dir := prepare(t)
		syncs := 0
		_, err := intercepted(quickSystem(), func(operation string) error {
			if operation == "flushDir" {
				if syncs++; syncs >= failing {
					return syscall.EIO
				}
			}
			return nil
		}).keep(filepath.Join(dir, "vault"), ".bak", 0)
		if !errors.Is(err, syscall.EIO) || errors.Is(err, ErrUnconfirmed) || errors.Is(err, ErrRestored) || InPlace(err) {
			t.Errorf("sync %d fails: %v", failing, err)
		}
		wantContent(t, filepath.Join(dir, "vault"), oldContent+"vault")
	}
}

// TestOldContentThatStays lets the removal of the old file fail: that matters where it holds what is to be gone.
func TestOldContentThatStays(t *testing.T) {
	for _, system := range fileSystems[:2] { // the third leaves no old file
		for _, remove := range []bool{false, true} {
			dir := prepare(t)
			path := filepath.Join(dir, "vault")
			err := intercepted(quickSystem(), lacking(system.lack, func(operation string) error {
				if operation == "unlink" {
					return syscall.EIO
				}
				return nil
			})).replace(path, []byte("new"), ReplaceOptions{Remove: remove})
			if got := errors.Is(err, ErrLeftBehind) && errors.Is(err, syscall.EIO); got != remove || !InPlace(err) {
				t.Errorf("%s, to be removed %v: %v", system.name, remove, err)
			}
			wantContent(t, path, "new")
		}
	}
}
