package checkup

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/mazevault/vault-tool/internal/durable"
	"github.com/mazevault/vault-tool/internal/finding"
	"github.com/mazevault/vault-tool/internal/owner"
	"github.com/mazevault/vault-tool/internal/posixacl"
	"github.com/mazevault/vault-tool/internal/shellword"
)

// directories looks at the directories of vault and key and all that lead to them: whoever may write to one of them can put other files into
// their place.
func directories(_ context.Context, h *Host) []finding.Finding {
	if runtime.GOOS == "windows" { // where modes mean nothing
		return nil
	}
	var direct, all []string
	for _, path := range []string{h.Vault, h.Key} {
		if path != "" {
			direct = append(direct, parents(path)...)
		}
	}
	for _, dir := range direct {
		for !slices.Contains(all, dir) { // those above one that is known are known
			all = append(all, dir)
			dir = filepath.Dir(dir)
		}
	}
	believed := h.believed()
	var found []finding.Finding
	for _, dir := range all {
		found = append(found, h.directory(dir, slices.Contains(direct, dir), believed)...)
	}
	return found
}

// parents are the directory of a path, as it is given and by its true name, and that of the file behind its links.
func parents(path string) []string {
	var dirs []string
	add := func(dir string) {
		absolute, err := filepath.Abs(dir)
		if err != nil {
			return
		}
		if !slices.Contains(dirs, absolute) {
			dirs = append(dirs, absolute)
		}
		if real, err := filepath.EvalSymlinks(absolute); err == nil && !slices.Contains(dirs, real) {
			dirs = append(dirs, real)
		}
	}
	add(filepath.Dir(path))
	if target, err := durable.Resolve(path); err == nil {
		add(filepath.Dir(target))
	}
	return dirs
}

// directory looks at one directory: one that holds the vault or the key itself, or one that leads there.
func (h *Host) directory(dir string, direct bool, believed map[uint32]bool) []finding.Finding {
	info, err := os.Lstat(dir)
	if err != nil {
		return nil
	}
	var found []finding.Finding
	o, _ := owner.Of(info)
	if !believed[o.UID] && !owner.IsOverflow(o.UID) {
		found = append(found, finding.Finding{
			Severity: finding.Error, Check: "directory-owner", Insecure: true, Where: []string{dir},
			What: fmt.Sprintf("it leads to the vault or its key, and belongs to %s, who can put others into their place", owner.User(o.UID)),
		})
	}
	if !info.IsDir() { // a link, whose mode means nothing
		return found
	}
	return append(found, h.directoryAccess(dir, direct, info, o)...)
}

func (h *Host) directoryAccess(dir string, direct bool, info fs.FileInfo, o owner.Owner) []finding.Finding {
	mode, sticky := info.Mode().Perm(), info.Mode()&fs.ModeSticky != 0
	path := shellword.Path(dir)
	list, err := posixacl.OfPath(dir)
	hasList := err == nil && len(list) > 0
	f := finding.Finding{Insecure: true, Where: []string{dir}}
	switch {
	case mode&anyoneWrite != 0 && !sticky:
		f.Severity, f.Check, f.Mend = finding.Error, "directory-writable", "chmod o-w "+path
		f.What = fmt.Sprintf("everybody can write to this directory (mode %04o), and so put another vault or key into their place", mode)
	case mode&anyoneWrite != 0 && direct:
		f.Severity, f.Check = finding.Warn, "directory-shared"
		f.What = "everybody can make files in this directory: keep vault and key in one of their own"
	case sticky:
		return nil // others can add files, but not take away those that lead to the vault
	case hasList && h.grantsTo(withoutGroup(list), posixacl.Write) != "":
		f.Severity, f.Check, f.Mend = finding.Warn, "directory-acl", "setfacl --remove-all "+path
		f.What = fmt.Sprintf("an access control list lets %s put another vault or key into their place", h.grantsTo(withoutGroup(list), posixacl.Write))
	case mode&groupWrite != 0 && !hasList && o.GID != 0 && o.GID != o.UID: // a group of the same number is the user's own, by custom
		f.Severity, f.Check, f.Mend = finding.Warn, "directory-group", "chmod g-w "+path
		f.What = fmt.Sprintf("the group %s can write to this directory, and so put another vault or key into their place", owner.Group(o.GID))
	default:
		return nil
	}
	return one(f)
}

// withoutGroup leaves out the file's own group and everybody, whom the mode tells of.
func withoutGroup(list posixacl.List) posixacl.List {
	var named posixacl.List
	for _, e := range list {
		if e.Tag != posixacl.GroupObj && e.Tag != posixacl.Other {
			named = append(named, e)
		}
	}
	return named
}
