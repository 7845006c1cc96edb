package checkup

import (
	"errors"
	"os"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mazevault/vault-tool/internal/posixacl"
)

func TestSoundHost(t *testing.T) {
	m := newHost(t)
	m.finds()
	m.Key = "" // in no file
	m.finds()
	m.Key, m.Vault = m.path("srv/none.key"), m.path("none/secrets.vault")
	m.finds()
}

func TestKeyMode(t *testing.T) {
	m := newHost(t)
	m.chmod("srv/vault.key", 0o440)
	m.mends(m.finds("error key-mode srv/vault.key"), "chmod 400 DIR/srv/vault.key", true)
	m.chmod("srv/vault.key", 0o600)
	m.finds()
	m.write("srv/vault.key.old", "an older key", 0o644)
	m.finds("error key-mode srv/vault.key.old", "info old-keys srv/vault.key.old")
}

func TestKeyLink(t *testing.T) {
	m := newHost(t)
	if err := os.Link(m.Key, m.path("other.key")); err != nil {
		t.Fatal(err)
	}
	m.mends(m.finds("warn key-link srv/vault.key"), `find "$(stat --format %m DIR/srv/vault.key)" -xdev -samefile DIR/srv/vault.key`, true)
}

func TestOwners(t *testing.T) {
	m := newHost(t)
	m.chown("srv/secrets.vault", vaultOwner, vaultOwner)
	m.chown("srv/vault.key", vaultOwner, vaultOwner)
	m.chown("srv", vaultOwner, vaultOwner)
	m.finds() // root looks after the files of another user
	m.Caller = vaultOwner
	m.finds()
	m.chown("srv/vault.key", stranger, stranger)
	m.mends(m.finds("error key-owner srv/vault.key"), "chown 2001 DIR/srv/vault.key", true)
	m.chown("srv/vault.key", 0, 0)
	m.chown("srv/secrets.vault", stranger, stranger)
	m.finds("error vault-owner srv/secrets.vault")
	m.chown("srv/secrets.vault", 0, 0)
	m.chown("srv", stranger, stranger)
	m.finds("error directory-owner srv")
}

func TestVaultMode(t *testing.T) {
	m := newHost(t)
	m.chmod("srv/secrets.vault", 0o640)
	m.finds()
	m.chmod("srv/secrets.vault", 0o644)
	m.mends(m.finds("warn vault-readable srv/secrets.vault"), "chmod o-r DIR/srv/secrets.vault", true)
	for _, mode := range []os.FileMode{0o660, 0o602, 0o666} {
		m.chmod("srv/secrets.vault", mode)
		m.mends(m.finds("error vault-mode srv/secrets.vault"), "chmod go-w DIR/srv/secrets.vault", true)
	}
}

func TestAccessLists(t *testing.T) {
	m := newHost(t)
	set := func(name string, list posixacl.List) {
		t.Helper()
		switch err := unix.Setxattr(m.path(name), posixacl.Attribute, list.Encode(), 0); {
		case errors.Is(err, unix.EOPNOTSUPP):
			t.Skip("no access control lists on this file system: ", err)
		case err != nil:
			t.Fatal(err)
		}
	}
	const all = posixacl.Read | posixacl.Write | posixacl.Execute
	granting := func(e posixacl.Entry) posixacl.List {
		list := posixacl.List{{Tag: posixacl.UserObj, May: all}, e, {Tag: posixacl.GroupObj}, {Tag: posixacl.Mask, May: all}, {Tag: posixacl.Other}}
		slices.SortFunc(list, func(a, b posixacl.Entry) int { return int(a.Tag) - int(b.Tag) }) // the kernel takes no other order
		return list
	}
	set("srv/vault.key", granting(posixacl.Entry{Tag: posixacl.User, May: posixacl.Read, ID: m.Caller}))
	m.finds() // as systemd makes it for a service
	set("srv/vault.key", granting(posixacl.Entry{Tag: posixacl.User, May: posixacl.Read, ID: stranger}))
	m.mends(m.finds("error key-acl srv/vault.key"), "setfacl --remove-all DIR/srv/vault.key && chmod 400 DIR/srv/vault.key", true)
	m.write("srv/other.key", "a key", 0o400)
	m.Key = m.path("srv/other.key")

	set("srv/secrets.vault", granting(posixacl.Entry{Tag: posixacl.Group, May: posixacl.Read, ID: stranger}))
	m.finds()
	set("srv/secrets.vault", granting(posixacl.Entry{Tag: posixacl.Group, May: posixacl.Write, ID: stranger}))
	m.finds("error vault-acl srv/secrets.vault")
	m.write("srv/other.vault", "a vault", 0o600)
	m.Vault = m.path("srv/other.vault")

	set("srv", granting(posixacl.Entry{Tag: posixacl.User, May: posixacl.Read | posixacl.Execute, ID: stranger}))
	m.finds()
	set("srv", granting(posixacl.Entry{Tag: posixacl.User, May: all, ID: stranger}))
	m.finds("warn directory-acl srv")
}

