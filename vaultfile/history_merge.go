package vaultfile

import (
	"bytes"
	"maps"
	"slices"

	"github.com/mazevault/vault-tool/internal/history"
	"github.com/mazevault/vault-tool/internal/reserved"
)

// merge are two vaults of which the changes from one to the other are made in a draft.
type merge struct {
	base, theirs *Vault // base may be nil
	conflicts    []string
	unmerged     []string // entries of the history that both have changed

	kept map[string]uint64 // versions that have theirs' values of conflicts

	folders map[string]*mergedFolder
	pasts   [2]pastReader // of base and theirs
}

// mergedFolder is a folder with the counts that both vaults have added to the common one.
type mergedFolder struct {
	*history.Folder
	ours   uint64 // the revision that it had here
	base   uint64 // the common one
	theirs uint64 // how many revisions theirs has added
}

// revision is what a revision of theirs is in the merged vault.
func (f *mergedFolder) revision(theirs uint64) uint64 {
	if theirs <= f.base {
		return min(theirs, f.ours)
	}
	return f.ours + theirs - f.base
}

// settingsOf are those of a vault that may be nil, or of another form.
func settingsOf(v *Vault) history.Settings {
	if v == nil {
		return history.Settings{}
	}
	s, err := v.settings()
	if err != nil {
		return history.Settings{}
	}
	return s
}

// mergeSettings takes over what theirs has changed of the settings. A history that was erased there is erased here.
func (r *recorder) mergeSettings(m *merge) {
	base, theirs, ours := settingsOf(m.base), settingsOf(m.theirs), r.settings
	if len(r.settings.MergeRest(base, theirs)) > 0 {
		m.unmerged = append(m.unmerged, string(reserved.Settings))
	}
	switch {
	case theirs.Bounds == ours.Bounds || theirs.Bounds == base.Bounds:
	case ours.Bounds == base.Bounds:
		b := HistoryBounds(theirs.Bounds)
		r.draft.past.bounds = &b
	default:
		m.unmerged = append(m.unmerged, string(reserved.Settings))
	}
	erased := base.On() && theirs.On() && !bytes.Equal(base.Key, theirs.Key)
	if erased && bytes.Equal(base.Key, ours.Key) {
		r.draft.past.drop = true
	}
	if theirs.On() {
		r.settings.Counter = max(r.settings.Counter, theirs.Counter)
	}
}

// merge puts the history of theirs since base behind that of the draft's vault.
func (r *recorder) merge(m *merge) error {
	m.folders = make(map[string]*mergedFolder)
	m.pasts = [2]pastReader{newPastReader(m.base), newPastReader(m.theirs)}
	defer m.pasts[0].close()
	defer m.pasts[1].close()
	for _, name := range r.changedNames(m) {
		if err := r.mergeRecord(m, name); err != nil {
			return err
		}
	}
	if !r.report.Begun {
		return nil
	}
	for _, e := range r.old.entries { // those that theirs has not brought
		if name := string(e.name(r.old.payload)); r.records[name] == nil && r.draft.Has(name) {
			r.beginRecord(name, e.value(r.old.payload))
		}
	}
	return nil
}

// changedNames are the secrets whose value or record theirs has changed since base.
func (r *recorder) changedNames(m *merge) []string {
	changed := make(map[string]bool)
	for name := range r.draft.changes {
		changed[name] = true
	}
	for _, name := range m.conflicts {
		changed[name] = true
	}
	var d history.Decoder
	for _, e := range m.theirs.reserved {
		entry, now := string(e.name(m.theirs.payload)), e.value(m.theirs.payload)
		name, ok := reserved.IsHistory(entry)
		if !ok {
			continue
		}
		var was []byte
		if m.base != nil {
			was, _ = m.base.findReserved(reserved.Name(entry))
		}
		if bytes.Equal(was, now) && !r.report.Begun {
			continue
		}
		if rec, err := d.Decode(now, name); err == nil {
			changed[rec.Name] = true
		}
	}
	return slices.Sorted(maps.Keys(changed))
}

// mergeRecord puts the versions of theirs behind those of a secret's record, and one more where the secret has another value than the last one.
func (r *recorder) mergeRecord(m *merge, name string) error {
	ours, _ := r.old.find(name)
	rec, known := r.record(name)
	if !known { // it is of a later version, which will notice the change
		return nil
	}
	folder := r.mergeFolder(m, reserved.FolderOf(name))
	first := r.settings.Counter + 1
	if !r.report.Begun {
		at := history.Moment{Seconds: r.author.Time.Unix(), Revision: folder.ours}
		if rec.Reconcile(ours, r.digester, first, at) {
			folder.Oldest = at.Revision
		}
	}
	base, theirs := m.pasts[0].of(name), m.pasts[1].of(name)
	since := history.Since(theirs, base, history.Past{Record: *rec, Value: ours})
	if len(rec.Versions) == 0 {
		rec.Cut = theirs.Cut
	}
	value := ours // of the last version, as long as it is current
	for _, v := range since {
		r.supersede(rec, value)
		value = r.appendTheirs(folder, rec, v, theirs.Value)
	}
	r.finishRecord(folder, rec, value)
	history.TakeDestroyed(theirs, history.Past{Record: *rec, Value: value}, func(_, next *history.Version) { r.incomplete(rec, next) })
	r.trim(rec)
	if n := len(rec.Versions) - 2; n >= 0 && len(since) > 0 && slices.Contains(m.conflicts, name) && rec.Versions[n].State == history.Kept {
		m.kept[name] = rec.Versions[n].Number
	}
	return nil
}

