package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// quickSystem is the real one without the wait for the disk.
func quickSystem() *system {
	sys := realSystem()
	sys.sync = func(*os.File) error { return nil }
	sys.flushDir = func(*directory) error { return nil }
	return sys
}

// scenario is one call of this package in a directory of its own.
type scenario struct {
	name string
	run  func(sys *system, dir string) error

	// mayStand says that a failure may leave the new state, as ErrUnconfirmed.
	mayStand bool
}

var scenarios = []scenario{
	{name: "Replace", run: func(sys *system, dir string) error {
		keep := func(*os.File) error { return nil }
		return sys.replace(filepath.Join(dir, "vault"), []byte(newContent), ReplaceOptions{Verify: keep})
	}},
	{name: "Create", run: func(sys *system, dir string) error {
		return sys.createAt(filepath.Join(dir, "key"), []byte(newContent), CreateOptions{Mode: 0o400})
	}},
	{name: "CreateLike", run: func(sys *system, dir string) error {
		return sys.createAt(filepath.Join(dir, "key"), []byte(newContent), CreateOptions{Like: filepath.Join(dir, "vault")})
	}},
	{name: "BackupNew", run: func(sys *system, dir string) error {
		return sys.backup(filepath.Join(dir, "vault"), filepath.Join(dir, "vault.new"), 0)
	}},
	{name: "BackupOver", run: func(sys *system, dir string) error {
		return sys.backup(filepath.Join(dir, "vault"), filepath.Join(dir, "vault.bak"), 0)
	}},
	{name: "Rename", mayStand: true, run: func(sys *system, dir string) error {
		return sys.renameFile(filepath.Join(dir, "vault"), filepath.Join(dir, "vault.bak"))
	}},
	{name: "CheckReplaceable", run: func(sys *system, dir string) error {
		return sys.checkReplaceable(filepath.Join(dir, "vault"))
	}},
}

// kinds of file system: what is not offered by each.
var fileSystems = []struct {
	name string
	lack []string
}{
	{"complete", nil},
	{"noExchange", []string{"exchange", "renameNew"}},
	{"noLinks", []string{"exchange", "link"}},
}

