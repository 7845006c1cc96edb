package keysource

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mazevault/vault-tool/internal/posixacl"
)

const (
	keyOwner = 2001
	stranger = 2002
)

// plant gives the files, links included, to uid.
func plant(t *testing.T, uid int, paths ...string) {
	t.Helper()
	for _, path := range paths {
		if err := os.Lchown(path, uid, uid); err != nil {
			t.Fatal(err)
		}
	}
}

func link(t *testing.T, target, path string) string {
	t.Helper()
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestForeignSuccessor has successors that somebody else has made, or leads to: none is used.
func TestForeignSuccessor(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("giving a file away takes root")
	}
	tests := []struct {
		name  string
		plant func(t *testing.T, key, next string)
		want  error // nil: it is used
	}{
		{"root's", func(t *testing.T, _, next string) { writeKey(t, next, "next", 0o400) }, nil},
		{"the key owner's", func(t *testing.T, _, next string) {
			writeKey(t, next, "next", 0o400)
			plant(t, keyOwner, next)
		}, nil},
		{"a stranger's", func(t *testing.T, _, next string) {
			writeKey(t, next, "next", 0o400)
			plant(t, stranger, next)
		}, ErrForeign},
		{"a stranger's link to a file of root's", func(t *testing.T, _, next string) {
			writeKey(t, next+".target", "next", 0o400)
			plant(t, stranger, link(t, next+".target", next))
		}, ErrForeign},
		{"root's link to a stranger's link to a file of root's", func(t *testing.T, _, next string) {
			writeKey(t, next+".target", "next", 0o400)
			plant(t, stranger, link(t, filepath.Base(next)+".target", next+".hop"))
			link(t, next+".hop", next)
		}, ErrForeign},
		{"a stranger's link as a directory on the way", func(t *testing.T, _, next string) {
			dir := filepath.Dir(next)
			if err := os.Mkdir(filepath.Join(dir, "v1"), 0o755); err != nil {
				t.Fatal(err)
			}
			writeKey(t, filepath.Join(dir, "v1", "next"), "next", 0o400)
			plant(t, stranger, link(t, "v1", filepath.Join(dir, "..data")))
			link(t, "..data/next", next)
		}, ErrForeign},
		{"a Kubernetes secret: links of one owner", func(t *testing.T, _, next string) {
			dir := filepath.Dir(next)
			if err := os.Mkdir(filepath.Join(dir, "v1"), 0o755); err != nil {
				t.Fatal(err)
			}
			writeKey(t, filepath.Join(dir, "v1", "next"), "next", 0o400)
			plant(t, keyOwner, link(t, "v1", filepath.Join(dir, "..data")), link(t, "..data/next", next), filepath.Join(dir, "v1", "next"))
		}, nil},
		{"a hard link", func(t *testing.T, _, next string) {
			writeKey(t, next+".other", "next", 0o400)
			if err := os.Link(next+".other", next); err != nil {
				t.Fatal(err)
			}
		}, ErrStat},
		{"a pipe", func(t *testing.T, _, next string) {
			if err := unix.Mkfifo(next, 0o400); err != nil {
				t.Fatal(err)
			}
		}, ErrStat},
		{"a directory", func(t *testing.T, _, next string) {
			if err := os.Mkdir(next, 0o700); err != nil {
				t.Fatal(err)
			}
		}, ErrStat},
		{"a circle of links", func(t *testing.T, _, next string) { link(t, next, next) }, ErrStat},
		{"a link to nothing", func(t *testing.T, _, next string) { link(t, next+".none", next) }, fs.ErrNotExist},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			key := filepath.Join(t.TempDir(), "vault.key")
			writeKey(t, key, "current", 0o400)
			plant(t, keyOwner, key)
			next := key + SuccessorSuffix
			tt.plant(t, key, next)
			called := false
			used, err := NewFile(key).Successor(t.Context(), func([]byte) error { called = true; return nil })
			switch {
			case tt.want == nil && (used != next || err != nil || !called):
				t.Errorf("not used: %q, %v", used, err)
			case tt.want == fs.ErrNotExist && (used != "" || err != nil || called):
				t.Errorf("as if something were there: %q, %v", used, err)
			case tt.want != nil && (used != "" || called):
				t.Errorf("used: %q", used)
			case tt.want != nil && tt.want != fs.ErrNotExist:
				wantError(t, err, tt.want)
			}
		})
	}
}

