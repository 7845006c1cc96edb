package vaultfile

import (
	"cmp"
	"slices"

	"github.com/mazevault/vault-tool/internal/history"
)

// Bounds of a whole history. They keep it from outgrowing what it is about.
const (
	oldPerLive      = 4       // so many bytes of old values for each of live content,
	leastOldBytes   = 4 << 20 // but at least so many,
	oldPerMaxBytes  = 4       // and at least so many times what the old values of one secret may have
	leastTombstones = 1000    // records of secrets that were removed, where there are fewer secrets than that
)

// keepWithin drops the oldest of what is beyond the bounds of the whole history.
func (r *recorder) keepWithin() {
	old, deleted := r.totals()
	if old <= leastOldBytes && deleted <= leastTombstones {
		return
	}
	live, names := r.draft.liveBytes()
	most := max(oldPerLive*live, leastOldBytes, oldPerMaxBytes*r.settings.MaxBytes)
	if old > most {
		r.shrink(old - most)
	}
	if tombstones := max(names, leastTombstones); deleted > tombstones {
		r.bury(deleted - tombstones)
	}
}

// liveBytes is the size of the secrets, and their number.
func (d *Draft) liveBytes() (size int64, names int) {
	d.eachSecret(func(name, value []byte) {
		size += int64(len(name) + len(value))
		names++
	})
	return size, names
}

// totals are the sizes of all old values, and the number of records of secrets that are gone.
func (r *recorder) totals() (old int64, deleted int) {
	old, deleted = r.settings.OldBytes, r.settings.Deleted
	for _, rec := range r.records {
		old += int64(rec.OldBytes())
		if isDeleted(rec) {
			deleted++
		}
	}
	return old, deleted
}

// shrink drops old values of so many bytes, the oldest first, of whatever secrets they are. A removed secret of which
// nothing is left then leaves the shared counter.
func (r *recorder) shrink(excess int64) {
	type candidate struct {
		rec     *history.Record
		seconds int64
		number  uint64
	}
	var all []candidate
	r.eachOldRecord(func(*history.Record) {}) // takes all of them in
	for _, rec := range r.records {
		for i := range rec.Versions {
			if v := &rec.Versions[i]; v.State == history.Kept {
				all = append(all, candidate{rec, v.Seconds, v.Number})
			}
		}
	}
	slices.SortFunc(all, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.seconds, b.seconds), cmp.Compare(a.rec.Name, b.rec.Name), cmp.Compare(a.number, b.number))
	})
	for _, c := range all {
		if excess <= 0 {
			return
		}
		before := c.rec.OldBytes()
		r.dropOldest(c.rec) // of one record in the order of numbers, whatever the clock said
		excess -= int64(before - c.rec.OldBytes())
		if isDeleted(c.rec) && !c.rec.HasValues() {
			r.forget(c.rec)
		}
	}
}

// bury removes so many records of removed secrets, those first that were removed first.
func (r *recorder) bury(excess int) {
	var gone []*history.Record
	r.eachOldRecord(func(*history.Record) {})
	for _, rec := range r.records {
		if isDeleted(rec) {
			gone = append(gone, rec)
		}
	}
	slices.SortFunc(gone, func(a, b *history.Record) int {
		return cmp.Or(cmp.Compare(a.Last().Seconds, b.Last().Seconds), cmp.Compare(a.Name, b.Name))
	})
	for _, rec := range gone[:min(excess, len(gone))] {
		if rec.HasValues() {
			r.dropped[rec.Name] = true
		}
		r.forget(rec)
	}
}

// forget removes the record of a removed secret. A secret of that name would go on from the shared counter.
func (r *recorder) forget(rec *history.Record) {
	last := rec.Last()
	r.settings.Counter = max(r.settings.Counter, last.Number)
	r.incomplete(rec, last)
	rec.Versions = nil
}

// fit makes room where the history would make the file larger than a vault can be: old values go, and in the end all records.
func (r *recorder) fit() error {
	if r.draft.atMost() <= r.room {
		return nil // without a look at every value
	}
	for step := 0; ; step++ {
		excess := r.draft.payloadBytes() - r.room
		if excess <= 0 {
			return nil
		}
		switch step {
		case 0:
			r.rewind()
			r.shrink(int64(excess)) // an escape in a record is at least as long in the payload
		case 1:
			r.rewind()
			r.eachOldRecord(func(*history.Record) {})
			for _, rec := range r.records {
				if last := rec.Last(); last != nil {
					r.dropped[rec.Name] = true
					r.forget(rec)
				}
			}
		default:
			return nil // it is the secrets that are too large, which is told where they are encoded
		}
		if err := r.write(); err != nil {
			return err
		}
	}
}

// atMost is a size that the draft's content does not exceed.
func (d *Draft) atMost() int {
	const longestEscape = len(`\u0000`)
	size := len("{}")
	if d.base != nil {
		size = longestEscape * len(d.base.payload)
	}
	for _, changes := range []map[string]change{d.changes, d.reserved} {
		for name, c := range changes {
			size += len(`"":"",`) + len(name) + longestEscape*len(c.value)
		}
	}
	return size
}

// rewind takes what write has added to the settings' totals back, for another write.
func (r *recorder) rewind() {
	for _, rec := range r.records {
		r.settings.OldBytes -= int64(rec.OldBytes())
		if isDeleted(rec) {
			r.settings.Deleted--
		}
	}
}
