package render

import (
	"context"
	"fmt"
	"io/fs"
	"runtime"
	"slices"
	"strings"
)

// Directory is a directory that secrets are rendered into. It is locked until Close.
type Directory struct {
	*target
	made bool // the directory itself is this package's, as far as is known without the manifest
}

// Report tells what a rendering did, by the names of the secrets, sorted.
type Report struct {
	Written   []string // new, or with another content or access than before
	Unchanged []string // left alone
	Removed   []string // no longer among the secrets
	First     bool     // nothing had been rendered to this place before
	Closed    bool     // the owner of the files, who is not this process's user, cannot enter the directory

	// Change stands for the latest change of the files by any rendering, other than the first; it is empty if there was none.
	// Told is the one that was passed to Told last. Where they differ there is somebody to be told of a change. A File has
	// neither without Options.KeepChanges.
	Change, Told string
}

// Changed tells whether there is something on the file system that was not there before.
func (r Report) Changed() bool { return len(r.Written)+len(r.Removed) > 0 }

// OpenDirectory opens the directory dir to be rendered into. It makes it where it is missing, but not its parents. Errors
// wrap [ErrDisk], [ErrForeignOwner], [ErrGiveAway], [ErrBusy], or the system's.
func OpenDirectory(ctx context.Context, dir string, o Options) (*Directory, error) {
	t, created, err := openTarget(ctx, dir, ManifestName, ManifestName, true, o)
	if err != nil {
		return nil, err
	}
	return &Directory{target: t, made: created}, nil
}

// Render makes the files of the directory those of names, which s must have, and removes the files of earlier renderings that
// are not among them. A '/' in a name is a subdirectory. Errors wrap [ErrFileName], [ErrConflict] or [ErrManifest], before
// which nothing was changed, or [ErrForeignOwner], or are the system's; then the report says what was done until there, and the
// next call does the rest.
func (d *Directory) Render(ctx context.Context, names []string, s Secrets) (Report, error) {
	if err := CheckNames(names); err != nil {
		return Report{}, err
	}
	old, found, err := d.readManifest()
	if err != nil {
		return Report{}, err
	}
	stale := append(sortedKeys(old.files), names...)
	if err := d.tree.Sweep(append(stale, ManifestName)); err != nil {
		return Report{}, err
	}
	p := newPlan(d, names, s, old)
	if err := p.make(ctx); err != nil {
		return Report{}, err
	}
	report, err := p.carryOut(ctx, found)
	if err == nil {
		report.Closed, err = d.isClosed()
	}
	return report, err
}

// isClosed tells whether the owner of the files cannot enter the directory, which somebody else has made. Access control lists
// are not looked at: they open no more to others than the bits of the group say, which count as open.
func (d *Directory) isClosed() (bool, error) {
	info, err := d.tree.Lstat(rootDirectory)
	if err != nil || d.access.Owner == nil {
		return false, err
	}
	const othersEnter, groupEnters = fs.FileMode(0o001), fs.FileMode(0o010)
	uid, ok := ownerOf(info)
	return ok && uid != d.access.Owner.UID && d.access.Owner.UID != 0 && info.Mode()&(othersEnter|groupEnters) == 0, nil
}

// CheckNames returns an [ErrFileName] with the names that cannot be those of files beside one another: with "." or ".." for a
// part, or one that this package or package durable uses; or of a file where another needs a directory. Render checks it as
// well; this is for before a directory is made.
func CheckNames(names []string) error {
	var bad []string
	all := make(map[string]bool, len(names))
	for _, name := range names {
		key := foldName(name)
		if fileNameProblem(name) != "" || all[key] {
			bad = append(bad, name)
		}
		all[key] = true
	}
	for _, name := range names {
		for dir := range parents(foldName(name)) {
			if all[dir] { // a file and a directory at once
				bad = append(bad, name)
				break
			}
		}
	}
	if len(bad) > 0 {
		slices.Sort(bad)
		return fmt.Errorf("%w: %s", ErrFileName, strings.Join(slices.Compact(bad), ", "))
	}
	return nil
}

// foldName makes names equal that are one file where file systems take no notice of case, which is everywhere but on Linux.
func foldName(name string) string {
	if runtime.GOOS == "linux" {
		return name
	}
	return strings.ToLower(name)
}

// parents yields the directories of a name, the outermost first.
func parents(name string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for i, c := range name {
			if c == '/' && !yield(name[:i]) {
				return
			}
		}
	}
}
