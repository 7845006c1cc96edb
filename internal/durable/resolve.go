package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// maxLinks is how many symbolic links are followed for one path, as in Linux (path_resolution(7)).
const maxLinks = 40

// Resolve follows the symbolic links that path is, one after the other, and returns the path of the file behind them,
// which is what Replace replaces and Lock guards. That file need not exist: the result for a dangling link is the path
// that Create would have to make. A path that is no symbolic link comes back as it is; links in its directories are left
// to the kernel. A loop of links is an error.
//
// A dangling link of anybody but root and this process's user is an ErrForeignOwner: he would choose where this process
// makes a file, or its lock.
func Resolve(path string) (string, error) {
	name := path
	var foreign error
	for range maxLinks + 1 {
		info, err := os.Lstat(name)
		if errors.Is(err, fs.ErrNotExist) {
			if foreign != nil {
				return "", foreign
			}
			return tidy(path, name)
		}
		if err != nil {
			return "", wrap("resolve", path, err)
		}
		if info.Mode().Type() != fs.ModeSymlink {
			return tidy(path, name)
		}
		if uid, _, ok := ownerOf(info); ok && uid != 0 && uid != os.Geteuid() && foreign == nil {
			foreign = fmt.Errorf("%s, a symbolic link that leads nowhere: %w (number %d)", name, ErrForeignOwner, uid)
		}
		// The kernel may refuse to follow this link (protected_symlinks in sysctl(8)); reading it would get round that.
		if _, err := os.Stat(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", wrap("resolve", path, err)
		}
		target, err := os.Readlink(name)
		if err != nil {
			return "", wrap("resolve", path, err)
		}
		if filepath.IsAbs(target) {
			name = target
			continue
		}
		// Joined without cleaning: where the link leads through "dir/..", dir may be a link itself.
		dir, _ := filepath.Split(name)
		name = dir + target
	}
	return "", wrap("resolve", path, syscall.ELOOP)
}

// tidy returns the path that a link led to without "..", by the true names of its directories.
func tidy(path, name string) (string, error) {
	if name == path {
		return path, nil
	}
	dir, base, err := splitPath(name)
	if err != nil {
		return "", err
	}
	dir, err = filepath.EvalSymlinks(dir)
	if err != nil {
		return "", wrap("resolve", path, err)
	}
	return filepath.Join(dir, base), nil
}

// splitPath separates the name of a file from its directory, which is left uncleaned for the kernel to walk.
func splitPath(path string) (dir, base string, err error) {
	dir, base = filepath.Split(path)
	if base == "" || base == "." || base == ".." {
		return "", "", fmt.Errorf("%q: %w", path, ErrNotRegular)
	}
	if dir == "" {
		return ".", base, nil
	}
	trimmed := dir
	for len(trimmed) > 0 && os.IsPathSeparator(trimmed[len(trimmed)-1]) {
		trimmed = trimmed[:len(trimmed)-1]
	}
	if trimmed == filepath.VolumeName(dir) { // "/", and "C:\" on Windows
		return dir, base, nil
	}
	return trimmed, base, nil
}
