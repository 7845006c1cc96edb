package render

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
)

// plan is what has to be done to a directory. Making it changes nothing.
type plan struct {
	*Directory
	secrets Secrets
	names   []string // sorted; the files that are to be
	wanted  map[string]bool
	needed  map[string]bool // the subdirectories of those
	old     manifest        // at the beginning
	next    manifest        // at the end
	dirs    map[string]dirState

	write       map[string]fs.FileInfo // what is there, nil for nothing
	unchanged   []string
	remove      []string // files
	removeDirs  []string // the innermost first
	directories []string // to be made or given their access, the outermost first
	conflicts   []string
}

// dirState is what stands where a directory is to be.
type dirState int

const (
	dirMissing dirState = iota // or is a file that goes
	dirThere
	dirBlocked // by something else
)

func newPlan(d *Directory, names []string, s Secrets, old manifest) *plan {
	p := &plan{
		Directory: d, secrets: s, names: slices.Sorted(slices.Values(names)), old: old, next: newManifest(),
		wanted: make(map[string]bool), needed: make(map[string]bool),
		dirs: make(map[string]dirState), write: make(map[string]fs.FileInfo),
	}
	for _, name := range names {
		p.wanted[name] = true
		for dir := range parents(name) {
			p.needed[dir] = true
		}
	}
	return p
}

// make finds out what is to be done. It returns an [ErrConflict] with all that is in the way.
func (p *plan) make(ctx context.Context) error {
	for _, name := range p.names {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := p.planFile(name); err != nil {
			return err
		}
	}
	if len(p.conflicts) > 0 {
		return fmt.Errorf("%w: %s", ErrConflict, strings.Join(p.conflicts, ", "))
	}
	for _, name := range sortedKeys(p.old.files) {
		if err := p.planRemoval(name); err != nil {
			return err
		}
	}
	return p.planDirectories()
}

// dirOf finds out what stands in the place of the directories of a name, or of a directory whose name has a '/' at its end.
func (p *plan) dirOf(name string) (state dirState, err error) {
	state = dirThere
	for dir := range parents(name) {
		if state, err = p.dirState(dir); err != nil || state != dirThere {
			return state, err
		}
	}
	return state, nil
}

// dirState finds it out for one directory whose parents are there.
func (p *plan) dirState(dir string) (dirState, error) {
	if state, ok := p.dirs[dir]; ok {
		return state, nil
	}
	info, err := p.lstat(dir)
	if err != nil {
		return dirBlocked, err
	}
	state := dirBlocked
	switch {
	case info == nil, info.Mode().IsRegular() && p.old.files[dir] && !p.wanted[dir]:
		state = dirMissing
	case info.IsDir():
		state = dirThere
	}
	p.dirs[dir] = state
	return state, nil
}

// planFile decides about a file that is to be.
func (p *plan) planFile(name string) error {
	dir, err := p.dirOf(name)
	if err != nil {
		return err
	}
	var info fs.FileInfo
	switch dir {
	case dirBlocked:
		p.conflicts = append(p.conflicts, p.tree.Path(name))
		return nil
	case dirThere:
		if info, err = p.lstat(name); err != nil {
			return err
		}
	}
	ours := p.old.files[name]
	switch {
	case info == nil, info.IsDir() && p.old.directories[name]: // the directory goes
		p.write[name] = nil
	case !info.Mode().IsRegular():
		p.conflicts = append(p.conflicts, p.tree.Path(name))
		return nil
	default:
		same, err := p.isCurrent(name, info)
		if err != nil {
			return err
		}
		switch {
		case same && ours:
			p.unchanged = append(p.unchanged, name)
		case same:
			p.unchanged = append(p.unchanged, name)
			return nil // it serves, but it is not ours to remove one day
		case !ours:
			p.conflicts = append(p.conflicts, p.tree.Path(name))
			return nil
		default:
			p.write[name] = info
		}
	}
	p.next.files[name] = true
	return nil
}

// isCurrent tells whether a regular file has the content and the access it is to have.
func (p *plan) isCurrent(name string, info fs.FileInfo) (same bool, err error) {
	if !p.access.Of(info) {
		return false, nil
	}
	err = p.secrets.Use(name, func(value []byte) (err error) {
		same, err = p.holds(name, info, value)
		return err
	})
	return same, err
}

// planRemoval decides about a file that was written earlier. What has taken its place is not ours.
func (p *plan) planRemoval(name string) error {
	if p.wanted[name] {
		return nil
	}
	dir, err := p.dirOf(name)
	if err != nil || dir != dirThere {
		return err
	}
	info, err := p.lstat(name)
	if err == nil && info != nil && info.Mode().IsRegular() {
		p.remove = append(p.remove, name)
	}
	return err
}

func (p *plan) planDirectories() error {
	if p.made || p.old.directories[rootDirectory] {
		p.next.directories[rootDirectory] = true
		p.directories = append(p.directories, rootDirectory)
	}
	for _, dir := range slices.Sorted(maps.Keys(p.needed)) {
		state, err := p.dirOf(dir + "/")
		if err != nil {
			return err
		}
		if state == dirMissing || p.old.directories[dir] {
			p.next.directories[dir] = true
			p.directories = append(p.directories, dir)
		}
	}
	for _, dir := range slices.Backward(sortedKeys(p.old.directories)) {
		if dir == rootDirectory || p.needed[dir] {
			continue
		}
		state, err := p.dirOf(dir + "/")
		if err != nil {
			return err
		}
		if state == dirThere {
			p.removeDirs = append(p.removeDirs, dir)
		}
	}
	return nil
}

func sortedKeys(set map[string]bool) []string { return slices.Sorted(maps.Keys(set)) }
