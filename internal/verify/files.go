package verify

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mazevault/vault-tool/internal/durable"
	"github.com/mazevault/vault-tool/internal/selection"
)

// File is one that was given, or was found in a directory that was.
type File struct {
	Path string
	Skip string // why it is no backup, "" if it may be one
	Err  error  // why it cannot be looked at

	named bool // given by its own path: then it has to be a vault, whatever it looks like
}

// Search says what counts in the paths that are given.
type Search struct {
	Recursive bool     // enter the directories in directories
	Exclude   []string // valid globs, of names or of whole paths
}

// Files returns what the paths lead to, in their order, the files of a directory sorted by name. A path of nothing that has the form of a
// glob is one.
func (s Search) Files(paths []string) []File {
	var files []File
	for _, path := range paths {
		files = append(files, s.expand(path)...)
	}
	return files
}

func (s Search) expand(path string) []File {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !selection.IsLiteral(path):
		return s.glob(path)
	case err != nil:
		return []File{{Path: path, Err: err}}
	case info.IsDir():
		return s.directory(path)
	case s.excludes(path):
		return []File{{Path: path, Skip: skipExcluded}}
	}
	return []File{{Path: path, named: true}}
}

func (s Search) glob(glob string) []File {
	paths, err := filepath.Glob(glob)
	if err == nil && len(paths) == 0 {
		err = fmt.Errorf("nothing matches: %w", fs.ErrNotExist)
	}
	if err != nil {
		return []File{{Path: glob, Err: err}}
	}
	var files []File
	for _, path := range paths {
		info, err := os.Stat(path)
		if err == nil && info.IsDir() {
			files = append(files, s.directory(path)...)
			continue
		}
		files = append(files, s.file(path))
	}
	return files
}

func (s Search) directory(path string) []File {
	entries, err := os.ReadDir(path) // sorted by name
	if err != nil {
		return []File{{Path: path, Err: err}}
	}
	files := make([]File, 0, len(entries))
	for _, entry := range entries {
		within := filepath.Join(path, entry.Name())
		switch {
		case !entry.IsDir():
			files = append(files, s.file(within))
		case s.excludes(within):
			files = append(files, File{Path: within, Skip: skipExcluded})
		case s.Recursive:
			files = append(files, s.directory(within)...)
		default:
			files = append(files, File{Path: within, Skip: "a directory, which --recursive enters"})
		}
	}
	return files
}

const skipExcluded = "excluded"

// file is one that was found. A link to a directory is not entered: it may lead back.
func (s Search) file(path string) File {
	f := File{Path: path}
	switch {
	case strings.HasSuffix(path, ".lock"):
		f.Skip = "a lock file"
	case strings.HasSuffix(path, ".drop.pub"):
		f.Skip = "the public half of a drop key"
	case durable.IsTempName(filepath.Base(path)):
		f.Skip = "left behind by a run that was killed"
	case s.excludes(path):
		f.Skip = skipExcluded
	default:
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			f.Skip = "a link to a directory"
		}
	}
	return f
}

func (s Search) excludes(path string) bool {
	return slices.ContainsFunc([]string{filepath.Base(path), path}, func(name string) bool { return selection.Matches(s.Exclude, name) })
}
