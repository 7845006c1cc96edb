package history

import "encoding/json"

// Folder is the counter of a folder: of all secrets with the same name up to the last '/'.
type Folder struct {
	Name     string // the folder's path
	Revision uint64 // grows by one with every change of the vault that changes a secret of it
	Oldest   uint64 // the earliest revision of which all values are there

	rest map[string]json.RawMessage // metadata, and what else a later version keeps there
}

// DecodeFolder reads the entry; an empty src is that of a folder at its beginning. The error is ErrUnknown.
func DecodeFolder(src []byte, name string) (Folder, error) {
	f := Folder{Name: name}
	if len(src) == 0 {
		return f, nil
	}
	if json.Unmarshal(src, &f.rest) != nil || string(f.rest["v"]) != "1" ||
		json.Unmarshal(f.rest["revision"], &f.Revision) != nil || json.Unmarshal(f.rest["oldest"], &f.Oldest) != nil {
		return Folder{}, ErrUnknown
	}
	if long, ok := f.rest["name"]; ok && json.Unmarshal(long, &f.Name) != nil {
		return Folder{}, ErrUnknown
	}
	return f, nil
}

// Encode returns the entry. named adds the path, for an entry whose own name does not tell it.
func (f *Folder) Encode(named bool) []byte {
	all := make(map[string]any, len(f.rest))
	for key, value := range f.rest {
		all[key] = value
	}
	all["v"], all["revision"], all["oldest"] = formatVersion, f.Revision, f.Oldest
	if named {
		all["name"] = f.Name
	}
	text, err := json.Marshal(all)
	if err != nil {
		panic("history: a folder that is no JSON: " + err.Error()) // each part was read as JSON, or is a number
	}
	return text
}
