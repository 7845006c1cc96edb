package render

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/mazevault/vault-tool/internal/durable"
	"github.com/mazevault/vault-tool/internal/lockedmem"
	"github.com/mazevault/vault-tool/internal/memoryfs"
)

// Options are common to all rendering.
type Options struct {
	Mode  fs.FileMode    // of the files, see [ParseMode]; 0 means [DefaultMode]
	Owner *durable.Owner // of the files, nil for the user of this process

	// AllowDisk waives the memory file system.
	AllowDisk bool

	// LockTimeout is how long to wait for another process that renders to the same place; 0 or less tries once.
	LockTimeout time.Duration

	// KeepChanges makes a [File] have a manifest, for the changes in its [Report]. Who has somebody to tell of them sets it; from
	// then on every rendering keeps that manifest. A [Directory] always has one.
	KeepChanges bool
}

func (o Options) access() durable.Access {
	mode := o.Mode
	if mode == 0 {
		mode = DefaultMode
	}
	return durable.Access{Mode: mode, Owner: o.Owner}
}

// directoryAccess is for directories that are made.
func (o Options) directoryAccess() durable.Access {
	return durable.Access{Mode: directoryMode(o.access().Mode), Owner: o.Owner}
}

// target is a directory that is written to, locked.
type target struct {
	tree            *durable.Tree
	lock            *durable.FileLock
	access          durable.Access // of files
	directoryAccess durable.Access // of directories that are made
	manifest        string         // its name

	scratch *lockedmem.Buffer // for comparing, nil until needed
}

// openTarget opens the directory, which it makes if create is set, and takes the lock that guards the file lockName in it.
func openTarget(ctx context.Context, dir, lockName, manifestName string, create bool, o Options) (t *target, created bool, err error) {
	if err := checkGiveAway(o.Owner); err != nil {
		return nil, false, err
	}
	t = &target{access: o.access(), directoryAccess: o.directoryAccess(), manifest: manifestName}
	options := durable.TreeOptions{
		Create: create, Accept: o.accept, AcceptParent: o.acceptOwner, AcceptLink: acceptLink, Access: t.directoryAccess,
	}
	if t.tree, created, err = durable.OpenTree(dir, options); err != nil {
		return nil, false, err
	}
	if err := t.refuseOpenToAll(); err != nil {
		t.tree.Close()
		return nil, false, err
	}
	if t.lock, err = t.tree.Lock(ctx, lockName, o.LockTimeout); err != nil {
		t.tree.Close()
		return nil, false, err
	}
	return t, created, nil
}

// Close gives up the lock.
func (t *target) Close() error {
	t.scratch.Destroy()
	defer t.tree.Close()
	return t.lock.Unlock()
}

// accept refuses a directory on a disk, and one of a user who is neither root nor this process's nor the one the files are
// for: in /dev/shm and the like anybody can make one in advance, and exchange the files in it.
func (o Options) accept(dir *os.File) error {
	if !o.AllowDisk {
		ok, err := memoryfs.Holds(dir)
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("%s: %w", filepath.Clean(dir.Name()), ErrDisk)
		}
	}
	return o.acceptOwner(dir)
}

// acceptOwner refuses a directory of a user who is neither root nor this process's nor the one the files are for: he
// could exchange what is in it.
func (o Options) acceptOwner(dir *os.File) error {
	info, err := dir.Stat()
	if err != nil {
		return err
	}
	if o.Owner != nil {
		return checkOwner(dir.Name(), info, o.Owner.UID)
	}
	return checkOwner(dir.Name(), info)
}

// acceptLink refuses a symbolic link on the way to a directory that somebody else has made than root or the user of this
// process, the user of the files included: he could lead the process to a directory that is not his.
func acceptLink(path string, info fs.FileInfo) error { return checkOwner(path, info) }

// refuseOpenToAll refuses a directory in which everybody can exchange the files of others. In one with the sticky bit
// (/dev/shm) nobody can.
func (t *target) refuseOpenToAll() error {
	info, err := t.tree.Lstat(rootDirectory)
	if err != nil {
		return err
	}
	const othersWrite = fs.FileMode(0o002)
	if info.Mode()&othersWrite != 0 && info.Mode()&fs.ModeSticky == 0 {
		return fmt.Errorf("%s: %w (mode %04o)", t.tree.Path(""), ErrOpenToAll, info.Mode().Perm())
	}
	return nil
}

// checkOwner returns an [ErrForeignOwner] unless a file belongs to root, the user of this process, or one of others.
func checkOwner(path string, info fs.FileInfo, others ...int) error {
	uid, ok := ownerOf(info)
	if !ok || uid == 0 || uid == os.Geteuid() || slices.Contains(others, uid) {
		return nil
	}
	return fmt.Errorf("%s: %w (number %d)", filepath.Clean(path), ErrForeignOwner, uid)
}

// compareBytes is how much of a file is compared at a time. It fits the smallest common limit on locked memory (64 KiB).
const compareBytes = 16 << 10

// holds tells whether a regular file has that content, without a copy of it on the heap.
func (t *target) holds(name string, info fs.FileInfo, value []byte) (same bool, err error) {
	if info.Size() != int64(len(value)) {
		return false, nil
	}
	f, err := t.tree.Open(name)
	if err != nil {
		return false, err
	}
	defer f.Close() // read-only: nothing to report
	if t.scratch == nil {
		if t.scratch, err = lockedmem.New(compareBytes); err != nil {
			return false, err
		}
	}
	return equalContent(f, value, t.scratch.Bytes())
}

// put writes a file. info describes the one that is there, nil for none. changed is true also where the new file is in place,
// but not confirmed to be durable.
func (t *target) put(name string, info fs.FileInfo, value []byte) (changed bool, err error) {
	if info == nil {
		err = t.tree.Create(name, value, t.access)
	} else {
		err = t.tree.Replace(name, value, t.access)
	}
	return durable.InPlace(err), err
}

// lstat is tree.Lstat with nil for what is not there.
func (t *target) lstat(name string) (fs.FileInfo, error) {
	info, err := t.tree.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return info, err
}
