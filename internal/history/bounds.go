package history

// Trim drops the oldest versions beyond the bounds' number of them. dropped is told of each, with the one that followed it.
func (r *Record) Trim(b Bounds, dropped func(v, next *Version)) {
	over := max(len(r.Versions)-b.Keep, 0)
	for i := range over {
		dropped(&r.Versions[i], &r.Versions[i+1])
	}
	r.Versions = r.Versions[over:]
	r.Cut = r.Cut || over > 0
}

// TrimBytes drops the oldest values beyond the bounds' size, but not the last one that is kept.
func (r *Record) TrimBytes(b Bounds, dropped func(v, next *Version)) {
	for int64(r.OldBytes()) > b.MaxBytes && r.keptValues() > 1 {
		r.DropOldest(dropped)
	}
}

// keptValues is the number of old values.
func (r *Record) keptValues() int {
	n := 0
	for i := range r.Versions {
		if r.Versions[i].State == Kept {
			n++
		}
	}
	return n
}

// HasValues tells whether any old value is kept.
func (r *Record) HasValues() bool { return r.keptValues() > 0 }

// DropOldest drops the oldest value that is kept, if there is one.
func (r *Record) DropOldest(dropped func(v, next *Version)) {
	for i := range r.Versions {
		if v := &r.Versions[i]; v.State == Kept {
			dropped(v, &r.Versions[i+1]) // a value that is kept is never the last
			v.Lose(Dropped)
			return
		}
	}
}
