package durable

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mazevault/vault-tool/internal/testdir"
)

const (
	nobody = 65534

	immutableFlag = 0x10 // FS_IMMUTABLE_FL of linux/fs.h
)

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
}

// asNobody runs f with the file system rights of an ordinary user. Root takes them on one thread, which ends with its
// goroutine (setfsuid(2) drops the capabilities that override permissions).
func asNobody(t *testing.T, f func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		f()
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // for good: the thread is of no use to others
		for _, call := range []struct{ number, a, b uintptr }{
			{unix.SYS_SETGROUPS, 0, 0}, {unix.SYS_SETFSGID, nobody, 0}, {unix.SYS_SETFSUID, nobody, 0},
		} {
			if _, _, errno := unix.RawSyscall(call.number, call.a, call.b, 0); errno != 0 {
				t.Error(errno)
				return
			}
		}
		f()
	}()
	<-done
}

func TestReadOnlyDirectory(t *testing.T) {
	path := newFile(t, "vault", oldContent, 0o644)
	dir := filepath.Dir(path)
	testdir.Open(t, filepath.Dir(path))
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(dir, 0o700) })
	before := snapshot(t, dir)
	asNobody(t, func() {
		_, lockErr := Lock(t.Context(), path, 0)
		for what, err := range map[string]error{
			"Replace":          Replace(path, []byte(newContent), ReplaceOptions{}),
			"CheckReplaceable": CheckReplaceable(path),
			"Create":           Create(path+".new", nil, CreateOptions{}),
			"Backup":           Backup(path, path+".bak"),
			"Rename":           Rename(path, path+".new"),
			"Lock":             lockErr,
		} {
			if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), dir) {
				t.Errorf("%s: %v", what, err)
			}
		}
	})
	sameEntries(t, snapshot(t, dir), before)
}

// TestForeignOwner has an ordinary user write to a directory that holds a file of root.
func TestForeignOwner(t *testing.T) {
	needRoot(t)
	path := newFile(t, "vault", oldContent, 0o644)
	dir := filepath.Dir(path)
	testdir.Open(t, filepath.Dir(path))
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	before := snapshot(t, dir)
	asNobody(t, func() {
		_, lockErr := Lock(t.Context(), path, 0)
		for what, err := range map[string]error{
			"Replace":          Replace(path, []byte(newContent), ReplaceOptions{}),
			"CheckReplaceable": CheckReplaceable(path),
			"Create":           Create(path+".new", nil, CreateOptions{Like: path}),
			"Backup":           Backup(path, path+".bak"),
			"Lock":             lockErr,
		} {
			if !errors.Is(err, ErrAttributes) {
				t.Errorf("%s: %v", what, err)
			}
		}
	})
	sameEntries(t, snapshot(t, dir), before)
	noStrays(t, dir)

	// A group that the user is not in is refused as well.
	if err := os.Chown(path, nobody, 0); err != nil {
		t.Fatal(err)
	}
	before = snapshot(t, dir)
	asNobody(t, func() {
		if err := Replace(path, []byte(newContent), ReplaceOptions{}); !errors.Is(err, ErrAttributes) {
			t.Errorf("foreign group: %v", err)
		}
	})
	sameEntries(t, snapshot(t, dir), before)
}

func TestUnreadableFile(t *testing.T) {
	path := newFile(t, "vault", oldContent, 0)
	testdir.Open(t, filepath.Dir(path))
	asNobody(t, func() {
		if err := Replace(path, nil, ReplaceOptions{}); !errors.Is(err, fs.ErrPermission) {
			t.Error(err)
		}
	})
}

// TestSweepForeignTemp has an ordinary user meet a temporary file that it may not open: it stays, and is in nobody's way. One that
// another user has put there is no failure either.
func TestSweepForeignTemp(t *testing.T) {
	needRoot(t)
	const another = 65533
	for owner, want := range map[int]error{0: fs.ErrPermission, another: nil} { // asNobody changes what is allowed, not os.Geteuid
		t.Run(strconv.Itoa(owner), func(t *testing.T) { sweepForeignTemp(t, owner, want) })
	}
}

