package backups

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/mazevault/vault-tool/internal/durable"
)

// Directory is a directory of backups, which nobody else adds to or takes from as long as it is held.
type Directory struct {
	tree *durable.Tree
	lock *durable.FileLock // nil where the file system cannot lock directories
}

// Hold opens the directory and locks it. locked is false where its file system offers no such lock; what is done then is safe all the same: names are
// never taken twice, and what two of them remove is what both would.
func Hold(ctx context.Context, path string, timeout time.Duration) (d *Directory, locked bool, err error) {
	tree, _, err := durable.OpenTree(path, durable.TreeOptions{})
	if err != nil {
		return nil, false, err
	}
	lock, err := tree.LockItself(ctx, timeout)
	if err != nil && !errors.Is(err, errors.ErrUnsupported) {
		tree.Close()
		return nil, false, err
	}
	return &Directory{tree, lock}, err == nil, nil
}

// Release gives the directory up.
func (d *Directory) Release() {
	if d.lock != nil {
		_ = d.lock.Unlock() // it ends with the process, if not before
	}
	d.tree.Close()
}

// Path is the path of a backup.
func (d *Directory) Path(b Backup) string { return d.tree.Path(b.Name) }

// Sweep removes what killed runs left of backups of the vault that they were making.
func (d *Directory) Sweep(vault string) error {
	names, err := d.tree.List()
	if err != nil {
		return err
	}
	var begun []string
	for _, name := range names {
		if durable.IsTempName(name) {
			begun = append(begun, unfinished(name))
		}
	}
	var ours []string
	for _, b := range Of(vault, begun) {
		ours = append(ours, b.Name)
	}
	if len(ours) == 0 {
		return nil
	}
	return d.tree.Sweep(ours)
}

// unfinished is the name that the file with a temporary name was to get.
func unfinished(temp string) string {
	const parts = 2 // behind it: a random one, and one that says what it is
	name := strings.TrimPrefix(temp, ".")
	for range parts {
		name = name[:max(0, strings.LastIndexByte(name, '.'))]
	}
	return name
}

// List returns the backups of the vault, newest first. What has the name of one but is no regular file is none.
func (d *Directory) List(vault string) ([]Backup, error) {
	names, err := d.tree.List()
	if err != nil {
		return nil, err
	}
	found := Of(vault, names)
	return slices.DeleteFunc(found, func(b Backup) bool {
		info, err := d.tree.Lstat(b.Name)
		return err != nil || !info.Mode().IsRegular()
	}), nil
}

// Next is the name for a backup that is made now: behind all others of this second, also where one between them was removed.
func (d *Directory) Next(vault string, now time.Time) (Backup, error) {
	names, err := d.tree.List()
	if err != nil {
		return Backup{}, err
	}
	b := Backup{Time: now.UTC().Truncate(time.Second)}
	for _, other := range Of(vault, names) {
		if other.Time.Equal(b.Time) {
			b.number = max(b.number, other.number+1)
		}
	}
	b.Name = Name(vault, now, b.number)
	return b, nil
}

// Pruned is what Prune has done: the names that are gone, how many backups stay, and how many files are named as backups of the vault and are none.
type Pruned struct {
	Removed []string
	Kept    int
	Foreign int
}

// Prune removes the backups that the policy does not keep. The one that was just made stays, also where others claim to be from
// the future. What isOurs does not know for a backup of the vault is left alone, and is not counted by the policy: another vault may have the
// same name. All are tried; the error is of those that could not be removed.
func (d *Directory) Prune(vault string, p Policy, made Backup, isOurs func(path string) bool) (done Pruned, err error) {
	present, err := d.List(vault)
	if err != nil {
		return Pruned{}, err
	}
	done.Foreign = len(present)
	present = slices.DeleteFunc(present, func(b Backup) bool { return b.Name != made.Name && !isOurs(d.Path(b)) })
	done.Kept = len(present)
	done.Foreign -= done.Kept
	var failures []error
	for _, b := range p.Stale(present) {
		if b.Name == made.Name {
			continue
		}
		switch err := d.tree.Remove(b.Name); {
		case errors.Is(err, fs.ErrNotExist): // by somebody else, where there is no lock
		case err != nil:
			failures = append(failures, err)
		default:
			done.Removed = append(done.Removed, b.Name)
			done.Kept--
		}
	}
	if len(failures) > 0 {
		return done, fmt.Errorf("remove old backups: %w", errors.Join(failures...))
	}
	return done, nil
}
