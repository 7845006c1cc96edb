package jsontext

import "bytes"

// maxDepth bounds how deep values may be nested: a text must not decide how much stack it takes.
const maxDepth = 64

// Value steps over a value of any kind, and returns it as it stands; nil where there is none. What escapes in its strings mean is not
// looked at.
func (s *Scanner) Value() []byte {
	s.space()
	start := s.pos
	s.value(maxDepth)
	if s.failed {
		return nil
	}
	return s.src[start:s.pos]
}

// Skip steps over a value of any kind.
func (s *Scanner) Skip() { s.value(maxDepth) }

func (s *Scanner) value(depth int) {
	s.space()
	if s.failed = s.failed || depth == 0 || s.pos == len(s.src); s.failed {
		return
	}
	switch c := s.src[s.pos]; {
	case c == '"':
		s.Quoted()
	case c == '{':
		s.Object(func([]byte) { s.value(depth - 1) })
	case c == '[':
		s.Array(func() { s.value(depth - 1) })
	case c == '-' || isDigit(c):
		s.number()
	default:
		s.word()
	}
}

// word steps over true, false or null.
func (s *Scanner) word() {
	for _, word := range []string{"true", "false", "null"} {
		if bytes.HasPrefix(s.src[s.pos:], []byte(word)) {
			s.pos += len(word)
			return
		}
	}
	s.failed = true
}

// number steps over a number (RFC 8259, section 6).
func (s *Scanner) number() {
	s.step('-')
	if !s.step('0') {
		s.digits()
	}
	if s.step('.') {
		s.digits()
	}
	if s.step('e') || s.step('E') {
		_ = s.step('-') || s.step('+')
		s.digits()
	}
}

// digits steps over one digit or more.
func (s *Scanner) digits() {
	start := s.pos
	for s.pos < len(s.src) && isDigit(s.src[s.pos]) {
		s.pos++
	}
	s.failed = s.failed || s.pos == start
}

// step steps over c, if it stands here.
func (s *Scanner) step(c byte) bool {
	if s.pos == len(s.src) || s.src[s.pos] != c {
		return false
	}
	s.pos++
	return true
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
