package durable

import (
	"path/filepath"
	"strings"
)

// TempOf tells whether a file of that name is a temporary one of this package, and for which file of the same directory it was made. One
// that stays was left by a process that was killed; see [Sweep].
func TempOf(name string) (base string, ok bool) {
	name, hidden := strings.CutPrefix(filepath.Base(name), ".")
	name, temporary := strings.CutSuffix(name, tempSuffix)
	if !hidden || !temporary {
		return "", false
	}
	return cutRandom(name, ".")
}

// DisplacedOf tells whether a file of that name is what another program had put into the place of a file at the moment when this package
// replaced it, and of which file. It is never removed, for nothing else has its content.
func DisplacedOf(name string) (base string, ok bool) {
	return cutRandom(filepath.Base(name), displacedInfix)
}

// LockFile returns the name of the lock file of path, which may be that of another directory than the lock's where path is a symbolic link.
func LockFile(path string) string {
	return filepath.Join(filepath.Dir(path), lockName(filepath.Base(path)))
}

// cutRandom cuts what newTemp and asideName put behind a name: the infix and random hexadecimal digits.
func cutRandom(name, infix string) (base string, ok bool) {
	i := strings.LastIndex(name, infix)
	if i <= 0 {
		return "", false
	}
	random := name[i+len(infix):]
	return name[:i], len(random) == 2*randomBytes && strings.Trim(random, "0123456789abcdef") == ""
}
