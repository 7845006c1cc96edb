package scan

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// File is a file to be scanned, or a directory that could not be read.
type File struct {
	Path   string
	Walked bool  // it was found in a directory, so only a regular file counts
	Err    error // why it is not scanned
}

// gitDirectory is left out of a walk: what is in it is compressed.
const gitDirectory = ".git"

// Walk yields paths that are files, and the regular files below those that are directories, sorted by name. A path may be a
// symbolic link, but none is followed below it. Files that are one of except are left out.
func Walk(paths []string, except []fs.FileInfo) func(yield func(File) bool) {
	return func(yield func(File) bool) {
		for _, path := range paths {
			info, err := os.Stat(path)
			switch {
			case err != nil:
				if !yield(File{Path: path, Err: err}) {
					return
				}
			case info.IsDir():
				if !walk(path, except, yield) {
					return
				}
			case !isOneOf(info, except):
				if !yield(File{Path: path}) {
					return
				}
			}
		}
	}
}

func walk(dir string, except []fs.FileInfo, yield func(File) bool) bool {
	entries, err := os.ReadDir(dir) // those that could be read, too
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch {
		case e.IsDir() && e.Name() != gitDirectory:
			if !walk(path, except, yield) {
				return false
			}
		case e.Type().IsRegular():
			if info, err := e.Info(); len(except) > 0 && err == nil && isOneOf(info, except) {
				continue
			}
			if !yield(File{Path: path, Walked: true}) {
				return false
			}
		}
	}
	return err == nil || yield(File{Path: dir, Err: err})
}

func isOneOf(info fs.FileInfo, files []fs.FileInfo) bool {
	return slices.ContainsFunc(files, func(f fs.FileInfo) bool { return os.SameFile(f, info) })
}
