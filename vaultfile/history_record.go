package vaultfile

import (
	"maps"
	"slices"
	"time"

	"github.com/mazevault/vault-tool/internal/history"
	"github.com/mazevault/vault-tool/internal/reserved"
)

// HistoryReport is what became of the old values of what was changed.
type HistoryReport struct {
	Kept    []string // secrets whose old value is kept, sorted
	NotKept []string // secrets whose old value is gone, sorted
	Dropped []string // secrets of which older values went, because a bound was reached; sorted
	Begun   bool     // the vault keeps a history from here on
	On      bool     // it keeps one
}

// past is what a draft does to the history beside what follows from its changes.
type past struct {
	bounds  *HistoryBounds      // new ones
	drop    bool                // forget all of it
	from    map[string]string   // new names of secrets to the names that their values had
	destroy map[string][]uint64 // versions to destroy; nil numbers: all of them
	merge   *merge              // another vault's changes, which the draft has made
}

func (p *past) changed() bool { return p.bounds != nil || p.drop || len(p.destroy) > 0 }

// recorder writes the history of one change.
type recorder struct {
	draft    *Draft
	old      *Vault // what the draft is built upon, nil for a new vault
	author   Author
	settings history.Settings
	digester *history.Digester
	decoder  history.Decoder
	records  map[string]*history.Record // those that have changed
	folders  map[string]*history.Folder // likewise
	report   HistoryReport
	dropped  map[string]bool
	room     int // for the payload
}

// recordHistory puts what the draft changes into its history, if the vault has one.
func (d *Draft) recordHistory(o WriteOptions) (HistoryReport, error) {
	return d.recordHistoryWithin(o, MaxFileBytes-minFileBytes)
}

// recordHistoryWithin is recordHistory for a payload of at most so many bytes.
func (d *Draft) recordHistoryWithin(o WriteOptions, room int) (HistoryReport, error) {
	r := recorder{
		room:  room,
		draft: d, author: o.Author,
		records: make(map[string]*history.Record), folders: make(map[string]*history.Folder), dropped: make(map[string]bool),
	}
	if !d.isNew {
		r.old = d.base
		settings, err := d.base.settings()
		if err != nil {
			return r.withoutHistory(), nil // they are of a later version, and stay as they are
		}
		r.settings = settings
	} else if d.past.bounds == nil && o.History.Keep > 0 {
		d.past.bounds = &o.History
	}
	if r.author.Time.IsZero() {
		r.author.Time = time.Now()
	}
	if err := r.apply(); err != nil {
		return HistoryReport{}, err
	}
	slices.Sort(r.report.Kept)
	slices.Sort(r.report.NotKept)
	r.report.Dropped = slices.Sorted(maps.Keys(r.dropped))
	r.report.On = r.settings.On()
	return r.report, nil
}

// withoutHistory tells what a change without a history loses.
func (r *recorder) withoutHistory() HistoryReport {
	for _, name := range slices.Sorted(maps.Keys(r.draft.changes)) {
		if r.old != nil && r.old.Has(name) {
			r.report.NotKept = append(r.report.NotKept, name)
		}
	}
	return r.report
}

func (r *recorder) apply() error {
	had := r.settings.On()
	m := r.draft.past.merge
	if m != nil {
		r.mergeSettings(m)
	}
	if b := r.draft.past.bounds; r.draft.past.drop || b != nil && b.Keep == 0 {
		r.forgetAll()
	}
	if err := r.setBounds(); err != nil {
		return err
	}
	if !r.settings.On() {
		r.withoutHistory()
		r.draft.dropReferences()
		if had || m != nil {
			return r.writeSettings()
		}
		return nil
	}
	if !had && !r.report.Begun {
		return nil
	}
	r.digester = r.settings.NewDigester()
	defer r.digester.Close()
	if err := r.versions(m); err != nil {
		return err
	}
	r.destroy()
	r.keepWithin()
	if err := r.write(); err != nil {
		return err
	}
	return r.fit()
}