// TestSuccessorBesideTarget refuses a stranger's beside the link and uses a good one beside the link's target.
func TestSuccessorBesideTarget(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("giving a file away takes root")
	}
	dir, other := t.TempDir(), t.TempDir()
	key := filepath.Join(dir, "vault.key")
	writeKey(t, key, "current", 0o400)
	given := link(t, key, filepath.Join(other, "vault.key"))
	writeKey(t, given+SuccessorSuffix, "evil", 0o400)
	plant(t, stranger, given+SuccessorSuffix)
	used, err := NewFile(given).Successor(t.Context(), func([]byte) error { return nil })
	if used != "" || !errors.Is(err, ErrForeign) {
		t.Errorf("used %q, %v", used, err)
	}
	writeKey(t, key+SuccessorSuffix, "good", 0o400)
	used, err = NewFile(given).Successor(t.Context(), func([]byte) error { return nil })
	if used != key+SuccessorSuffix || err != nil {
		t.Errorf("used %q, %v", used, err)
	}
}

type ownedInfo struct {
	fs.FileInfo
	uid uint32
}

func (i ownedInfo) Sys() any { return &syscall.Stat_t{Uid: i.uid} }

// TestOverflowUID: in a user namespace the uid of all unknown users is believed for a key of that uid only.
func TestOverflowUID(t *testing.T) {
	const overflow = 65534
	in := func(uid uint32) bool { return uid == overflow }
	outside := func(uint32) bool { return false }
	tests := []struct {
		name   string
		o      owners
		uid    uint32
		accept bool
	}{
		{"nobody's file for nobody, no namespace", owners{keyUID: 5, hasKey: true, caller: overflow, strange: outside}, overflow, true},
		{"an unknown user's file for the caller of that number", owners{keyUID: 5, hasKey: true, caller: overflow, strange: in}, overflow, false},
		{"an unknown user's file for a key of an unknown user", owners{keyUID: overflow, hasKey: true, caller: 5, strange: in}, overflow, true},
		{"the caller's file for a key of an unknown user", owners{keyUID: overflow, hasKey: true, caller: 5, strange: in}, 5, true},
		{"root's file without a key", owners{caller: 5, strange: in}, 0, true},
		{"a stranger's file without a key", owners{caller: 5, strange: in}, 6, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.o.accept("next", ownedInfo{uid: tt.uid}); (err == nil) != tt.accept {
				t.Errorf("error %v, want accepted: %v", err, tt.accept)
			}
		})
	}
}

