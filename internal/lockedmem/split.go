package lockedmem

import (
	"crypto/subtle"

	"github.com/awnumar/memguard"
)

// Split keeps a secret for a long time as two shares, each by itself random: the secret stands in
// memory only while it is used, so neither a look at one page nor a scan for the secret finds it.
type Split struct {
	pad    *Buffer // random
	masked *Buffer // secret XOR pad
}

// NewSplit takes a copy of secret apart; the caller still wipes its own.
func NewSplit(secret []byte) (*Split, error) {
	pad, err := New(len(secret))
	if err != nil {
		return nil, err
	}
	masked, err := New(len(secret))
	if err != nil {
		pad.Destroy()
		return nil, err
	}
	memguard.ScrambleBytes(pad.Bytes())
	subtle.XORBytes(masked.Bytes(), secret, pad.Bytes())
	return &Split{pad: pad, masked: masked}, nil
}

// Use puts the secret together in a buffer of its own, calls f with it and wipes that buffer.
func (s *Split) Use(f func(secret []byte) error) error {
	whole, err := New(s.pad.Len())
	if err != nil {
		return err
	}
	defer whole.Destroy()
	subtle.XORBytes(whole.Bytes(), s.masked.Bytes(), s.pad.Bytes())
	return f(whole.Bytes())
}

// Equal tells in constant time, lengths aside, whether b is the secret, without putting it together.
func (s *Split) Equal(b []byte) bool {
	pad, masked := s.pad.Bytes(), s.masked.Bytes()
	if len(b) != len(pad) {
		return false
	}
	var differ byte
	for i := range b {
		differ |= b[i] ^ pad[i] ^ masked[i]
	}
	return differ == 0
}

// Destroy wipes both shares. It may be called again, and on nil.
func (s *Split) Destroy() {
	if s == nil {
		return
	}
	s.pad.Destroy()
	s.masked.Destroy()
}