// versions makes a version of everything that changes.
func (r *recorder) versions(m *merge) error {
	if m != nil {
		return r.merge(m)
	}
	if r.report.Begun && r.old != nil {
		for _, e := range r.old.entries {
			r.beginRecord(string(e.name(r.old.payload)), e.value(r.old.payload))
		}
	}
	return r.changes()
}

// setBounds turns the history on or off, or changes its bounds.
func (r *recorder) setBounds() error {
	b := r.draft.past.bounds
	switch {
	case r.draft.past.drop && r.settings.On():
		counter := r.settings.Counter
		r.settings.Begin(r.settings.Bounds)
		r.settings.Counter, r.settings.OldBytes, r.settings.Deleted = counter, 0, 0
		r.report.Begun = true
	case b == nil:
	case b.Keep == 0:
		r.settings.End()
	case !r.settings.On():
		r.settings.Begin(history.Bounds(*b))
		r.report.Begun = true
	case r.settings.Bounds != history.Bounds(*b):
		r.settings.Bounds = history.Bounds(*b)
		r.eachOldRecord(func(rec *history.Record) { r.trim(rec) })
	}
	return nil
}

// forgetAll removes all records. Where the history goes on, numbers and revisions that were used are not used again.
func (r *recorder) forgetAll() {
	if r.old == nil {
		return
	}
	r.old.eachRecord(func(rec history.Record) { r.settings.Counter = max(r.settings.Counter, rec.Last().Number) })
	for _, e := range r.old.reserved {
		name := string(e.name(r.old.payload))
		_, isRecord := reserved.IsHistory(name)
		path, isFolder := reserved.IsFolder(name)
		switch {
		case isRecord, isFolder && !r.draft.past.drop:
			r.draft.reserved[name] = change{removed: true}
		case isFolder:
			if f, err := history.DecodeFolder(e.value(r.old.payload), path); err == nil {
				f.Revision++
				f.Oldest = f.Revision
				r.folders[f.Name] = &f
			}
		}
	}
}

// beginRecord makes the record of a secret that is there when the history begins.
func (r *recorder) beginRecord(name string, value []byte) {
	rec := &history.Record{Name: name}
	v := history.Version{
		Seconds: r.author.Time.Unix(), Who: r.author.Who, Command: r.author.Command, Origin: history.Before, Revision: r.folder(name).Revision,
	}
	rec.Add(v, value, nil, r.digester, r.settings.Counter+1)
	r.records[name] = rec
}

// changes makes a version of everything that the draft changes.
func (r *recorder) changes() error {
	if r.old == nil {
		var err error
		r.draft.eachSecret(func(name, value []byte) {
			if err == nil {
				err = r.change(string(name), nil, value)
			}
		})
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(r.draft.changes)) {
		old, _ := r.old.find(name)
		if err := r.change(name, old, r.draft.changes[name].value); err != nil {
			return err
		}
	}
	return nil
}

// change makes a version of a secret that had the value old and has the value now; nil is none.
func (r *recorder) change(name string, old, now []byte) error {
	rec, known := r.record(name)
	if !known { // it is of a later version, which will notice the change
		if old != nil {
			r.report.NotKept = append(r.report.NotKept, name)
		}
		return nil
	}
	folder := r.folder(name)
	at := history.Moment{Seconds: r.author.Time.Unix(), Revision: folder.Revision}
	first := r.settings.Counter + 1
	if rec.Reconcile(old, r.digester, first, at) {
		folder.Oldest = at.Revision
	}
	rec.Add(history.Version{
		Seconds: at.Seconds, Revision: at.Revision, Who: r.author.Who, Command: r.author.Command, From: r.draft.past.from[name],
	}, now, old, r.digester, first)
	r.trim(rec)
	if old == nil {
		return nil
	}
	if rec.HasValues() && rec.Versions[len(rec.Versions)-2].State == history.Kept {
		r.report.Kept = append(r.report.Kept, name)
	} else {
		r.report.NotKept = append(r.report.NotKept, name)
	}
	return nil
}