func sweepForeignTemp(t *testing.T, owner int, want error) {
	path := newFile(t, "vault", oldContent, 0o644)
	dir := filepath.Dir(path)
	testdir.Open(t, filepath.Dir(path))
	planted := filepath.Join(dir, tempName("vault"))
	putFile(t, planted, "", 0)
	if err := errors.Join(os.Chmod(dir, 0o777|os.ModeSticky), os.Chown(path, nobody, nobody), os.Chown(planted, owner, 0)); err != nil {
		t.Fatal(err)
	}
	asNobody(t, func() {
		if err := Sweep(path); !errors.Is(err, want) {
			t.Errorf("Sweep: %v, want %v", err, want)
		}
		if err := Replace(path, []byte(newContent), ReplaceOptions{}); err != nil {
			t.Errorf("Replace: %v", err)
		}
	})
	if len(strays(t, dir)) != 1 {
		t.Error("the foreign file is gone")
	}
	if err := Sweep(path); err != nil {
		t.Errorf("Sweep by root: %v", err)
	}
	noStrays(t, dir)
}

func TestLockFileOwner(t *testing.T) {
	needRoot(t)
	path := newFile(t, "vault", oldContent, 0o644)
	testdir.Open(t, filepath.Dir(path))
	if err := os.Chown(path, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	if err := mustLock(t, path).Unlock(); err != nil {
		t.Fatal(err)
	}
	if e := readEntry(t, path+lockSuffix); e.uid != nobody || e.gid != nobody || e.mode != 0o600 {
		t.Errorf("lock file is %v", e)
	}
	asNobody(t, func() {
		l, err := Lock(t.Context(), path, 0)
		if err != nil {
			t.Errorf("owner of the file: %v", err)
			return
		}
		_ = l.Unlock()
	})

	// A lock file that exists is never given away: it may be a link to any file.
	victim := filepath.Join(filepath.Dir(path), "victim")
	putFile(t, victim, "", 0o600)
	if err := errors.Join(os.Remove(path+lockSuffix), os.Link(victim, path+lockSuffix)); err != nil {
		t.Fatal(err)
	}
	if err := mustLock(t, path).Unlock(); err != nil {
		t.Fatal(err)
	}
	if e := readEntry(t, victim); e.uid != 0 || e.gid != 0 {
		t.Errorf("file behind the lock file now belongs to %d:%d", e.uid, e.gid)
	}
}

func TestRefusesPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mkfifo(path+".x"+lockSuffix, 0o600); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := Replace(path, nil, ReplaceOptions{}); !errors.Is(err, ErrNotRegular) {
			t.Errorf("Replace: %v", err)
		}
		if err := Replace("/dev/null", nil, ReplaceOptions{}); !errors.Is(err, ErrNotRegular) {
			t.Errorf("device: %v", err)
		}
		if _, err := Lock(t.Context(), path+".x", 0); !errors.Is(err, ErrNotRegular) {
			t.Errorf("Lock: %v", err)
		}
		// A pipe that takes the place of a file after that was looked at.
		sys := realSystem()
		sys.lstat = func(*directory, string) (fs.FileInfo, error) { return os.Stat(os.Args[0]) }
		if err := sys.replace(path, nil, ReplaceOptions{}); !errors.Is(err, ErrNotRegular) {
			t.Errorf("Replace of a late pipe: %v", err)
		}
	}()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("hangs on a named pipe")
	}
}

