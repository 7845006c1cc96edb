package durable

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"unicode/utf8"
)

const (
	tempSuffix    = ".vault-tmp"
	lockSuffix    = ".lock"
	randomBytes   = 8
	maxNameBytes  = 255 // NAME_MAX of Linux file systems
	tempOverhead  = len("..") + 2*randomBytes + len(tempSuffix)
	maxTempTrials = 100

	displacedInfix = ".displaced-"
)

// temp is a file that is being made. Its descriptor carries the flock that keeps others from sweeping it.
type temp struct {
	dir    *directory
	name   string
	file   *os.File
	info   fs.FileInfo // to know the file by when it is closed
	closed bool
}

// newTemp makes an empty temporary file for base, mode 0600, locked.
func (sys *system) newTemp(dir *directory, base string) (*temp, error) {
	for range maxTempTrials {
		tmp := &temp{dir: dir, name: tempName(base)}
		var err error
		tmp.file, err = sys.create(dir, tmp.name)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return nil, wrap("create temporary file in", dir.path, err)
		}
		live, err := sys.claim(tmp)
		if err != nil {
			return nil, sys.discard(tmp, wrap("lock temporary file in", dir.path, err))
		}
		if live {
			return tmp, nil
		}
		// Between create and lock it looked stale to another process, which has removed it or is about to.
		_ = sys.close(tmp.file)
	}
	return nil, wrap("create temporary file in", dir.path, fs.ErrExist)
}

// claim locks a new temporary file and reports whether it is still there.
func (sys *system) claim(tmp *temp) (bool, error) {
	locked, err := sys.tryLock(tmp.file, true)
	if err != nil || !locked {
		return false, err
	}
	if tmp.info, err = sys.stat(tmp.file); err != nil {
		return false, err
	}
	return isLinked(tmp.info), nil
}

// closeTemp closes the file once and reports what the file system only says at that point.
func (sys *system) closeTemp(tmp *temp) error {
	if tmp.closed {
		return nil
	}
	tmp.closed = true
	return sys.close(tmp.file)
}

// discard removes the temporary file and returns the failure that led to it, if any, with that of the removal. The name
// goes before the lock does.
func (sys *system) discard(tmp *temp, failure error) error {
	err := sys.unlink(tmp.dir, tmp.name)
	_ = sys.closeTemp(tmp) // its content is of no use any more
	switch {
	case err == nil || errors.Is(err, fs.ErrNotExist):
		return failure
	case failure == nil:
		return wrap("remove temporary file", tmp.dir.join(tmp.name), err)
	}
	return fmt.Errorf("%w (and remove temporary file %s: %w)", failure, tmp.dir.join(tmp.name), cause(err))
}

// tempName returns a name like ".secrets.vault.5f0c9e1d2b3a4857.vault-tmp".
func tempName(base string) string {
	var random [randomBytes]byte
	rand.Read(random[:]) // never fails
	return tempPrefix(base) + hex.EncodeToString(random[:]) + tempSuffix
}

// asideName returns a name like "secrets.vault.displaced-5f0c9e1d2b3a4857".
func asideName(base string) string {
	var random [randomBytes]byte
	rand.Read(random[:]) // never fails
	return fitName(base, maxNameBytes-len(displacedInfix)-2*randomBytes) + displacedInfix + hex.EncodeToString(random[:])
}

// isTempOf reports whether name is one that tempName gives for base. The length of the random part is fixed and holds
// no dot, so that a temporary file of "a.b" is not one of "a".
func isTempOf(name, base string) bool {
	random, ok := strings.CutPrefix(name, tempPrefix(base))
	if !ok {
		return false
	}
	random, ok = strings.CutSuffix(random, tempSuffix)
	return ok && len(random) == 2*randomBytes && strings.Trim(random, "0123456789abcdef") == ""
}

func tempPrefix(base string) string { return "." + fitName(base, maxNameBytes-tempOverhead) + "." }

// lockName returns the name of the lock file for base.
func lockName(base string) string {
	return fitName(base, maxNameBytes-len(lockSuffix)) + lockSuffix
}

// fitName returns base, or where it is longer than limit bytes, its beginning and a hash, so that two long names that
// begin alike do not become one.
func fitName(base string, limit int) string {
	if len(base) <= limit {
		return base
	}
	sum := sha256.Sum256([]byte(base))
	hash := "~" + hex.EncodeToString(sum[:randomBytes])
	end := limit - len(hash)
	for end > 0 && !utf8.RuneStart(base[end]) {
		end--
	}
	return base[:end] + hash
}

// Sweep removes the temporary files that killed processes left behind for path or for its lock file, and leaves those
// alone whose maker lives. Replace, Create, Backup and CheckReplaceable do it by themselves, except that they go on where
// it fails. A stale file of this user that he may not open is reported with an error that matches fs.ErrPermission.
func Sweep(path string) error {
	sys := realSystem()
	resolved, err := Resolve(path)
	if err != nil {
		return err
	}
	dir, base, err := sys.openParent(resolved)
	if err != nil {
		return err
	}
	defer dir.close()
	return sys.sweep(dir, base)
}

func (sys *system) sweep(dir *directory, base string) error {
	names, err := sys.list(dir)
	if err != nil {
		return wrap("list directory", dir.path, err)
	}
	lock := lockName(base)
	var failures []error
	for _, name := range names {
		if isTempOf(name, base) || isTempOf(name, lock) {
			failures = append(failures, wrap("sweep", dir.join(name), sys.removeStale(dir, name)))
		}
	}
	return errors.Join(failures...)
}

// removeStale unlinks one temporary file unless its maker, or another sweeper, holds its lock. One that another user has
// put there, and that this one may not open or remove, stands in nobody's way: names are drawn at random.
func (sys *system) removeStale(dir *directory, name string) error {
	info, err := sys.lstat(dir, name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
		return nil
	}
	if err != nil {
		return err
	}
	err = sys.unlinkUnlocked(dir, name)
	if uid, _, ok := ownerOf(info); ok && uid != os.Geteuid() && errors.Is(err, fs.ErrPermission) {
		return nil
	}
	return err
}

// unlinkUnlocked keeps the lock until the name is gone, so that a maker that comes between sees either the lock or a
// file without a name.
func (sys *system) unlinkUnlocked(dir *directory, name string) error {
	f, err := sys.open(dir, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close() // read-only: nothing to report
	if locked, err := sys.tryLock(f, true); err != nil || !locked {
		return err
	}
	same, err := sys.names(dir, name, f)
	if err != nil || !same {
		return err
	}
	err = sys.unlink(dir, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// names reports whether the entry in the directory is the file that is open.
func (sys *system) names(dir *directory, name string, f *os.File) (bool, error) {
	opened, err := sys.stat(f)
	if err != nil {
		return false, err
	}
	return sys.isEntry(dir, name, opened)
}

// isEntry reports whether the entry in the directory is that file.
func (sys *system) isEntry(dir *directory, name string, file fs.FileInfo) (bool, error) {
	entry, err := sys.lstat(dir, name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && os.SameFile(entry, file), err
}