// TestAccessControlList accepts what systemd makes for a service's user, and nothing beyond.
func TestAccessControlList(t *testing.T) {
	const me = 1000
	type entry = posixacl.Entry
	owner, mask, other := entry{Tag: posixacl.UserObj, May: posixacl.Read}, entry{Tag: posixacl.Mask, May: posixacl.Read}, entry{Tag: posixacl.Other}
	group, mine := entry{Tag: posixacl.GroupObj}, entry{Tag: posixacl.User, May: posixacl.Read, ID: me}
	both := posixacl.Read | posixacl.Write
	tests := []struct {
		name string
		list posixacl.List
		want bool
	}{
		{"a systemd credential", posixacl.List{owner, mine, group, mask, other}, true},
		{"another user's", posixacl.List{owner, {Tag: posixacl.User, May: posixacl.Read, ID: 1001}, group, mask, other}, false},
		{"mine and another's", posixacl.List{owner, mine, {Tag: posixacl.User, May: posixacl.Read, ID: 1001}, group, mask, other}, false},
		{"another's, masked", posixacl.List{owner, mine, {Tag: posixacl.User, May: posixacl.Write, ID: 1001}, group, mask, other}, true},
		{"mine to write", posixacl.List{owner, {Tag: posixacl.User, May: both, ID: me}, group, {Tag: posixacl.Mask, May: both}, other}, false},
		{"the group's too", posixacl.List{owner, mine, {Tag: posixacl.GroupObj, May: posixacl.Read}, mask, other}, false},
		{"another group's too", posixacl.List{owner, mine, group, {Tag: posixacl.Group, May: posixacl.Read, ID: 50}, mask, other}, false},
		{"others' too", posixacl.List{owner, mine, group, mask, {Tag: posixacl.Other, May: posixacl.Read}}, false},
		{"nobody named", posixacl.List{owner, group, other}, false},
		{"empty", nil, false},
	}
	for _, tt := range tests {
		if got := namesOnly(tt.list, me); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

// TestAccessControlListOfFile reads a list from a file.
func TestAccessControlListOfFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vault.key")
	writeKey(t, path, "secret", 0o400)
	for id, want := range map[uint32]error{uint32(os.Geteuid()): nil, uint32(os.Geteuid()) + 1: ErrPermissive} {
		list := posixacl.List{
			{Tag: posixacl.UserObj, May: posixacl.Read}, {Tag: posixacl.User, May: posixacl.Read, ID: id}, {Tag: posixacl.GroupObj},
			{Tag: posixacl.Mask, May: posixacl.Read}, {Tag: posixacl.Other},
		}
		if err := unix.Setxattr(path, posixacl.Attribute, list.Encode(), 0); err != nil {
			t.Skip("no access control lists on this file system: ", err)
		}
		if _, err := read(NewFile(path)); want == nil && err != nil || want != nil && !errors.Is(err, want) {
			t.Errorf("uid %d: %v", id, err)
		}
	}
}

// TestPipeHonoursContext: no reading waits for a pipe's writer longer than its context lives.
func TestPipeHonoursContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vault.key")
	if err := unix.Mkfifo(path, 0o400); err != nil {
		t.Fatal(err)
	}
	f := NewFile(path)
	defer f.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	waiting := make(chan error, 2)
	for range 2 { // the second waits for the first
		go func() { waiting <- f.Passphrase(ctx, func([]byte) error { return nil }) }()
	}
	for range 2 {
		select {
		case err := <-waiting:
			wantError(t, err, ctx.Err())
		case <-time.After(10 * time.Second):
			t.Fatal("waits for the pipe")
		}
	}

	go func() { _ = os.WriteFile(path, []byte("late\n"), 0) }()
	wantPassphrase(t, f, "late")
	wantPassphrase(t, f, "late")
}

// TestPermissivePipe is refused for its mode before anybody waits for its writer.
func TestPermissivePipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vault.key")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	_, err := read(NewFile(path))
	wantError(t, err, ErrPermissive)
}

// TestFileBecomesPipe: a pipe in the place of a key file that was read before is no key.
func TestFileBecomesPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vault.key")
	writeKey(t, path, "secret", 0o400)
	f := NewFile(path)
	defer f.Close()
	wantPassphrase(t, f, "secret")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mkfifo(path, 0o400); err != nil {
		t.Fatal(err)
	}
	_, err := read(f)
	wantError(t, err, ErrStat)
}

// TestCloseDuringUse wipes what a pipe held behind its last use.
func TestCloseDuringUse(t *testing.T) {
	f := NewFile(descriptorPath(pipeWith(t, "secret")))
	err := f.Passphrase(t.Context(), func(passphrase []byte) error {
		f.Close()
		if string(passphrase) != "secret" {
			t.Errorf("the passphrase became %q", passphrase)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	_, err = read(f)
	wantError(t, err, os.ErrClosed)
}

func TestReplacement(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("giving a file away takes root")
	}
	dir := t.TempDir()
	key, next := filepath.Join(dir, "vault.key"), filepath.Join(dir, "next.key")
	writeKey(t, key, "current", 0o400)
	writeKey(t, next, "next", 0o400)
	plant(t, keyOwner, key)
	for uid, want := range map[int]error{0: nil, keyOwner: nil, stranger: ErrForeign} {
		plant(t, uid, next)
		if _, err := read(NewReplacement(next, key)); !errors.Is(err, want) {
			t.Errorf("of uid %d: %v", uid, err)
		}
	}
	plant(t, 0, next)
	plant(t, stranger, link(t, next, filepath.Join(dir, "link.key")))
	_, err := read(NewReplacement(filepath.Join(dir, "link.key"), key))
	wantError(t, err, ErrForeign)
}
