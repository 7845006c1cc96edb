package checkup

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strconv"

	"github.com/mazevault/vault-tool/internal/beside"
	"github.com/mazevault/vault-tool/internal/finding"
	"github.com/mazevault/vault-tool/internal/owner"
	"github.com/mazevault/vault-tool/internal/posixacl"
	"github.com/mazevault/vault-tool/internal/shellword"
)

// Permission bits.
const (
	othersAny   fs.FileMode = 0o077
	othersWrite fs.FileMode = 0o022
	anyoneRead  fs.FileMode = 0o004
	anyoneWrite fs.FileMode = 0o002
	groupWrite  fs.FileMode = 0o020
)

// regular returns what is to be known of a regular file, and nothing of what is missing or of another kind: whoever opens it will say so.
// Where modes mean nothing there is nothing to be known.
func regular(path string) (fs.FileInfo, bool) {
	if path == "" || runtime.GOOS == "windows" {
		return nil, false
	}
	info, err := os.Stat(path)
	return info, err == nil && info.Mode().IsRegular()
}

// keyFiles looks at who may touch the key, and the keys before and behind it.
func keyFiles(_ context.Context, h *Host) []finding.Finding {
	if h.Key == "" {
		return nil
	}
	paths := []string{h.Key}
	for _, f := range h.beside() {
		if f.Kind == beside.NewKey || f.Kind == beside.OldKey {
			paths = append(paths, f.Path)
		}
	}
	var found []finding.Finding
	for _, path := range paths {
		info, ok := regular(path)
		if !ok {
			continue
		}
		found = append(found, h.keyAccess(path, info)...)
		if owner.Links(info) > 1 {
			found = append(found, finding.Finding{
				Severity: finding.Warn, Check: "key-link", Insecure: true, Where: []string{path},
				What: "the key has a second name (a hard link), where it is not looked for when it is removed",
				Mend: `find "$(stat --format %m ` + shellword.Path(path) + `)" -xdev -samefile ` + shellword.Path(path),
			})
		}
	}
	return found
}

// keyAccess is about mode and access control list of one key.
func (h *Host) keyAccess(path string, info fs.FileInfo) []finding.Finding {
	list, err := posixacl.OfPath(path)
	if err == nil && len(list) > 0 {
		if named := h.grantsTo(list, posixacl.Read|posixacl.Write); len(named) > 0 {
			return one(finding.Finding{
				Severity: finding.Error, Check: "key-acl", Insecure: true, Where: []string{path},
				What: fmt.Sprintf("an access control list lets %s at the key", named),
				Mend: "setfacl --remove-all " + shellword.Path(path) + " && chmod 400 " + shellword.Path(path),
			})
		}
		return nil // what the mode shows for the group is the mask of the list
	}
	if info.Mode().Perm()&othersAny == 0 {
		return nil
	}
	return one(finding.Finding{
		Severity: finding.Error, Check: "key-mode", Insecure: true, Where: []string{path},
		What: fmt.Sprintf("the key has mode %04o: its group or others can touch it, and commands refuse it", info.Mode().Perm()),
		Mend: "chmod 400 " + shellword.Path(path),
	})
}

// grantsTo says who beside the caller has one of these permissions by a list, or "".
func (h *Host) grantsTo(list posixacl.List, may posixacl.Permissions) string {
	who := ""
	add := func(text string) {
		if who != "" {
			who += ", "
		}
		who += text
	}
	for _, g := range list.Grants() {
		switch {
		case g.May&may == 0:
		case g.Tag == posixacl.User && (g.ID == 0 || g.ID == h.Caller && g.May&posixacl.Write == 0):
		case g.Tag == posixacl.User:
			add("user " + owner.User(g.ID))
		case g.Tag == posixacl.Group:
			add("group " + owner.Group(g.ID))
		case g.Tag == posixacl.GroupObj:
			add("its group")
		default:
			add("everybody")
		}
	}
	return who
}

// keyOwner looks at whose the key is.
func keyOwner(_ context.Context, h *Host) []finding.Finding {
	info, ok := regular(h.Key)
	if !ok {
		return nil
	}
	o, _ := owner.Of(info)
	fit := o.UID == 0 || o.UID == h.Caller
	suggested := h.Caller
	if vault, ok := regular(h.Vault); ok {
		vaultOwner, _ := owner.Of(vault)
		fit = fit || o.UID == vaultOwner.UID
		suggested = vaultOwner.UID
	}
	if fit || owner.IsOverflow(o.UID) {
		return nil
	}
	return one(finding.Finding{
		Severity: finding.Error, Check: "key-owner", Insecure: true, Where: []string{h.Key},
		What: fmt.Sprintf("the key belongs to %s, and neither to root, nor to you, nor to the owner of the vault", owner.User(o.UID)),
		Mend: "chown " + strconv.FormatUint(uint64(suggested), 10) + " " + shellword.Path(h.Key),
	})
}

// vaultFile looks at whose the vault is and who may touch it.
func vaultFile(_ context.Context, h *Host) []finding.Finding {
	info, ok := regular(h.Vault)
	if !ok {
		return nil
	}
	var found []finding.Finding
	add := func(s finding.Severity, check, mend, what string, args ...any) {
		found = append(found, finding.Finding{Severity: s, Check: check, Insecure: true, Where: []string{h.Vault}, What: fmt.Sprintf(what, args...), Mend: mend})
	}
	path := shellword.Path(h.Vault)
	mode := info.Mode().Perm()
	list, err := posixacl.OfPath(h.Vault)
	hasList := err == nil && len(list) > 0
	if hasList {
		if named := h.grantsTo(list, posixacl.Write); named != "" {
			add(finding.Error, "vault-acl", "setfacl --remove-all "+path+" && chmod go-w "+path,
				"an access control list lets %s write to the vault, and so put an older one in its place", named)
		}
	}
	if mode&othersWrite != 0 && !hasList || mode&anyoneWrite != 0 {
		add(finding.Error, "vault-mode", "chmod go-w "+path, "the vault has mode %04o: others can write to it, and so put an older one in its place", mode)
	} else if mode&anyoneRead != 0 {
		add(finding.Warn, "vault-readable", "chmod o-r "+path, "the vault has mode %04o: everybody on the host can copy it", mode)
	}
	if o, ok := owner.Of(info); ok && !h.believedOwner(o.UID) {
		add(finding.Error, "vault-owner", "chown "+strconv.FormatUint(uint64(h.Caller), 10)+" "+path,
			"the vault belongs to %s, and neither to root, nor to you, nor to the owner of the key", owner.User(o.UID))
	}
	return found
}

// believedOwner tells whether the vault may belong to a user: root, the caller, the key's owner.
func (h *Host) believedOwner(uid uint32) bool {
	if uid == 0 || uid == h.Caller || owner.IsOverflow(uid) {
		return true
	}
	key, ok := regular(h.Key)
	if !ok {
		return h.Caller == 0 // root looks after the vaults of others, and where no key file tells whose, there is no more to go by
	}
	o, _ := owner.Of(key)
	return o.UID == uid
}

// beside are the files beside vault and key. What cannot be listed is told elsewhere.
func (h *Host) beside() []beside.File {
	files, err := beside.List(h.Vault, h.Key)
	if err != nil {
		return nil
	}
	return files
}