func TestDirectories(t *testing.T) {
	m := newHost(t)
	m.chmod("srv", 0o777)
	m.mends(m.finds("error directory-writable srv"), "chmod o-w DIR/srv", true)
	m.chmod("srv", 0o777|os.ModeSticky)
	m.finds("warn directory-shared srv")
	m.chmod("srv", 0o700)

	m.write("srv/app/secrets.vault", "a vault", 0o600)
	m.Vault = m.path("srv/app/secrets.vault")
	m.chmod("srv/app", 0o700)
	m.Key = ""
	m.chmod("srv", 0o777)
	m.finds("error directory-writable srv") // leads there
	m.chmod("srv", 0o777|os.ModeSticky)
	m.finds()
	m.chmod("srv", 0o770)
	m.finds() // the group is root's or the owner's
	m.chown("srv", os.Geteuid(), stranger)
	m.chmod("srv", 0o770)
	m.mends(m.finds("warn directory-group srv"), "chmod g-w DIR/srv", true)
}

// TestDirectoriesBehindLinks looks at where a link leads, and at whose it is.
func TestDirectoriesBehindLinks(t *testing.T) {
	m := newHost(t)
	m.write("open/real.vault", "a vault", 0o600)
	m.chmod("open", 0o777)
	if err := os.Symlink("../open/real.vault", m.path("srv/linked.vault")); err != nil {
		t.Fatal(err)
	}
	m.Vault = m.path("srv/linked.vault")
	m.finds("error directory-writable open")
	m.chmod("open", 0o700)
	if err := os.Symlink("srv", m.path("way")); err != nil {
		t.Fatal(err)
	}
	m.Vault = m.path("way/secrets.vault")
	m.finds()
	m.chown("way", stranger, stranger)
	m.finds("error directory-owner way")
}

func TestKeyWithBackups(t *testing.T) {
	m := newHost(t)
	m.write("srv/secrets.vault.20260419T120000Z", "a backup", 0o600)
	m.finds("error key-with-backups srv")
	m.write("elsewhere/vault.key", "a key", 0o400)
	m.Key = m.path("elsewhere/vault.key")
	m.finds("error key-with-backups srv") // it may be this key
	if err := os.Rename(m.path("srv/vault.key"), m.path("vault.key")); err != nil {
		t.Fatal(err)
	}
	m.finds()
	m.write("elsewhere/secrets.vault.20260419T120000Z-2", "a backup", 0o600)
	m.finds("error key-with-backups elsewhere")

	m.write("copies/secrets.vault.20260419", "a backup", 0o600) // as people name them
	m.write("copies/vault.key.20260419", "a key", 0o400)
	m.Vault, m.Key = m.path("copies/secrets.vault.20260419"), m.path("copies/vault.key.20260419")
	m.finds("error key-with-backups copies")
	m.Key = m.path("vault.key")
	m.finds("error key-with-backups copies")
}

func TestRotationAndLeftovers(t *testing.T) {
	m := newHost(t)
	m.write("srv/vault.key.new", "the next key", 0o400)
	m.mends(m.finds("warn rotation-begun srv/vault.key.new"), "vault-tool rotate-key --in-place", false)
	if err := os.Remove(m.path("srv/vault.key.new")); err != nil {
		t.Fatal(err)
	}
	m.write("srv/vault.key.old", "an older key", 0o400)
	m.write("srv/vault.key.old.1", "an older key", 0o400)
	m.mends(m.finds("info old-keys srv/vault.key.old srv/vault.key.old.1"), "", false)

	const temporary = "srv/.secrets.vault.0123456789abcdef.vault-tmp"
	m.write(temporary, "half a vault", 0o600)
	m.finds("info old-keys srv/vault.key.old srv/vault.key.old.1") // a writer may be at work
	before := time.Now().Add(-time.Hour)
	if err := os.Chtimes(m.path(temporary), before, before); err != nil {
		t.Fatal(err)
	}
	m.write("srv/secrets.vault.displaced-0123456789abcdef", "a vault", 0o600)
	m.finds("info old-keys srv/vault.key.old srv/vault.key.old.1", "info temporary-file "+temporary, "warn displaced-file srv/secrets.vault.displaced-0123456789abcdef")
}
