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
	"strings"

	"github.com/mazevault/vault-tool/internal/durable"
)

// ManifestName is the file in a rendered directory that lists what was rendered into it: names, never values. Beside a single
// file FILE it is .FILE and this, if there is one.
const ManifestName = ".vault-tool-render.json"

const (
	manifestVersion  = 1
	manifestMode     = fs.FileMode(0o600)
	maxManifestBytes = 64 << 20
	maxChangeBytes   = 64 // of the text that stands for a change
	manifestLock     = ManifestName + ".lock"
	rootDirectory    = "." // in the manifest: the directory itself was made
)

// manifest has the names of the files and directories that are this package's to replace and to remove.
type manifest struct {
	files, directories map[string]bool
	change, told       string // as in [Report]
	keepsChanges       bool   // of a [File]: somebody wants to know of changes
}

type manifestJSON struct {
	Version     int      `json:"version"`
	Files       []string `json:"files"`
	Directories []string `json:"directories"`
	Change      string   `json:"change,omitempty"`
	Told        string   `json:"told,omitempty"`
	KeepChanges bool     `json:"keep_changes,omitempty"`
}

func newManifest() manifest {
	return manifest{files: make(map[string]bool), directories: make(map[string]bool)}
}

func (m manifest) clone() manifest {
	return manifest{files: maps.Clone(m.files), directories: maps.Clone(m.directories), change: m.change, told: m.told, keepsChanges: m.keepsChanges}
}

func (m manifest) equal(other manifest) bool {
	return maps.Equal(m.files, other.files) && maps.Equal(m.directories, other.directories) &&
		m.change == other.change && m.told == other.told && m.keepsChanges == other.keepsChanges
}

// readManifest returns the manifest, and found as false with an empty one where there is none.
func (t *target) readManifest() (m manifest, found bool, err error) {
	m = newManifest()
	f, err := t.tree.Open(t.manifest)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return m, false, nil
	case errors.Is(err, durable.ErrNotRegular):
		return m, false, fmt.Errorf("%w: %w", ErrConflict, err)
	case err != nil:
		return m, false, err
	}
	defer f.Close() // read-only: nothing to report
	if err := t.checkManifestOwner(f); err != nil {
		return m, false, err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxManifestBytes+1))
	if err != nil {
		return m, false, err
	}
	if err := m.decode(text); err != nil {
		return m, false, fmt.Errorf("%s: %w: %w", t.tree.Path(t.manifest), ErrManifest, err)
	}
	return m, true, nil
}

// checkManifestOwner refuses a manifest that this process's user has not written: it would have files removed and
// directories re-owned that only this user may touch.
func (t *target) checkManifestOwner(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if uid, ok := ownerOf(info); ok && uid != os.Geteuid() {
		return fmt.Errorf("%s: %w (number %d)", t.tree.Path(t.manifest), ErrForeignOwner, uid)
	}
	return nil
}

// decode takes nothing but names that can be of files in the directory.
func (m *manifest) decode(text []byte) error {
	var stored manifestJSON
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&stored); err != nil {
		return errors.New("not the JSON it should be")
	}
	if stored.Version != manifestVersion || decoder.More() || len(text) > maxManifestBytes {
		return errors.New("of another version, or too large")
	}
	if len(stored.Change) > maxChangeBytes || len(stored.Told) > maxChangeBytes {
		return errors.New("a change in it is not valid")
	}
	m.change, m.told, m.keepsChanges = stored.Change, stored.Told, stored.KeepChanges
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

// writeManifest puts the manifest in place.
func (t *target) writeManifest(m manifest, exists bool) error {
	stored := manifestJSON{manifestVersion, sortedKeys(m.files), sortedKeys(m.directories), m.change, m.told, m.keepsChanges}
	text, err := json.Marshal(stored)
	if err != nil {
		return err
	}
	put := t.tree.Create
	if exists {
		put = t.tree.Replace
	}
	return put(t.manifest, append(text, '\n'), durable.Access{Mode: manifestMode})
}

// fileNameProblem says why a secret's name cannot be that of a file below the directory, or "".
func fileNameProblem(name string) string {
	for part := range strings.SplitSeq(name, "/") {
		switch {
		case strings.HasSuffix(part, ManifestName) || strings.HasSuffix(part, manifestLock):
			return "the name of a file that vault-tool keeps there" // in any directory, for any of them may be rendered into by itself
		case part == "" || part == "." || part == ".." || strings.ContainsAny(part, "\x00\\"):
			return "not a name of a file"
		case durable.IsTempName(part):
			return "the form of a temporary file's name"
		}
	}
	return ""
}
