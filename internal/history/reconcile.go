package history

// Moment is when something is noted, and for which revision of the folder.
type Moment struct {
	Seconds  int64 // since 1970; 0 where it is only looked at
	Revision uint64
}

// Reconcile adds what another program has done to the secret since the last version: its value is another one than that recorded, it
// is gone, or it is there again. value is the secret's, nil where there is none; a record without versions begins with number
// first. It returns whether a value was lost that way.
func (r *Record) Reconcile(value []byte, d *Digester, first uint64, m Moment) (lost bool) {
	last := r.Last()
	has, recorded := value != nil, last != nil && last.State == Current
	if !has && !recorded || has && recorded && last.Digest == d.Digest(r.Name, value) {
		return false
	}
	if recorded {
		last.Lose(Lost)
	}
	v := Version{Number: r.next(first), Seconds: m.Seconds, Revision: m.Revision, Origin: Foreign, State: Deleted}
	if has {
		v.State, v.Digest = Current, d.Digest(r.Name, value)
	}
	r.Versions = append(r.Versions, v)
	return recorded
}

// Add makes v the newest version, of the given value or, for nil, of the secret's removal. old is the value until now, nil where
// there was none; it is kept with its version where it stands.
func (r *Record) Add(v Version, value, old []byte, d *Digester, first uint64) {
	if old != nil {
		last := r.Last()
		last.Lose(Kept)
		last.Plain = old
	}
	v.Number, v.State = r.next(first), Deleted
	if value != nil {
		v.State, v.Digest = Current, d.Digest(r.Name, value)
	}
	r.Versions = append(r.Versions, v)
}

func (r *Record) next(first uint64) uint64 {
	if last := r.Last(); last != nil {
		return last.Number + 1
	}
	return first
}
