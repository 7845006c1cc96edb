package main

import (
	"encoding/binary"
	"errors"
	"os"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// rewrites are the commands that put a new file in the vault's place.
var rewrites = map[string]struct {
	args  []string
	stdin string
	after map[string]string
}{
	"add":             {[]string{"add", "--name", "C"}, "new", withSecrets(someSecrets, "C", "new")},
	"rm":              {[]string{"rm", "A", "B"}, "", map[string]string{"SMTP_PASSWORD": someSecrets["SMTP_PASSWORD"]}},
	"encrypt --force": {[]string{"encrypt", "--force"}, `{"Z":"26"}`, map[string]string{"Z": "26"}},
	"rotate-key":      {[]string{"rotate-key", "--in-place"}, "", someSecrets},
	"migrate-env": {
		[]string{"migrate-env", "--env-file", ".env", "--prune"}, "",
		withSecrets(someSecrets, "DATABASE_URL", "postgres://u:p@db/x", "REDIS_PASSWORD", "s3cret"),
	},
}

// fileAttributes is what a rewrite keeps of a file.
type fileAttributes struct {
	mode     os.FileMode
	uid, gid uint32
	note     string // extended attribute user.note
	acl      string // POSIX access control list
}

func (f *folder) attributes(name string) fileAttributes {
	f.t.Helper()
	info, err := os.Lstat(f.path(name))
	if err != nil {
		f.t.Fatal(err)
	}
	stat := info.Sys().(*syscall.Stat_t)
	return fileAttributes{info.Mode(), stat.Uid, stat.Gid, f.xattr(name, "user.note"), f.xattr(name, aclName)}
}

const aclName = "system.posix_acl_access"

func (f *folder) xattr(name, attribute string) string {
	buffer := make([]byte, 256)
	n, err := unix.Getxattr(f.path(name), attribute, buffer)
	if err != nil {
		return ""
	}
	return string(buffer[:n])
}

// setXattr reports whether the file system has such attributes.
func (f *folder) setXattr(name, attribute, value string) bool {
	f.t.Helper()
	err := unix.Setxattr(f.path(name), attribute, []byte(value), 0)
	if errors.Is(err, unix.ENOTSUP) {
		f.t.Logf("the file system has no %s", attribute)
		return false
	}
	if err != nil {
		f.t.Fatal(err)
	}
	return true
}

// readableByUser is an access control list, as the kernel keeps it: rw for the owner, r for one more user,
// r for the group, nothing for others (linux/posix_acl_xattr.h).
func readableByUser(uid uint32) string {
	acl := binary.LittleEndian.AppendUint32(nil, 2) // POSIX_ACL_XATTR_VERSION
	entry := func(tag, permissions uint16, id uint32) {
		acl = binary.LittleEndian.AppendUint16(acl, tag)
		acl = binary.LittleEndian.AppendUint16(acl, permissions)
		acl = binary.LittleEndian.AppendUint32(acl, id)
	}
	const none = ^uint32(0)
	entry(0x01, 6, none) // ACL_USER_OBJ
	entry(0x02, 4, uid)  // ACL_USER
	entry(0x04, 4, none) // ACL_GROUP_OBJ
	entry(0x10, 4, none) // ACL_MASK
	entry(0x20, 0, none) // ACL_OTHER
	return string(acl)
}

// TestRewriteKeepsAttributes rewrites a vault and a .env file that have an owner, a group, a mode, an
// extended attribute and an access control list of their own.
func TestRewriteKeepsAttributes(t *testing.T) {
	for name, rewrite := range rewrites {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newVault(t, true, someSecrets)
			f.write(".env", crashEnv, 0o640)
			for file, mode := range map[string]os.FileMode{"secrets.vault": 0o640, "vault.key": 0o600} {
				if err := os.Chmod(f.path(file), mode); err != nil {
					t.Fatal(err)
				}
			}
			files := []string{"secrets.vault", ".env", "vault.key"}
			for i, file := range files {
				if os.Getuid() == 0 {
					if err := os.Chown(f.path(file), nobody-1, nobody-2-i); err != nil {
						t.Fatal(err)
					}
				}
				f.setXattr(file, "user.note", "kept for "+file)
				if file != "vault.key" { // the mask of a list is the group's part of a mode, which a key must not have
					f.setXattr(file, aclName, readableByUser(nobody))
				}
			}
			before := make(map[string]fileAttributes)
			for _, file := range files {
				before[file] = f.attributes(file)
			}
			inode := f.inode("secrets.vault")
			f.mustRun(rewrite.stdin, rewrite.args...)
			for _, file := range files {
				if now := f.attributes(file); now != before[file] {
					t.Errorf("%s has %+v instead of %+v", file, now, before[file])
				}
			}
			if f.inode("secrets.vault") == inode {
				t.Error("the vault was not replaced")
			}
			f.wantSecrets(rewrite.after)
		})
	}
}

