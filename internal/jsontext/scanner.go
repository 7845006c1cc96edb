package jsontext

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// Scanner reads JSON that is valid UTF-8 and leaves strings where they are. After a failure it reads nothing more, and End is false.
type Scanner struct {
	src    []byte
	pos    int
	failed bool
	recent [4]string // texts that were read last: the versions of a secret repeat them
	next   int
}

// NewScanner returns one for src, which stays as it is.
func NewScanner(src []byte) *Scanner { return &Scanner{src: src} }

// Reset begins anew with src. Texts that were read before are known still.
func (s *Scanner) Reset(src []byte) { s.src, s.pos, s.failed = src, 0, false }

// Fail makes the scanner fail, for what the caller does not understand.
func (s *Scanner) Fail() { s.failed = true }

// End tells whether all was read, and nothing failed.
func (s *Scanner) End() bool {
	s.space()
	return !s.failed && s.pos == len(s.src)
}

func (s *Scanner) space() {
	for s.pos < len(s.src) && (s.src[s.pos] == ' ' || s.src[s.pos] == '\t' || s.src[s.pos] == '\n' || s.src[s.pos] == '\r') {
		s.pos++
	}
}

// accept steps over c, if it comes next.
func (s *Scanner) accept(c byte) bool {
	s.space()
	if s.failed || s.pos == len(s.src) || s.src[s.pos] != c {
		return false
	}
	s.pos++
	return true
}

func (s *Scanner) expect(c byte) { s.failed = !s.accept(c) || s.failed }

// Object calls member behind the colon of each member. The key is as it stands, less its quotes: one with an escape is none that a
// caller knows.
func (s *Scanner) Object(member func(key []byte)) {
	s.list('{', '}', func() {
		key := s.Quoted()
		s.expect(':')
		if !s.failed {
			member(key[1 : len(key)-1])
		}
	})
}

// Array calls element at the beginning of each element.
func (s *Scanner) Array(element func()) { s.list('[', ']', element) }

func (s *Scanner) list(open, end byte, element func()) {
	s.expect(open)
	if s.failed || s.accept(end) {
		return
	}
	for element(); s.accept(','); {
		element()
	}
	s.expect(end)
}

// Yes reads true, the only value of a flag that is there.
func (s *Scanner) Yes() bool {
	s.space()
	after, ok := bytes.CutPrefix(s.src[s.pos:], []byte("true"))
	s.failed = s.failed || !ok
	s.pos = len(s.src) - len(after)
	return ok
}

// Uint reads a whole number.
func (s *Scanner) Uint() uint64 {
	s.space()
	start := s.pos
	for s.pos < len(s.src) && s.src[s.pos] >= '0' && s.src[s.pos] <= '9' {
		s.pos++
	}
	n, err := strconv.ParseUint(string(s.src[start:s.pos]), 10, 63)
	s.failed = s.failed || err != nil
	return n
}

// Quoted steps over a string and returns it, in its quotes.
func (s *Scanner) Quoted() []byte {
	s.expect('"')
	start := s.pos - 1
	for !s.failed && s.pos < len(s.src) {
		s.pos += PlainPrefix(s.src[s.pos:])
		switch {
		case s.pos == len(s.src):
		case s.src[s.pos] == '"':
			s.pos++
			return s.src[start:s.pos]
		case s.src[s.pos] == '\\':
			s.pos = min(s.pos+2, len(s.src))
		case s.src[s.pos] < ' ':
			s.failed = true
		default:
			s.pos++
		}
	}
	s.failed = true
	return nil
}

// Text reads a string that is no secret.
func (s *Scanner) Text() string {
	quoted := s.Quoted()
	if s.failed {
		return ""
	}
	if inner := quoted[1 : len(quoted)-1]; PlainPrefix(inner) == len(inner) {
		return s.shared(inner)
	}
	var text string
	s.failed = json.Unmarshal(quoted, &text) != nil
	return text
}

// shared is a text as a string, one that was read before if it is the same.
func (s *Scanner) shared(text []byte) string {
	for _, known := range s.recent {
		if known == string(text) {
			return known
		}
	}
	fresh := string(text)
	s.recent[s.next] = fresh
	s.next = (s.next + 1) % len(s.recent)
	return fresh
}

// Literal reads a number, true, false or null, as it stands.
func (s *Scanner) Literal() []byte {
	s.space()
	start := s.pos
	for s.pos < len(s.src) && bytes.IndexByte([]byte(",:]}[{\" \t\r\n"), s.src[s.pos]) < 0 {
		s.pos++
	}
	s.failed = s.failed || s.pos == start
	return s.src[start:s.pos]
}
