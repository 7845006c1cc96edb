package render

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
)

// File is one file that is written by rendering. Its place is locked until Close.
type File struct {
	*target
	path, name  string
	keepChanges bool
}

// OpenFile opens the directory of the file at path to write it there. Errors are those of [OpenDirectory]; the directory must
// exist.
func OpenFile(ctx context.Context, path string, o Options) (*File, error) {
	dir, name := filepath.Split(path)
	if name == "" || name == "." || name == ".." {
		return nil, fmt.Errorf("%w: %q", ErrFileName, path)
	}
	if dir == "" {
		dir = "."
	}
	t, _, err := openTarget(ctx, dir, name, "."+name+ManifestName, false, o)
	if err != nil {
		return nil, err
	}
	return &File{target: t, path: filepath.Clean(path), name: name, keepChanges: o.KeepChanges}, nil
}

// Write makes data the content of the file. A manifest beside it tells that it is this package's: a file of another
// origin, a symbolic link, or something else than a file is an [ErrConflict]. The report has the path as it was given to
// [OpenFile].
func (f *File) Write(data []byte) (Report, error) {
	m, hasManifest, err := f.readManifest()
	if err != nil {
		return Report{}, err
	}
	if err := f.tree.Sweep([]string{f.name, f.target.manifest}); err != nil {
		return Report{}, err
	}
	info, err := f.lstat(f.name)
	if err != nil {
		return Report{}, err
	}
	current, err := f.isCurrent(info, data)
	if err != nil {
		return Report{}, err
	}
	if !current && info != nil && !m.files[f.name] {
		return Report{}, fmt.Errorf("%w: %s", ErrConflict, f.tree.Path(f.name))
	}
	before := m.clone()
	m.keepsChanges = m.keepsChanges || f.keepChanges
	if !current {
		m.files[f.name] = true
		if info != nil && m.keepsChanges {
			m.change = newChange()
		}
	}
	if !m.equal(before) {
		if err := f.writeManifest(m, hasManifest); err != nil {
			return Report{}, err
		}
	}
	report := Report{First: info == nil, Change: m.change, Told: m.told}
	if current {
		report.Unchanged = []string{f.path}
		return report, nil
	}
	changed, err := f.put(f.name, info, data)
	if changed {
		report.Written = []string{f.path}
	} else if report.Change = before.change; !m.equal(before) {
		err = errors.Join(err, f.writeManifest(before, true))
	}
	return report, err
}

// isCurrent tells whether the file has that content and its access already. info describes what is there, nil for nothing.
func (f *File) isCurrent(info fs.FileInfo, data []byte) (bool, error) {
	switch {
	case info == nil:
		return false, nil
	case !info.Mode().IsRegular():
		return false, fmt.Errorf("%w: %s", ErrConflict, f.tree.Path(f.name))
	case !f.access.Of(info):
		return false, nil
	}
	return f.holds(f.name, info, data)
}
