package render

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/mazevault/vault-tool/internal/durable"
)

// ManifestName is the file in a rendered directory that lists what was rendered into it: names, never values.
const ManifestName = ".vault-tool-render.json"

const (
	manifestVersion  = 1
	manifestMode     = fs.FileMode(0o600)
	maxManifestBytes = 64 << 20
	manifestLock     = ManifestName + ".lock"
	rootDirectory    = "." // in the manifest: the directory itself was made
)

// manifest has the names of the files and directories that are this package's to replace and to remove.
type manifest struct {
	files, directories map[string]bool
}

type manifestJSON struct {
	Version     int      `json:"version"`
	Files       []string `json:"files"`
	Directories []string `json:"directories"`
}

func newManifest() manifest {
	return manifest{files: make(map[string]bool), directories: make(map[string]bool)}
}

func (m manifest) clone() manifest {
	return manifest{files: maps.Clone(m.files), directories: maps.Clone(m.directories)}
}

func (m manifest) equal(other manifest) bool {
	return maps.Equal(m.files, other.files) && maps.Equal(m.directories, other.directories)
}

// readManifest returns the manifest of a directory, and found as false with an empty one where there is none.
func readManifest(tree *durable.Tree) (m manifest, found bool, err error) {
	m = newManifest()
	f, err := tree.Open(ManifestName)
	if errors.Is(err, fs.ErrNotExist) {
		return m, false, nil
	}
	if err != nil {
		return m, false, err
	}
	defer f.Close() // read-only: nothing to report
	if err := checkManifestOwner(tree, f); err != nil {
		return m, false, err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxManifestBytes+1))
	if err != nil {
		return m, false, err
	}
	if err := m.decode(text); err != nil {
		return m, false, fmt.Errorf("%s: %w: %w", tree.Path(ManifestName), ErrManifest, err)
	}
	return m, true, nil
}

// checkManifestOwner refuses a manifest of somebody else than who can remove the files in the directory anyway: where everybody
// may make files, as in /dev/shm, it would have those of others removed.
func checkManifestOwner(tree *durable.Tree, f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	dir, err := tree.Lstat(rootDirectory)
	if err != nil {
		return err
	}
	if uid, ok := ownerOf(dir); ok {
		return checkOwner(tree.Path(ManifestName), info, uid)
	}
	return nil
}

// decode trusts the text with nothing: where the directory belongs to the user of the files, so may the manifest.
func (m manifest) decode(text []byte) error {
	var stored manifestJSON
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&stored); err != nil {
		return errors.New("not the JSON it should be")
	}
	if stored.Version != manifestVersion || decoder.More() || len(text) > maxManifestBytes {
		return errors.New("of another version, or too large")
	}
	for _, name := range stored.Files {
		if fileNameProblem(name) != "" {
			return errors.New("a file name in it is not valid")
		}
		m.files[name] = true
	}
	for _, name := range stored.Directories {
		if name != rootDirectory && fileNameProblem(name) != "" {
			return errors.New("a directory name in it is not valid")
		}
		m.directories[name] = true
	}
	return nil
}

// write puts the manifest in place.
func (m manifest) write(tree *durable.Tree, exists bool) error {
	stored := manifestJSON{manifestVersion, slices.Sorted(maps.Keys(m.files)), slices.Sorted(maps.Keys(m.directories))}
	text, err := json.Marshal(stored)
	if err != nil {
		return err
	}
	put := tree.Create
	if exists {
		put = tree.Replace
	}
	return put(ManifestName, append(text, '\n'), durable.Access{Mode: manifestMode})
}

// fileNameProblem says why a secret's name cannot be that of a file below the directory, or "".
func fileNameProblem(name string) string {
	if name == ManifestName || name == manifestLock || name == "" {
		return "the name of a file that vault-tool keeps there"
	}
	for part := range strings.SplitSeq(name, "/") {
		switch {
		case part == "" || part == "." || part == ".." || strings.ContainsAny(part, "\x00\\"):
			return "not a name of a file"
		case durable.IsTempName(part):
			return "the form of a temporary file's name"
		}
	}
	return ""
}