// prepare makes the directory of a scenario: files with modes and, where there are any, extended attributes that are not
// those of a new file.
func prepare(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, mode := range map[string]fs.FileMode{"vault": 0o640, "vault.bak": 0o604} {
		path := filepath.Join(dir, name)
		putFile(t, path, oldContent+name, mode)
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		_ = setXattr(f, "user.note", []byte(name)) // not every file system can
		if os.Geteuid() == 0 {
			if err := f.Chown(12345, 54321); err != nil {
				t.Fatal(err)
			}
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func lacking(operations []string, then func(string) error) func(string) error {
	return func(operation string) error {
		if slices.Contains(operations, operation) {
			return syscall.EINVAL
		}
		return then(operation)
	}
}

// outcome runs the scenario without faults and returns the directory before and after.
func outcome(t *testing.T, s scenario, lack []string) (before, after map[string]entry) {
	t.Helper()
	dir := prepare(t)
	before = snapshot(t, dir)
	if err := s.run(intercepted(quickSystem(), lacking(lack, func(string) error { return nil })), dir); err != nil {
		t.Fatal(err)
	}
	return before, snapshot(t, dir)
}

// TestOrder pins the order on which durability rests: the content is on disk before it gets its name, the name before
// the old content goes, and the lock on the temporary file comes before anything is written to it.
func TestOrder(t *testing.T) {
	for _, test := range []struct {
		scenario int
		lack     []string
		want     string
	}{
		{0, nil, "create tryLock write chown setXattr chmod sync open exchange flushDir close unlink"},
		{0, []string{"exchange"}, "create tryLock write chown setXattr chmod sync open exchange link rename flushDir close unlink"},
		{1, nil, "create tryLock write chmod sync renameNew flushDir close"},
		{1, []string{"renameNew"}, "create tryLock write chmod sync renameNew link unlink flushDir close"},
		{4, nil, "create tryLock copy chown setXattr chmod sync exchange flushDir close unlink"},
		{5, nil, "rename flushDir"},
	} {
		dir := prepare(t)
		var got []string
		sys := intercepted(quickSystem(), func(operation string) error {
			switch operation {
			case "openDir", "list", "stat", "lstat", "xattrs":
			default:
				got = append(got, operation)
			}
			if slices.Contains(test.lack, operation) {
				return syscall.EINVAL
			}
			return nil
		})
		if err := scenarios[test.scenario].run(sys, dir); err != nil {
			t.Fatal(err)
		}
		if i := slices.Index(got, "create"); i > 0 {
			got = got[i:]
		}
		want := test.want
		for _, optional := range []string{"chown", "setXattr"} { // as root, and where there are extended attributes
			if !slices.Contains(got, optional) {
				want = strings.Replace(want, optional+" ", "", 1)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s without %v:\n got %s\nwant %s", scenarios[test.scenario].name, test.lack, strings.Join(got, " "), want)
		}
	}
}

// TestFaults makes each operation of each call fail in turn, with several errors.
func TestFaults(t *testing.T) {
	for _, system := range fileSystems {
		for _, s := range scenarios {
			t.Run(system.name+"/"+s.name, func(t *testing.T) {
				before, after := outcome(t, s, system.lack)
				reached := map[string]bool{}
				faults := []error{syscall.EIO, syscall.EINVAL, syscall.ENOSPC, syscall.EBUSY}
				if system.lack != nil {
					faults = faults[:2]
				}
				for _, fault := range faults {
					for n := 1; ; n++ {
						dir := prepare(t)
						failed, calls := "", 0
						err := s.run(intercepted(quickSystem(), lacking(system.lack, func(operation string) error {
							if calls++; calls != n {
								return nil
							}
							failed = operation
							return &fs.PathError{Op: operation, Path: "x", Err: fault}
						})), dir)
						if failed == "" {
							break
						}
						reached[failed] = true
						what := fmt.Sprintf("operation %d (%s) fails with %v", n, failed, fault)
						checkFault(t, what, failed, dir, err, fault, before, after, system.lack)
					}
				}
				t.Log("failed in turn:", reached)
			})
		}
	}
}

func checkFault(t *testing.T, what, failed, dir string, err, fault error, before, after map[string]entry, lack []string) {
	t.Helper()
	for _, stray := range strays(t, dir) {
		if failed != "unlink" {
			t.Errorf("%s: stray file %s", what, stray)
		}
	}
	if err := Sweep(filepath.Join(dir, "vault")); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"key", "vault.bak", "vault.new"} {
		if err := Sweep(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	noStrays(t, dir)
	// What a call may go on without, and what it has a substitute for when it is not offered.
	tolerated := []string{"list", "tryLock", "unlink", "link"}
	if fault == syscall.EINVAL {
		tolerated = append(tolerated, "exchange", "renameNew", "flushDir")
	}
	if strings.HasSuffix(t.Name(), "/CheckReplaceable") {
		tolerated = append(tolerated, "close") // of an empty file that is removed
	}
	want := before
	switch {
	case fault == syscall.EINVAL && failed == "flushDir" && err != nil:
		t.Errorf("%s, which says that there is nothing to do: %v", what, err)
	case err == nil && !slices.Contains(tolerated, failed):
		t.Errorf("%s: no error", what)
	case err == nil:
		want = after
	case !errors.Is(err, fault) || !strings.Contains(err.Error(), dir):
		t.Errorf("%s: error tells neither fault nor path: %v", what, err)
	case errors.Is(err, ErrUnconfirmed):
		// Only where nothing can take the rename back.
		if !slices.Contains(lack, "link") && !strings.Contains(t.Name(), "/Rename") {
			t.Errorf("%s: %v", what, err)
		}
		want = after
	}
	if t.Failed() {
		return
	}
	if sameEntries(t, snapshot(t, dir), want); t.Failed() {
		t.Fatalf("%s: error %v", what, err)
	}
}

// TestDeath lets each operation of each call be the last one with an effect, as after a kill. What stands then must be
// the old state or the new one, but for temporary files, and the same call made again must succeed.
func TestDeath(t *testing.T) {
	for _, system := range fileSystems {
		for _, s := range scenarios {
			t.Run(system.name+"/"+s.name, func(t *testing.T) {
				before, after := outcome(t, s, system.lack)
				for n := 1; ; n++ {
					dir := prepare(t)
					calls := 0
					_ = s.run(intercepted(quickSystem(), lacking(system.lack, func(string) error {
						if calls++; calls > n {
							return errors.New("dead")
						}
						return nil
					})), dir)
					if calls <= n {
						break
					}
					state := snapshot(t, dir)
					for name := range state {
						if strings.HasSuffix(name, tempSuffix) {
							delete(state, name)
						}
					}
					if !equalEntries(state, before) && !equalEntries(state, after) {
						t.Errorf("dead after operation %d: directory holds %v", n, state)
					}
					err := s.run(quickSystem(), dir)
					done := errors.Is(err, fs.ErrExist) || s.name == "Rename" && errors.Is(err, fs.ErrNotExist)
					if err != nil && !(done && equalEntries(state, after)) {
						t.Errorf("dead after operation %d, run again: %v", n, err)
					}
					for _, name := range []string{"vault", "key", "vault.bak", "vault.new"} {
						if err := Sweep(filepath.Join(dir, name)); err != nil {
							t.Error(err)
						}
					}
					sameEntries(t, snapshot(t, dir), after)
					if t.Failed() {
						return
					}
				}
			})
		}
	}
}

// TestNoWayBack has the directory sync fail and then the way back too: the error must say so, the new content be whole.
func TestNoWayBack(t *testing.T) {
	for _, s := range scenarios[:2] {
		dir := prepare(t)
		broken := false
		err := s.run(intercepted(quickSystem(), func(operation string) error {
			broken = broken || operation == "flushDir"
			if broken && operation != "close" {
				return syscall.EIO
			}
			return nil
		}), dir)
		if !errors.Is(err, ErrUnconfirmed) || !errors.Is(err, syscall.EIO) {
			t.Errorf("%s: %v", s.name, err)
		}
		name := map[string]string{"Replace": "vault", "Create": "key"}[s.name]
		wantContent(t, filepath.Join(dir, name), newContent)
		if err := Sweep(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
		noStrays(t, dir)
	}
}

// TestLockFaults makes each operation of the making of a lock file fail, and be the last: nobody must be locked out.
func TestLockFaults(t *testing.T) {
	for _, dead := range []bool{false, true} {
		for n := 1; ; n++ {
			dir := prepare(t)
			path := filepath.Join(dir, "vault")
			before := snapshot(t, dir)
			calls, failed := 0, ""
			l, err := intercepted(quickSystem(), func(operation string) error {
				if calls++; calls == n || dead && calls > n {
					failed = operation
					return syscall.EIO
				}
				return nil
			}).lock(t.Context(), path, 0)
			if failed == "" {
				_ = l.Unlock()
				break
			}
			if err == nil {
				_ = l.Unlock()
			} else if !errors.Is(err, syscall.EIO) || !strings.Contains(err.Error(), dir) {
				t.Errorf("%s: %v", failed, err)
			}
			if !dead && failed != "unlink" {
				noStrays(t, dir)
			}
			if err := Sweep(path); err != nil {
				t.Error(err)
			}
			sameEntries(t, snapshot(t, dir), before)
			if info, err := os.Lstat(path + lockSuffix); err == nil {
				guarded, _ := os.Lstat(path)
				haveUID, _, _ := ownerOf(info)
				wantUID, _, _ := ownerOf(guarded)
				if haveUID != wantUID {
					t.Errorf("%s fails: lock file belongs to %d instead of %d", failed, haveUID, wantUID)
				}
			}
			if err := mustLock(t, path).Unlock(); err != nil {
				t.Error(err)
			}
		}
	}
}
