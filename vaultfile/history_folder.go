package vaultfile

import (
	"fmt"

	"github.com/mazevault/vault-tool/internal/history"
	"github.com/mazevault/vault-tool/internal/reserved"
)

// Folder counts the changes of a folder's secrets: of those whose names are its path, a '/' and one more part, or where the path is ""
// have no '/'.
type Folder struct {
	Revision uint64 // the latest; 0 where nothing has been recorded
	Oldest   uint64 // the earliest of which the whole folder can still be read
}

// Folder returns the counter of the folder at path. The vault was opened with [OpenHistory].
func (v *Vault) Folder(path string) Folder {
	src, _ := v.findReserved(reserved.Folder(path))
	f, err := history.DecodeFolder(src, path)
	if err != nil {
		return Folder{}
	}
	return Folder{f.Revision, f.Oldest}
}

// AtRevision returns which version each secret of the folder at path had at a revision; secrets that did not exist then are not among
// them. The error wraps [ErrNotFound] where the folder has no such revision, or not all of it any more, and [ErrNoHistory].
func (v *Vault) AtRevision(path string, revision uint64) (map[string]uint64, error) {
	if v.Keeps().Keep == 0 {
		return nil, ErrNoHistory
	}
	f := v.Folder(path)
	switch {
	case revision == 0 || revision > f.Revision:
		return nil, fmt.Errorf("%w: the folder %q has no revision %d; the latest is %d", ErrNotFound, path, revision, f.Revision)
	case revision < f.Oldest:
		return nil, fmt.Errorf("%w: the folder %q can be read from revision %d on, not as it was at %d", ErrNotFound, path, f.Oldest, revision)
	}
	versions := make(map[string]uint64)
	for _, name := range v.Past() {
		if reserved.FolderOf(name) != path {
			continue
		}
		h, err := v.History(name)
		if err != nil {
			return nil, err
		}
		for _, version := range h.Versions {
			switch {
			case version.Revision > revision || version.Revision == 0: // later, or not recorded yet
			case version.State == VersionDeleted:
				delete(versions, name)
			default:
				versions[name] = version.Number
			}
		}
	}
	return versions, nil
}
