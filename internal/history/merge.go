package history

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
)

// Past is what a vault has of one secret.
type Past struct {
	Record
	Value []byte // the secret's, nil where there is none
}

// use calls f with the value of a version, if it is there.
func (p Past) use(v *Version, f func(value []byte)) {
	switch v.State {
	case Current:
		f(p.Value)
	case Kept:
		_ = v.Use(func(value []byte) error { // a value that cannot be had is not compared
			f(value)
			return nil
		})
	}
}

// Since returns the versions of theirs that neither base nor ours has, in their order. A version is known by what was done, when and by whom, and by
// its value, wherever both still have that: its number may be another one in each vault.
func Since(theirs, base, ours Past) []Version {
	var since []Version
	for i := range theirs.Versions {
		v := &theirs.Versions[i]
		if counterpart(theirs, v, base) == nil && counterpart(theirs, v, ours) == nil {
			since = append(since, *v)
		}
	}
	return since
}

// TakeDestroyed takes those old values of ours away that were destroyed in theirs, and calls lost for each, with the one that followed it.
func TakeDestroyed(theirs, ours Past, lost func(v, next *Version)) {
	for i := range theirs.Versions {
		if theirs.Versions[i].State != Destroyed {
			continue
		}
		v := counterpart(theirs, &theirs.Versions[i], ours)
		if v == nil || v.State != Kept {
			continue
		}
		lost(v, &ours.Versions[slices.IndexFunc(ours.Versions, func(w Version) bool { return w.Number == v.Number })+1])
		v.Lose(Destroyed)
	}
}

// counterpart is the same version in another vault, or nil.
func counterpart(p Past, v *Version, other Past) *Version {
	for i := range other.Versions {
		if w := &other.Versions[i]; isSame(p, v, other, w) {
			return w
		}
	}
	return nil
}

func isSame(a Past, v *Version, b Past, w *Version) bool {
	if v.Seconds != w.Seconds || v.Who != w.Who || v.Command != w.Command || v.From != w.From || v.Origin != w.Origin ||
		(v.State == Deleted) != (w.State == Deleted) {
		return false
	}
	compared, equal := false, false
	a.use(v, func(value []byte) {
		b.use(w, func(other []byte) { compared, equal = true, bytes.Equal(value, other) })
	})
	if compared {
		return equal
	}
	return v.State == Deleted || v.Number == w.Number
}

// MergeRest takes over the fields of the folder that are not this version's, where theirs changed them since base and ours did not.
func (f *Folder) MergeRest(base, theirs Folder) {
	f.rest, _ = mergeFields(base.rest, f.rest, theirs.rest, "v", "name", "revision", "oldest")
}

// MergeRest is likewise. It returns the fields that both have changed, otherwise; they stay as they are.
func (s *Settings) MergeRest(base, theirs Settings) (conflicts []string) {
	s.rest, conflicts = mergeFields(base.rest, s.rest, theirs.rest, "v", historyField)
	return conflicts
}

// mergeFields merges the fields of an object but for some.
func mergeFields(base, ours, theirs map[string]json.RawMessage, but ...string) (merged map[string]json.RawMessage, conflicts []string) {
	merged = maps.Clone(ours)
	all := slices.Sorted(maps.Keys(theirs))
	for name := range base {
		all = append(all, name)
	}
	slices.Sort(all)
	for _, name := range slices.Compact(all) {
		was, now := base[name], theirs[name]
		switch {
		case slices.Contains(but, name), bytes.Equal(was, now), bytes.Equal(ours[name], now):
		case !bytes.Equal(ours[name], was):
			conflicts = append(conflicts, name)
		case now == nil:
			delete(merged, name)
		default:
			if merged == nil {
				merged = make(map[string]json.RawMessage)
			}
			merged[name] = now
		}
	}
	return merged, conflicts
}