func (f *folder) inode(name string) uint64 {
	f.t.Helper()
	info, err := os.Stat(f.path(name))
	if err != nil {
		f.t.Fatal(err)
	}
	return info.Sys().(*syscall.Stat_t).Ino
}

// TestRewriteFollowsLinks rewrites a vault, and with rotate-key a key, that are reached through a chain of
// symbolic links. The links stay, and lock and temporary files are made where the vault is.
func TestRewriteFollowsLinks(t *testing.T) {
	for name, rewrite := range rewrites {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newVault(t, true, someSecrets)
			f.write(".env", crashEnv, 0o640)
			linked := []string{"secrets.vault", "vault.key", ".env"}
			for _, dir := range []string{"real", "link"} {
				if err := os.Mkdir(f.path(dir), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			remove(f, "secrets.vault.lock")
			for _, file := range linked {
				for link, target := range map[string]string{f.path(file): "link/" + file, f.path("link/" + file): f.path("real/" + file)} {
					if link == f.path(file) {
						if err := os.Rename(link, f.path("real/"+file)); err != nil {
							t.Fatal(err)
						}
					}
					if err := os.Symlink(target, link); err != nil {
						t.Fatal(err)
					}
				}
			}
			before := f.inode("real/secrets.vault")
			f.mustRun(rewrite.stdin, rewrite.args...)
			f.wantSecrets(rewrite.after)
			if f.inode("real/secrets.vault") == before {
				t.Error("the vault was not replaced")
			}
			f.wantNames(append(linked, "real", "link")...)
			inLink, inReal := *f, *f
			inLink.dir, inReal.dir = f.path("link"), f.path("real")
			inLink.wantNames(linked...)
			inReal.wantNames(append(linked, "secrets.vault.lock", "secrets.vault.bak", "vault.key.old")...)
			for _, file := range linked {
				for _, link := range []string{file, "link/" + file} {
					if info, err := os.Lstat(f.path(link)); err != nil || info.Mode().Type() != os.ModeSymlink {
						t.Errorf("%s is no symbolic link any more (%v)", link, err)
					}
				}
			}
			f.mustRun("x", "add", "--name", "AFTER")
		})
	}
}

// TestHardLink is the documented limit: another hard link keeps the old content.
func TestHardLink(t *testing.T) {
	t.Parallel()
	f := newVault(t, true, someSecrets)
	if err := os.Link(f.path("secrets.vault"), f.path("other.vault")); err != nil {
		t.Fatal(err)
	}
	f.mustRun("new", "add", "--name", "C")
	f.wantSecrets(withSecrets(someSecrets, "C", "new"))
	f.mustRun("", "rm", "--vault-file", "other.vault", "A")
	f.wantSecrets(withSecrets(someSecrets, "C", "new"))
	if names := f.mustRun("", "list", "--vault-file", "other.vault"); names != "B\nSMTP_PASSWORD\n" {
		t.Errorf("other.vault holds %q", names)
	}
}
