package durable

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"unicode/utf8"
)

func TestTempNames(t *testing.T) {
	long := strings.Repeat("x", maxNameBytes)
	wide := strings.Repeat("ü", maxNameBytes/2)
	bases := []string{"a", "a.b", "a.b.c", ".env", "a.0123456789abcdef", "a.lock", "a.lock.lock", "-", "a*", "[a]",
		long, long[1:], long[:200], long[:227], long[:228], wide}
	for _, base := range bases {
		name := tempName(base)
		if len(name) > maxNameBytes || !utf8.ValidString(name) || name == tempName(base) {
			t.Errorf("temporary name of %q is %q", base, name)
		}
		if lock := lockName(base); len(lock) > maxNameBytes || !strings.HasSuffix(lock, lockSuffix) {
			t.Errorf("lock name of %q is %q", base, lock)
		}
		for _, other := range bases {
			if isTempOf(name, other) != (other == base) {
				t.Errorf("isTempOf(%q, %q) = %v", name, other, !(other == base))
			}
		}
	}
	valid := ".a.0123456789abcdef" + tempSuffix
	if !isTempOf(valid, "a") {
		t.Errorf("isTempOf(%q) = false", valid)
	}
	for _, name := range []string{"", "a", "a.lock", valid[1:], valid + "x", strings.ToUpper(valid),
		".a." + tempSuffix, ".a.0123456789abcde" + tempSuffix, ".a.0123456789abcdeg" + tempSuffix,
		".a.b.0123456789abcdef" + tempSuffix, ".b.0123456789abcdef" + tempSuffix} {
		if isTempOf(name, "a") {
			t.Errorf("isTempOf(%q) = true", name)
		}
	}
}

func TestSweep(t *testing.T) {
	path := newFile(t, "a", oldContent, 0o600)
	dir := filepath.Dir(path)
	stale := func(base string) string {
		name := tempName(base)
		putFile(t, filepath.Join(dir, name), "stale", 0o400)
		return name
	}
	stale("a")
	stale("a")
	stale("a.lock")
	kept := []string{"a", stale("a.b"), stale("b"), stale("A.b")}

	linked := filepath.Join(dir, stale("a")) // as a kill between link and unlink leaves it
	if err := os.Link(linked, filepath.Join(dir, "hard")); err != nil {
		t.Skipf("no hard links here: %v", err)
	}
	kept = append(kept, "hard")

	directory := tempName("a")
	if err := os.Mkdir(filepath.Join(dir, directory), 0o700); err != nil {
		t.Fatal(err)
	}
	link := tempName("a")
	symlink(t, "a", filepath.Join(dir, link))
	kept = append(kept, directory, link)

	sys := realSystem()
	parent, base, err := sys.openParent(path)
	if err != nil {
		t.Fatal(err)
	}
	defer parent.close()
	live, err := sys.newTemp(parent, base)
	if err != nil {
		t.Fatal(err)
	}
	if err := Sweep(path); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	want := append(slices.Clone(kept), live.name)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("left %q, want %q", got, want)
	}

	// Its maker gone, the live one is stale.
	if err := sys.closeTemp(live); err != nil {
		t.Fatal(err)
	}
	if err := Sweep(path); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(filepath.Join(dir, live.name)); !os.IsNotExist(err) {
		t.Errorf("temporary file of a maker that is gone: %v", err)
	}
}

// TestWritersSweep has every writer remove what a killed one left.
func TestWritersSweep(t *testing.T) {
	for name, write := range map[string]func(path string) error{
		"Replace":          func(path string) error { return Replace(path, []byte(newContent), ReplaceOptions{}) },
		"CheckReplaceable": CheckReplaceable,
		"Create": func(path string) error {
			return errors.Join(os.Remove(path), Create(path, []byte(newContent), CreateOptions{}))
		},
		"Backup": func(path string) error { return Backup(path+".source", path) },
	} {
		t.Run(name, func(t *testing.T) {
			path := newFile(t, "vault", oldContent, 0o600)
			putFile(t, path+".source", oldContent, 0o600)
			dir := filepath.Dir(path)
			putFile(t, filepath.Join(dir, tempName("vault")), "stale", 0o600)
			putFile(t, filepath.Join(dir, tempName("vault.lock")), "", 0o600)
			if err := write(path); err != nil {
				t.Fatal(err)
			}
			noStrays(t, dir)
		})
	}
}

