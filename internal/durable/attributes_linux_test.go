package durable

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// aclFor returns the value of system.posix_acl_access (version 2, linux/posix_acl_xattr.h) that lets user read.
func aclFor(user uint32) []byte {
	const unused = ^uint32(0)
	acl := binary.LittleEndian.AppendUint32(nil, 2)
	for _, e := range []struct {
		tag, perm uint16
		id        uint32
	}{
		{0x01, 6, unused}, // owner
		{0x02, 4, user},
		{0x04, 0, unused}, // group
		{0x10, 4, unused}, // mask
		{0x20, 0, unused}, // others
	} {
		acl = binary.LittleEndian.AppendUint16(acl, e.tag)
		acl = binary.LittleEndian.AppendUint16(acl, e.perm)
		acl = binary.LittleEndian.AppendUint32(acl, e.id)
	}
	return acl
}

func setOrSkip(t *testing.T, path, name string, value []byte) {
	t.Helper()
	err := unix.Setxattr(path, name, value, 0)
	if errors.Is(err, unix.ENOTSUP) || errors.Is(err, unix.EPERM) {
		t.Skipf("cannot set %s here: %v", name, err)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// likeWriters are the calls that give a file the attributes of another; each leaves its result at path+".out" or path.
var likeWriters = map[string]func(path string) (string, error){
	"Replace": func(path string) (string, error) { return path, Replace(path, []byte(newContent), ReplaceOptions{}) },
	"Create": func(path string) (string, error) {
		return path + ".out", Create(path+".out", []byte(newContent), CreateOptions{Like: path})
	},
	"Backup": func(path string) (string, error) { return path + ".out", Backup(path, path+".out") },
}

// keepsAttributes prepares a file, lets each writer make another like it, and compares all but the content.
func keepsAttributes(t *testing.T, prepare func(t *testing.T, path string)) {
	t.Helper()
	for name, write := range likeWriters {
		t.Run(name, func(t *testing.T) {
			path := newFile(t, "vault", oldContent, 0o600)
			prepare(t, path)
			want := readEntry(t, path)
			out, err := write(path)
			if err != nil {
				t.Fatal(err)
			}
			got := readEntry(t, out)
			got.content = want.content
			if !got.equal(want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

func TestKeepsMode(t *testing.T) {
	for _, mode := range []fs.FileMode{0o400, 0o440, 0o600, 0o666, 0o755, 0o700 | fs.ModeSetuid, 0o750 | fs.ModeSetgid | fs.ModeSticky} {
		keepsAttributes(t, func(t *testing.T, path string) {
			if err := os.Chmod(path, mode); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestKeepsOwner(t *testing.T) {
	needRoot(t)
	keepsAttributes(t, func(t *testing.T, path string) {
		if err := os.Chown(path, 12345, 54321); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, 0o640|fs.ModeSetgid|fs.ModeSetuid); err != nil {
			t.Fatal(err)
		}
	})
}

func TestKeepsUserXattrs(t *testing.T) {
	keepsAttributes(t, func(t *testing.T, path string) {
		setOrSkip(t, path, "user.empty", nil)
		setOrSkip(t, path, "user.binary", []byte("\x00\xff\n"))
		setOrSkip(t, path, "user.large", make([]byte, 1000))
		if err := os.Chmod(path, 0o400); err != nil {
			t.Fatal(err)
		}
	})
}

func TestKeepsPrivilegedXattrs(t *testing.T) {
	needRoot(t)
	keepsAttributes(t, func(t *testing.T, path string) {
		setOrSkip(t, path, "trusted.note", []byte("x"))
		// vfs_cap_data of revision 2 with CAP_NET_BIND_SERVICE (capabilities(7)); a change of owner drops it.
		capability := make([]byte, 20)
		binary.LittleEndian.PutUint32(capability, 0x02000000)
		binary.LittleEndian.PutUint32(capability[4:], 1<<10)
		if err := os.Chown(path, 12345, 54321); err != nil {
			t.Fatal(err)
		}
		setOrSkip(t, path, "security.capability", capability)
	})
}

func TestKeepsACL(t *testing.T) {
	keepsAttributes(t, func(t *testing.T, path string) {
		setOrSkip(t, path, aclXattr, aclFor(12345))
	})
}

// TestDropsInheritedACL has a directory that hands an access list to every new file in it, which the old file lacks: it
// must not open the new one to anybody.
func TestDropsInheritedACL(t *testing.T) {
	keepsAttributes(t, func(t *testing.T, path string) {
		if err := os.Chmod(path, 0o644); err != nil {
			t.Fatal(err)
		}
		setOrSkip(t, filepath.Dir(path), "system.posix_acl_default", aclFor(12345))
	})
}

// TestTempFileIsPrivate looks at the temporary file at each operation until it is renamed.
func TestTempFileIsPrivate(t *testing.T) {
	path := newFile(t, "vault", oldContent, 0o666)
	seen := 0
	sys := intercepted(realSystem(), func(operation string) error {
		for _, stray := range strays(t, filepath.Dir(path)) {
			if info, err := os.Lstat(stray); err == nil && operation == "write" {
				seen++
				if info.Mode() != 0o600 {
					t.Errorf("mode %v when it is written", info.Mode())
				}
			}
		}
		return nil
	})
	if err := sys.replace(path, []byte(newContent), ReplaceOptions{}); err != nil {
		t.Fatal(err)
	}
	if seen != 1 {
		t.Errorf("temporary file seen %d times", seen)
	}
}

// TestRefusesLostAttributes has the kernel or the file system refuse or ignore each attribute.
func TestRefusesLostAttributes(t *testing.T) {
	path := newFile(t, "vault", oldContent, 0o640)
	setOrSkip(t, path, "user.note", []byte("x"))
	if os.Geteuid() == 0 {
		if err := os.Chown(path, 12345, 54321); err != nil {
			t.Fatal(err)
		}
	}
	before := snapshot(t, filepath.Dir(path))
	for name, spoil := range map[string]func(*system){
		"mode ignored": func(sys *system) { sys.chmod = func(*os.File, fs.FileMode) error { return nil } },
		"mode refused": func(sys *system) { sys.chmod = func(*os.File, fs.FileMode) error { return unix.EPERM } },
		"owner ignored": func(sys *system) {
			if os.Geteuid() == 0 {
				sys.chown = func(*os.File, int, int) error { return nil }
			} else {
				sys.chmod = func(*os.File, fs.FileMode) error { return unix.EPERM }
			}
		},
		"xattr refused": func(sys *system) { sys.setXattr = func(*os.File, string, []byte) error { return unix.ENOTSUP } },
	} {
		sys := realSystem()
		spoil(sys)
		if err := sys.replace(path, []byte(newContent), ReplaceOptions{}); !errors.Is(err, ErrAttributes) {
			t.Errorf("%s: Replace: %v", name, err)
		}
		if err := sys.checkReplaceable(path); !errors.Is(err, ErrAttributes) {
			t.Errorf("%s: CheckReplaceable: %v", name, err)
		}
		sameEntries(t, snapshot(t, filepath.Dir(path)), before)
	}
}

// TestReadSized covers an extended attribute that grows, or shrinks, between the two calls that read it.
func TestReadSized(t *testing.T) {
	for _, sizes := range [][]int{{0}, {5, 5}, {5, 3}, {5, 9, 9, 9}, {5, 0}} {
		calls := 0
		got, err := readSized(func(p []byte) (int, error) {
			size := sizes[calls]
			calls++
			if len(p) > 0 && size > len(p) {
				return 0, unix.ERANGE
			}
			return size, nil
		})
		if err != nil || len(got) != sizes[len(sizes)-1] || calls != len(sizes) {
			t.Errorf("sizes %v: %d bytes after %d calls, %v", sizes, len(got), calls, err)
		}
	}
}

// TestLabelOfKernel covers security labels: set by the kernel to the right value, they need no privilege to keep.
func TestLabelOfKernel(t *testing.T) {
	path := newFile(t, "vault", oldContent, 0o600)
	sys := realSystem()
	sys.xattrs = func(f *os.File) (map[string][]byte, error) {
		xattrs := map[string][]byte{"security.selinux": []byte("label")}
		if filepath.Base(f.Name()) == "vault" {
			xattrs["security.ima"] = []byte("digest of the old content")
		}
		return xattrs, nil
	}
	sys.setXattr = func(_ *os.File, name string, _ []byte) error {
		t.Errorf("set %s", name)
		return nil
	}
	if err := sys.replace(path, []byte(newContent), ReplaceOptions{}); err != nil {
		t.Error(err)
	}
}