// pastReader reads what a vault has of many secrets.
type pastReader struct {
	vault    *Vault            // may be nil
	digester *history.Digester // nil where there is no history
	decoder  *history.Decoder
	first    uint64 // number of a record that begins
}

func newPastReader(v *Vault) pastReader {
	p := pastReader{vault: v, decoder: new(history.Decoder)}
	if s := settingsOf(v); s.On() {
		p.digester, p.first = s.NewDigester(), s.Counter+1
	}
	return p
}

func (p pastReader) close() {
	if p.digester != nil {
		p.digester.Close()
	}
}

// of is what the vault has of a secret, with what other programs have done to it.
func (p pastReader) of(name string) (past history.Past) {
	if p.vault == nil {
		return past
	}
	past.Value, _ = p.vault.find(name)
	if p.digester == nil {
		return past
	}
	if rec, err := p.vault.recorded(name, p.decoder); err == nil {
		rec.Reconcile(past.Value, p.digester, p.first, history.Moment{})
		past.Record = rec
	}
	return past
}

// supersede makes the last version, if it is current, an old one with the given value.
func (r *recorder) supersede(rec *history.Record, value []byte) {
	if last := rec.Last(); last != nil && last.State == history.Current {
		last.Lose(history.Kept)
		last.Plain = value
	}
}

// appendTheirs appends a version of theirs, with a number and a revision behind those that are there. It returns the value, if that is current.
func (r *recorder) appendTheirs(folder *mergedFolder, rec *history.Record, v history.Version, value []byte) []byte {
	least := r.settings.Counter + 1
	v.Revision = folder.revision(v.Revision)
	if last := rec.Last(); last != nil {
		least = last.Number + 1
		v.Revision = max(v.Revision, last.Revision)
	}
	v.Number = max(v.Number, least)
	if v.Seconds == 0 { // another program's, noticed only now
		v.Seconds = r.author.Time.Unix()
	}
	folder.Revision = max(folder.Revision, v.Revision)
	if v.State != history.Current {
		value = nil
	} else {
		v.Digest = r.digester.Digest(rec.Name, value)
	}
	rec.Versions = append(rec.Versions, v)
	return value
}

// finishRecord adds a version where the secret is not what the last one says. value is the last one's, while it is current.
func (r *recorder) finishRecord(folder *mergedFolder, rec *history.Record, value []byte) {
	now := r.draft.valueOf(rec.Name)
	last := rec.Last()
	isCurrent := last != nil && last.State == history.Current
	switch {
	case now != nil && isCurrent && bytes.Equal(now, value):
		return
	case now == nil && (last == nil || last.State == history.Deleted):
		return
	}
	folder.Revision = folder.ours + folder.theirs + 1
	v := history.Version{Seconds: r.author.Time.Unix(), Revision: folder.Revision, Who: r.author.Who, Command: r.author.Command}
	var old []byte
	if isCurrent {
		old = value
	}
	rec.Add(v, now, old, r.digester, r.settings.Counter+1)
}

// valueOf is a secret's value as the draft has it, or nil.
func (d *Draft) valueOf(name string) []byte {
	if c, ok := d.changes[name]; ok {
		return c.value
	}
	value, _ := d.base.find(name)
	return value
}

// mergeFolder returns a folder that has counted what both have counted.
func (r *recorder) mergeFolder(m *merge, path string) *mergedFolder {
	if f, ok := m.folders[path]; ok {
		return f
	}
	own := r.readFolder(path)
	if f, ok := r.folders[path]; ok { // the history begins anew
		own = f
	}
	base, theirs := folderOf(m.base, path), folderOf(m.theirs, path)
	f := &mergedFolder{Folder: own, ours: own.Revision, base: min(base.Revision, theirs.Revision)}
	f.theirs = theirs.Revision - f.base
	own.Revision += f.theirs
	if theirs.Oldest > f.base {
		own.Oldest = max(own.Oldest, f.revision(theirs.Oldest))
	}
	if own.Oldest == 0 {
		own.Oldest = max(own.Revision, 1)
	}
	own.MergeRest(base, theirs)
	r.folders[path], m.folders[path] = own, f
	return f
}

func folderOf(v *Vault, path string) history.Folder {
	if v == nil {
		return history.Folder{}
	}
	src, _ := v.findReserved(reserved.Folder(path))
	f, err := history.DecodeFolder(src, path)
	if err != nil {
		return history.Folder{}
	}
	return f
}
