package durable

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestFileOfAnotherProgramStands puts a file at the path, as another program does with rename, at each call of a Replace whose
// sync of the directory fails. Whatever the undoing finds, that file is not lost, and where it came after the new content, the old
// one is not either.
func TestFileOfAnotherProgramStands(t *testing.T) {
	const foreign = "of another program"
	for _, system := range fileSystems[:2] { // the third offers no way back
		total := 0
		for at := 1; at <= max(total, 1); at++ {
			dir := t.TempDir()
			path := filepath.Join(dir, "vault")
			putFile(t, path, oldContent, 0o600)
			calls, placed, exchanged := 0, false, false
			sys := intercepted(quickSystem(), lacking(system.lack, func(operation string) error {
				if calls++; calls == at {
					putFile(t, filepath.Join(dir, "incoming"), foreign, 0o600)
					if err := os.Rename(filepath.Join(dir, "incoming"), path); err != nil {
						t.Fatal(err)
					}
					placed = true
				}
				switch {
				case operation == "flushDir" && !exchanged:
					exchanged = true
					return syscall.EIO
				}
				return nil
			}))
			err := sys.replace(path, []byte(newContent), ReplaceOptions{})
			total = max(total, calls)
			if err == nil || InPlace(err) {
				t.Errorf("%s, call %d: error %v", system.name, at, err)
			}
			if !placed {
				continue
			}
			if got := readEntry(t, path).content; got != foreign && !lostToRename(system.lack, got) {
				t.Errorf("%s, call %d: at the path is %q; %v", system.name, at, got, err)
			}
		}
		if total < 10 {
			t.Errorf("%s: only %d calls were seen", system.name, total)
		}
	}
}

// lostToRename tells that what is at the path is excused: without an exchange a file that comes between the opening of the old one
// and the rename is replaced unseen, as with any rename.
func lostToRename(lack []string, content string) bool {
	return len(lack) > 0 && content == oldContent
}

// TestOldFileIsSetAside: a file that comes to the path after the exchange stands, and the old one keeps a name that no sweep
// removes, which the error tells.
func TestOldFileIsSetAside(t *testing.T) {
	for _, system := range fileSystems[:2] {
		dir := t.TempDir()
		path := filepath.Join(dir, "vault")
		putFile(t, path, oldContent, 0o600)
		sys := intercepted(quickSystem(), lacking(system.lack, func(operation string) error {
			if operation == "flushDir" {
				putFile(t, filepath.Join(dir, "incoming"), "of another program", 0o600)
				if err := os.Rename(filepath.Join(dir, "incoming"), path); err != nil {
					t.Fatal(err)
				}
				return syscall.EIO
			}
			return nil
		}))
		err := sys.replace(path, []byte(newContent), ReplaceOptions{})
		if !errors.Is(err, ErrChanged) || !errors.Is(err, syscall.EIO) || InPlace(err) {
			t.Errorf("%s: %v", system.name, err)
		}
		if err := Sweep(path); err != nil {
			t.Error(err)
		}
		aside, globErr := filepath.Glob(path + ".displaced-*")
		if globErr != nil || len(aside) != 1 || !strings.Contains(err.Error(), aside[0]) {
			t.Fatalf("%s: %q are there, the error is %v", system.name, aside, err)
		}
		wantContent(t, aside[0], oldContent)
		wantContent(t, path, "of another program")
	}
}

// TestPlantedTemporaryFile: somebody who may write the directory exchanges the temporary file for his own before it gets its
// name. That is an error, and not success.
func TestPlantedTemporaryFile(t *testing.T) {
	for _, system := range fileSystems[:2] {
		dir := t.TempDir()
		path := filepath.Join(dir, "vault")
		putFile(t, path, oldContent, 0o600)
		putFile(t, filepath.Join(dir, "elsewhere"), "elsewhere", 0o600)
		step := "exchange"
		if len(system.lack) > 0 {
			step = "rename"
		}
		err := intercepted(quickSystem(), lacking(system.lack, func(operation string) error {
			if operation != step {
				return nil
			}
			temps, err := filepath.Glob(filepath.Join(dir, ".vault.*"+tempSuffix))
			if err != nil || len(temps) == 0 {
				t.Fatal(temps, err)
			}
			for _, temp := range temps {
				if readEntry(t, temp).content == newContent {
					if err := os.Remove(temp); err != nil {
						t.Fatal(err)
					}
					symlink(t, "elsewhere", temp)
				}
			}
			return nil
		})).replace(path, []byte(newContent), ReplaceOptions{})
		if !errors.Is(err, ErrChanged) {
			t.Errorf("%s: %v", system.name, err)
		}
		wantContent(t, filepath.Join(dir, "elsewhere"), "elsewhere")
		aside, globErr := filepath.Glob(path + ".displaced-*")
		if globErr != nil || len(aside) != 1 {
			t.Fatalf("%s: the old file is not kept: %q", system.name, aside)
		}
		wantContent(t, aside[0], oldContent)
	}
}

// TestFailedCreateLeavesTheFileOfAnother: what another program put in the place of a new file is not removed with it.
func TestFailedCreateLeavesTheFileOfAnother(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "key")
	err := intercepted(quickSystem(), func(operation string) error {
		if operation != "flushDir" {
			return nil
		}
		putFile(t, filepath.Join(dir, "incoming"), "of another program", 0o600)
		if err := os.Rename(filepath.Join(dir, "incoming"), path); err != nil {
			t.Fatal(err)
		}
		return syscall.EIO
	}).createAt(path, []byte(newContent), CreateOptions{})
	if !errors.Is(err, syscall.EIO) || !errors.Is(err, ErrChanged) || InPlace(err) {
		t.Errorf("%v", err)
	}
	wantContent(t, path, "of another program")
}

// TestSweptDirectoryIsNotListed again.
func TestSweptDirectoryIsNotListed(t *testing.T) {
	for _, swept := range []bool{false, true} {
		path := newFile(t, "vault", oldContent, 0o600)
		lists := 0
		err := intercepted(quickSystem(), func(operation string) error {
			if operation == "list" {
				lists++
			}
			return nil
		}).replace(path, []byte(newContent), ReplaceOptions{Swept: swept})
		if err != nil || (lists == 0) != swept {
			t.Errorf("swept %v: listed %d times, %v", swept, lists, err)
		}
	}
}
