//go:build !linux || !amd64

package argon2simd

// Sets returns nothing: this processor or system has none.
func Sets() []Set { return nil }

func compressors() map[Set]compressor { return nil }
