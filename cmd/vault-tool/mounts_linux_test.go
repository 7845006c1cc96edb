package main

import (
	"errors"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// needRoot skips a test that mounts file systems or runs commands as another user.
func needRoot(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root")
	}
}

// mount mounts and unmounts at the end of the test; where mounting is not permitted the test is skipped.
func mount(t *testing.T, source, target, fstype string, flags uintptr, data string) {
	t.Helper()
	needRoot(t)
	if err := unix.Mount(source, target, fstype, flags, data); err != nil {
		if errors.Is(err, unix.EPERM) || errors.Is(err, unix.ENODEV) {
			t.Skipf("cannot mount here: %v", err)
		}
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(target, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
}

// onSmallDisk moves the folder to a file system of 128 KiB.
func (f *folder) onSmallDisk(t *testing.T) {
	t.Helper()
	disk := t.TempDir()
	mount(t, "tmpfs", disk, "tmpfs", 0, "size=128k,mode=0755")
	if output, err := exec.Command("cp", "-a", f.dir+"/.", disk).CombinedOutput(); err != nil {
		t.Fatalf("cp: %v: %s", err, output)
	}
	f.dir = disk
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	f := newVault(t, true, someSecrets)
	f.write(".env", crashEnv, 0o600)
	f.onSmallDisk(t)
	before := f.snapshot()
	full := []string{"no space left on device", "hint: nothing was changed; make room"}
	large := strings.Repeat("v", 200_000)
	f.wantFailure(exitFailed, full, large, "add", "--name", "LARGE")
	f.wantFailure(exitFailed, full, toJSON(t, map[string]string{"LARGE": large}), "encrypt", "--force")
	if now := f.snapshot(); now["secrets.vault"] != before["secrets.vault"] {
		t.Error("the vault changed")
	}
	f.wantNames(append(slices.Collect(maps.Keys(before)), "secrets.vault.bak")...)

	// Not a byte is free now.
	if err := os.WriteFile(f.path("filler"), make([]byte, 1<<20), 0o600); !errors.Is(err, unix.ENOSPC) {
		t.Fatal(err)
	}
	before = f.snapshot()
	f.wantFailure(exitFailed, full, "small", "add", "--name", "SMALL")
	f.wantFailure(exitFailed, full, "", "rotate-key", "--in-place")
	f.wantFailure(exitFailed, full, "", "migrate-env", "--env-file", ".env", "--prune")
	f.wantFailure(exitFailed, full, "", "init", "--key-file", "other.key")
	if !maps.Equal(f.snapshot(), before) {
		t.Errorf("something changed; there are now %v", f.names())
	}
	f.wantSecrets(someSecrets)
	remove(f, "filler")
	f.mustRun("small", "add", "--name", "SMALL")
	f.mustRun("", "rotate-key", "--in-place")
	f.wantSecrets(withSecrets(someSecrets, "SMALL", "small"))
}

func TestReadOnlyFileSystem(t *testing.T) {
	t.Parallel()
	f := newVault(t, true, someSecrets)
	f.onSmallDisk(t)
	before := f.snapshot()
	if err := unix.Mount("", f.dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	texts := []string{"read-only file system", "hint: nothing was changed; the file system is mounted read-only"}
	f.wantFailure(exitFailed, texts, "v", "add", "--name", "C")
	f.wantFailure(exitFailed, texts, "{}", "encrypt", "--force")
	f.wantFailure(exitFailed, texts, "", "rotate-key", "--in-place")
	f.wantFailure(exitFailed, texts, "", "init", "--key-file", "other.key")
	if !maps.Equal(f.snapshot(), before) {
		t.Error("something changed")
	}
	f.wantSecrets(someSecrets)
}

func TestBindMountedVault(t *testing.T) {
	t.Parallel()
	f := newVault(t, true, someSecrets)
	mount(t, f.path("secrets.vault"), f.path("secrets.vault"), "", unix.MS_BIND, "")
	before := f.snapshot()
	texts := []string{"file is a mount point", "hint: nothing was changed", "mount its directory instead"}
	f.wantFailure(exitFailed, texts, "v", "add", "--name", "C")
	f.wantFailure(exitFailed, texts, "{}", "encrypt", "--force")
	f.wantFailure(exitFailed, texts, "", "rm", "A")
	f.wantFailure(exitFailed, texts, "", "rotate-key", "--in-place")
	if !maps.Equal(f.snapshot(), before) {
		t.Errorf("something changed; there are %v", f.names())
	}
	f.wantSecrets(someSecrets)
}

func TestBindMountedKey(t *testing.T) {
	t.Parallel()
	f := newVault(t, true, someSecrets)
	mount(t, f.path("vault.key"), f.path("vault.key"), "", unix.MS_BIND, "")
	before := f.snapshot()
	f.wantFailure(exitFailed, []string{"vault.key", "file is a mount point", "hint: nothing was changed"}, "", "rotate-key", "--in-place")
	if !maps.Equal(f.snapshot(), before) {
		t.Errorf("something changed; there are %v", f.names())
	}
	f.wantSecrets(someSecrets)
}

func TestBindMountedEnvFile(t *testing.T) {
	t.Parallel()
	f := newVault(t, true, someSecrets)
	f.write(".env", crashEnv, 0o600)
	mount(t, f.path(".env"), f.path(".env"), "", unix.MS_BIND, "")
	f.wantFailure(exitFailed, []string{".env", "file is a mount point"}, "", "migrate-env", "--env-file", ".env", "--prune")
	if f.read(".env") != crashEnv {
		t.Error("the .env file changed")
	}
}
