package drop

import (
	"bytes"
	"encoding/base64"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/mazevault/vault-tool/internal/jsontext"
	"github.com/mazevault/vault-tool/internal/lockedmem"
)

// GraceAfterRotation is how long a key that was replaced still opens drops that are under way.
const GraceAfterRotation = 30 * 24 * time.Hour

// ErrEntry: an entry of the vault that this version of the tool does not understand.
var ErrEntry = errors.New("a key for drops of another form")

// Entry is a key as a vault keeps it.
type Entry struct {
	Created   int64    // seconds since 1970
	Replaced  int64    // likewise; 0 while it is the vault's present key
	Collected []string // ids of the drops that were collected

	private []byte // in Base64, where the entry stands
}

// NewEntry is the entry of a new key. Its private half stands in memory that the arena gives.
func NewEntry(k PrivateKey, now time.Time, memory *lockedmem.Arena) (*Entry, error) {
	secret, err := k.Bytes()
	if err != nil {
		return nil, err
	}
	defer clear(secret)
	text, err := memory.Take(base64.StdEncoding.EncodedLen(len(secret)))
	if err != nil {
		return nil, err
	}
	base64.StdEncoding.Encode(text, secret)
	return &Entry{Created: now.Unix(), private: text}, nil
}

// ParseEntry reads an entry. The private half stays where it is. The error is ErrEntry.
func ParseEntry(src []byte) (*Entry, error) {
	e := &Entry{}
	s := jsontext.NewScanner(src)
	known := false
	s.Object(func(key []byte) {
		switch string(key) { // which copies nothing
		case "v":
			known = s.Uint() == formatVersion
		case "created":
			e.Created = int64(s.Uint())
		case "replaced":
			e.Replaced = int64(s.Uint())
		case "collected":
			s.Array(func() { e.Collected = append(e.Collected, s.Text()) })
		case "private":
			quoted := s.Quoted()
			e.private = quoted[min(1, len(quoted)):max(len(quoted)-1, min(1, len(quoted)))]
		default:
			s.Fail()
		}
	})
	if !s.End() || !known || len(e.private) == 0 {
		return nil, ErrEntry
	}
	return e, nil
}

// Ended tells whether the key was replaced so long ago that it opens nothing more.
func (e *Entry) Ended(now time.Time) bool {
	return e.Replaced != 0 && now.Sub(time.Unix(e.Replaced, 0)) > GraceAfterRotation
}

// Merge adds what another vault did with the key: the drops that it has collected, and that it was replaced. It returns false for another key.
func (e *Entry) Merge(other *Entry) bool {
	if e.Created != other.Created || !bytes.Equal(e.private, other.private) {
		return false
	}
	for _, id := range other.Collected {
		if !slices.Contains(e.Collected, id) {
			e.Collected = append(e.Collected, id)
		}
	}
	if e.Replaced == 0 || other.Replaced != 0 && other.Replaced < e.Replaced {
		e.Replaced = other.Replaced
	}
	return true
}

// Key is the key. The error is ErrEntry.
func (e *Entry) Key() (PrivateKey, error) {
	buf, err := lockedmem.New(base64.StdEncoding.DecodedLen(len(e.private)))
	if err != nil {
		return PrivateKey{}, err
	}
	defer buf.Destroy()
	n, err := base64.StdEncoding.Decode(buf.Bytes(), e.private)
	if err != nil {
		return PrivateKey{}, ErrEntry
	}
	k, err := NewPrivateKey(buf.Bytes()[:n])
	if err != nil {
		return PrivateKey{}, ErrEntry
	}
	return k, nil
}

// Encode writes the entry into memory that the arena gives.
func (e *Entry) Encode(memory *lockedmem.Arena) ([]byte, error) {
	head := strconv.AppendInt([]byte(`{"v":1,"created":`), e.Created, 10)
	if e.Replaced != 0 {
		head = strconv.AppendInt(append(head, `,"replaced":`...), e.Replaced, 10)
	}
	head = append(head, `,"collected":[`...)
	for i, id := range e.Collected {
		if i > 0 {
			head = append(head, ',')
		}
		head = jsontext.AppendString(head, []byte(id))
	}
	head = append(head, `],"private":"`...)
	const tail = `"}`
	text, err := memory.Take(len(head) + len(e.private) + len(tail))
	if err != nil {
		return nil, err
	}
	return append(append(append(text[:0], head...), e.private...), tail...), nil
}