// record returns a secret's record, to be changed, and whether it can be understood.
func (r *recorder) record(name string) (*history.Record, bool) {
	if rec, ok := r.records[name]; ok {
		return rec, true
	}
	rec := history.Record{Name: name}
	if r.old != nil && !r.forgotten(name) {
		var err error
		if rec, err = r.old.recorded(name, &r.decoder); err != nil {
			return nil, false
		}
	}
	r.settings.OldBytes -= int64(rec.OldBytes())
	if isDeleted(&rec) {
		r.settings.Deleted--
	}
	r.records[name] = &rec
	return &rec, true
}

func (r *recorder) forgotten(name string) bool {
	return len(r.draft.reserved) > 0 && r.draft.reserved[string(reserved.History(name))].removed
}

func isDeleted(rec *history.Record) bool {
	last := rec.Last()
	return last != nil && last.State != history.Current
}

// eachOldRecord calls f for every record, to be changed.
func (r *recorder) eachOldRecord(f func(*history.Record)) {
	if r.old == nil {
		return
	}
	r.old.eachRecord(func(rec history.Record) {
		if own, ok := r.record(rec.Name); ok {
			f(own)
		}
	})
}

// folder returns the folder of a secret that changes, at its new revision.
func (r *recorder) folder(secret string) *history.Folder {
	path := reserved.FolderOf(secret)
	f, ok := r.folders[path]
	if !ok {
		f = r.readFolder(path)
		f.Revision++
		if f.Oldest == 0 {
			f.Oldest = f.Revision
		}
		r.folders[path] = f
	}
	return f
}

func (r *recorder) readFolder(path string) *history.Folder {
	var src []byte
	if r.old != nil {
		src, _ = r.old.findReserved(reserved.Folder(path))
	}
	f, err := history.DecodeFolder(src, path)
	if err != nil {
		f = history.Folder{Name: path} // of no form that is known: the counter begins anew
	}
	return &f
}

// incomplete notes that a version is there no more which was the secret's before the next one.
func (r *recorder) incomplete(rec *history.Record, next *history.Version) {
	path := reserved.FolderOf(rec.Name)
	f, ok := r.folders[path]
	if !ok {
		f = r.readFolder(path)
		r.folders[path] = f
	}
	f.Oldest = max(f.Oldest, next.Revision)
}

// trim keeps a record within the settings' bounds, and within what an entry can hold.
func (r *recorder) trim(rec *history.Record) {
	b := r.settings.Bounds
	rec.Trim(b, func(_, next *history.Version) { r.incomplete(rec, next) })
	rec.TrimBytes(b, func(_, next *history.Version) { r.drop(rec, next) })
	for rec.HasValues() && rec.MostLen() > MaxValueBytes && rec.Len(reserved.History(rec.Name).IsLong()) > MaxValueBytes {
		r.dropOldest(rec)
	}
}

func (r *recorder) dropOldest(rec *history.Record) {
	rec.DropOldest(func(_, next *history.Version) { r.drop(rec, next) })
}

// drop notes that a value goes because a bound is reached.
func (r *recorder) drop(rec *history.Record, next *history.Version) {
	r.incomplete(rec, next)
	r.dropped[rec.Name] = true
}

// destroy takes the values that are to be destroyed.
func (r *recorder) destroy() {
	for name, numbers := range r.draft.past.destroy {
		rec, known := r.record(name)
		if !known {
			continue
		}
		for i := range rec.Versions {
			v := &rec.Versions[i]
			if v.State != history.Kept || numbers != nil && !slices.Contains(numbers, v.Number) {
				continue
			}
			v.Lose(history.Destroyed)
			r.incomplete(rec, &rec.Versions[i+1])
		}
	}
}