// mount mounts and unmounts with the test, which is skipped where that is not allowed.
func mount(t *testing.T, source, target, kind string, flags uintptr, options string) {
	t.Helper()
	needRoot(t)
	if err := unix.Mount(source, target, kind, flags, options); err != nil {
		t.Skipf("cannot mount: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(target, unix.MNT_DETACH); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
}

func TestRefusesMountPoint(t *testing.T) {
	needRoot(t)
	source := newFile(t, "source", oldContent, 0o600)
	path := newFile(t, "vault", "", 0o600)
	link := path + ".link"
	symlink(t, "vault", link)
	mount(t, source, path, "", unix.MS_BIND, "")
	dir := filepath.Dir(path)
	before := snapshot(t, dir)
	blind := realSystem() // a kernel before 5.8, which does not tell
	blind.mounted = func(*directory, string) bool { return false }
	plain := realSystem()
	plain.mounted, plain.exchange = blind.mounted, func(*directory, string, string) error { return unix.ENOSYS }
	other := newFile(t, "other", newContent, 0o600)
	for what, err := range map[string]error{
		"Replace":                  Replace(path, []byte(newContent), ReplaceOptions{}),
		"Replace through link":     Replace(link, []byte(newContent), ReplaceOptions{}),
		"CheckReplaceable":         CheckReplaceable(path),
		"Backup":                   Backup(other, path),
		"Replace, exchange fails":  blind.replace(path, []byte(newContent), ReplaceOptions{}),
		"Replace, rename fails":    plain.replace(path, []byte(newContent), ReplaceOptions{}),
		"Rename of a mounted file": Rename(path, path+".new"),
	} {
		if !errors.Is(err, ErrMountPoint) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", what, err)
		}
		sameEntries(t, snapshot(t, dir), before)
	}
	wantContent(t, source, oldContent)
}

func TestFullDisk(t *testing.T) {
	needRoot(t)
	dir := t.TempDir()
	mount(t, "tmpfs", dir, "tmpfs", 0, "size=64k,mode=0755")
	path := filepath.Join(dir, "vault")
	putFile(t, path, strings.Repeat("o", 20_000), 0o640)
	before := snapshot(t, dir)
	large := []byte(strings.Repeat("n", 60_000))
	source := newFile(t, "source", string(large), 0o600)
	for what, err := range map[string]error{
		"Replace": Replace(path, large, ReplaceOptions{}),
		"Create":  Create(path+".new", large, CreateOptions{}),
		"Backup":  Backup(source, path),
	} {
		if !errors.Is(err, unix.ENOSPC) || !strings.Contains(err.Error(), "write temporary file in "+dir) {
			t.Errorf("%s: %v", what, err)
		}
	}
	sameEntries(t, snapshot(t, dir), before)
	if err := Replace(path, []byte(newContent), ReplaceOptions{}); err != nil {
		t.Errorf("what fits: %v", err)
	}
}

func TestReadOnlyFileSystem(t *testing.T) {
	needRoot(t)
	dir := t.TempDir()
	mount(t, "tmpfs", dir, "tmpfs", 0, "size=64k,mode=0755")
	path := filepath.Join(dir, "vault")
	putFile(t, path, oldContent, 0o600)
	if err := unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Skipf("cannot remount: %v", err)
	}
	_, lockErr := Lock(t.Context(), path, 0)
	for what, err := range map[string]error{
		"Replace": Replace(path, []byte(newContent), ReplaceOptions{}),
		"Create":  Create(path+".new", nil, CreateOptions{}),
		"Lock":    lockErr,
	} {
		if !errors.Is(err, unix.EROFS) {
			t.Errorf("%s: %v", what, err)
		}
	}
	wantContent(t, path, oldContent)
}

// TestImmutableFile covers chattr +i, under which the kernel refuses the exchange with EPERM.
func TestImmutableFile(t *testing.T) {
	needRoot(t)
	path := newFile(t, "vault", oldContent, 0o600)
	setFlags := func(flags int) error {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		return unix.IoctlSetPointerInt(int(f.Fd()), unix.FS_IOC_SETFLAGS, flags)
	}
	if err := setFlags(immutableFlag); err != nil {
		t.Skipf("no immutable files here: %v", err)
	}
	defer func() {
		if err := setFlags(0); err != nil {
			t.Error(err)
		}
	}()
	before := snapshot(t, filepath.Dir(path))
	if err := Replace(path, []byte(newContent), ReplaceOptions{}); !errors.Is(err, fs.ErrPermission) {
		t.Error(err)
	}
	sameEntries(t, snapshot(t, filepath.Dir(path)), before)
}

// TestProtectedLink has Resolve refuse a link that the kernel refuses to follow (protected_symlinks in sysctl(8)).
func TestProtectedLink(t *testing.T) {
	needRoot(t)
	setting, err := os.ReadFile("/proc/sys/fs/protected_symlinks")
	if err != nil || strings.TrimSpace(string(setting)) != "1" {
		t.Skip("links are not protected here")
	}
	file := newFile(t, "vault", oldContent, 0o600)
	public := t.TempDir()
	link := filepath.Join(public, "link")
	symlink(t, file, link)
	if err := errors.Join(os.Lchown(link, nobody, nobody), os.Chmod(public, 0o777|fs.ModeSticky)); err != nil {
		t.Fatal(err)
	}
	if got, err := Resolve(link); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("Resolve = %q, %v", got, err)
	}
}
