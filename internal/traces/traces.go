// Package traces finds out where else in a vault values stand that are about to go: under another name, or in the history of one.
package traces

import (
	"hash/maphash"

	"github.com/mazevault/vault-tool/vaultfile"
)

// Place is where a value stands.
type Place struct {
	Name    string
	Version uint64 // 0: it is the secret's present value
}

// Elsewhere returns the places that have a value which stands at one of those that are going, and are not going themselves. Values are compared
// by a hash with a key of its own, so that none is copied; an empty value is everywhere and counts nowhere.
func Elsewhere(v *vaultfile.Vault, going func(Place) bool) ([]Place, error) {
	seed := maphash.MakeSeed()
	hashes := make(map[uint64]bool)
	err := v.EachValue(func(name string, version uint64, value []byte) error {
		if len(value) > 0 && going(Place{name, version}) {
			hashes[maphash.Bytes(seed, value)] = true
		}
		return nil
	})
	if err != nil || len(hashes) == 0 {
		return nil, err
	}
	var places []Place
	err = v.EachValue(func(name string, version uint64, value []byte) error {
		if place := (Place{name, version}); hashes[maphash.Bytes(seed, value)] && !going(place) {
			places = append(places, place)
		}
		return nil
	})
	return places, err
}