// TestSweptWhileMade covers a sweeper that comes between the creation of a temporary file and its lock.
func TestSweptWhileMade(t *testing.T) {
	for _, hold := range []bool{false, true} { // it is gone, or holds the lock and is about to unlink
		t.Run(fmt.Sprint("hold=", hold), func(t *testing.T) {
			path := newFile(t, "vault", oldContent, 0o600)
			sys := realSystem()
			create := sys.create
			trials := 0
			var finish []func() error
			sys.create = func(d *directory, name string) (*os.File, error) {
				f, err := create(d, name)
				if trials++; trials > 2 || err != nil {
					return f, err
				}
				if !hold {
					return f, sys.unlink(d, name)
				}
				sweeper, err := sys.open(d, name)
				if err != nil {
					t.Fatal(err)
				}
				if locked, err := tryLockFile(sweeper, true); !locked || err != nil {
					t.Fatal(locked, err)
				}
				finish = append(finish, func() error { return errors.Join(os.Remove(f.Name()), sweeper.Close()) })
				return f, nil
			}
			if err := sys.replace(path, []byte(newContent), ReplaceOptions{}); err != nil {
				t.Fatal(err)
			}
			for _, end := range finish {
				if err := end(); err != nil {
					t.Error(err)
				}
			}
			if trials != 3 {
				t.Errorf("%d trials for a temporary name, want 3", trials)
			}
			wantContent(t, path, newContent)
			noStrays(t, filepath.Dir(path))
		})
	}
}

// TestSweepSparesOthers has a temporary name taken by another file while the sweeper looks at it.
func TestSweepSparesOthers(t *testing.T) {
	path := newFile(t, "vault", oldContent, 0o600)
	stale := filepath.Join(filepath.Dir(path), tempName("vault"))
	putFile(t, stale, "stale", 0o600)
	sys := realSystem()
	tryLock := sys.tryLock
	sys.tryLock = func(f *os.File, exclusive bool) (bool, error) {
		if err := os.Rename(path, stale); err != nil {
			t.Fatal(err)
		}
		return tryLock(f, exclusive)
	}
	dir, base, err := sys.openParent(path)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.close()
	if err := sys.sweep(dir, base); err != nil {
		t.Fatal(err)
	}
	wantContent(t, stale, oldContent)
}

// TestSweepDuringReplace has another process sweep while the old file bears a temporary name, just before the sync of
// the directory fails and the old file is needed again.
func TestSweepDuringReplace(t *testing.T) {
	for _, lack := range [][]string{nil, {"exchange"}} {
		path := newFile(t, "vault", oldContent, 0o600)
		before := snapshot(t, filepath.Dir(path))
		swept := false
		err := intercepted(realSystem(), lacking(lack, func(operation string) error {
			if operation != "flushDir" || swept {
				return nil
			}
			swept = true
			if len(strays(t, filepath.Dir(path))) != 1 {
				t.Error("the old file has no temporary name")
			}
			return errors.Join(Sweep(path), syscall.EIO)
		})).replace(path, []byte(newContent), ReplaceOptions{})
		if !errors.Is(err, syscall.EIO) || errors.Is(err, ErrUnconfirmed) {
			t.Errorf("without %v: %v", lack, err)
		}
		sameEntries(t, snapshot(t, filepath.Dir(path)), before)
	}
}

func TestLongNames(t *testing.T) {
	for _, length := range []int{200, 227, 228, 250, 251, 255} {
		path := filepath.Join(t.TempDir(), strings.Repeat("n", length))
		if err := Create(path, []byte(oldContent), CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		l, err := Lock(t.Context(), path, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := Replace(path, []byte(newContent), ReplaceOptions{}); err != nil {
			t.Error(err)
		}
		if err := l.Unlock(); err != nil {
			t.Error(err)
		}
		wantContent(t, path, newContent)
		noStrays(t, filepath.Dir(path))
	}
}
