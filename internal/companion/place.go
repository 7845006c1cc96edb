package companion

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/mazevault/vault-tool/internal/owner"
)

// Places returns where the program may be: the directory of this process's own program, behind links, and further ones.
func Places(further ...string) []string {
	var places []string
	if self, err := os.Executable(); err == nil {
		if target, err := filepath.EvalSymlinks(self); err == nil { // else it was replaced by nothing since it began
			self = target
		}
		places = append(places, filepath.Dir(self))
	}
	return append(places, further...)
}

// find returns the path of the program, behind links. The first that is there counts: one that nobody may trust is not
// stepped over.
func find(places []string) (string, error) {
	for _, place := range places {
		path := filepath.Join(place, Name)
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		target, err := filepath.EvalSymlinks(path)
		if err != nil {
			return "", refused(path, "%s", cause(err))
		}
		for _, dir := range []string{place, filepath.Dir(target)} {
			if err := check(path, dir, dir); err != nil {
				return "", err
			}
		}
		if info, err := os.Stat(target); err == nil && !info.Mode().IsRegular() {
			return "", refused(path, "it is not a file")
		}
		return target, check(path, target, "it")
	}
	return "", missing(places)
}

// check refuses what somebody else may change; errors call it what.
func check(program, path, what string) error {
	info, err := os.Stat(path)
	if err != nil {
		return refused(program, "%s", cause(err))
	}
	o, ok := owner.Of(info)
	switch {
	case !ok: // files have no owner here, and no mode of use
		return nil
	case o.UID != 0 && int(o.UID) != os.Geteuid():
		return refused(program, "%s belongs to %s, who is neither root nor the user of this process", what, owner.User(o.UID))
	case info.Mode().Perm()&0o022 != 0:
		return refused(program, "others may write to %s (mode %04o)", what, info.Mode().Perm())
	}
	return nil
}

// cause is what an error says without the path in front.
func cause(err error) string {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err.Error()
	}
	return err.Error()
}

// environment returns those of the variables that configure clients of stores, and HOME and PATH, which AWS
// needs for programs that provide credentials.
func environment(environ []string) []string {
	var kept []string
	for _, variable := range environ {
		if name, _, _ := strings.Cut(variable, "="); configures(name) {
			kept = append(kept, variable)
		}
	}
	return kept
}

func configures(name string) bool {
	if name == "HOME" || name == "PATH" {
		return true
	}
	for _, prefix := range []string{"AWS_", "AZURE_", "IDENTITY_", "MSI_", "GOOGLE_", "VAULT_", "SSL_CERT_"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return strings.HasSuffix(name, "_PROXY") || strings.HasSuffix(name, "_proxy")
}
