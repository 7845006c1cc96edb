package exchange

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/mazevault/vault-tool/internal/lockedmem"
)

// Errors of [Read] and [Write], beside those of the reader and the writer.
var (
	// ErrMalformed: what was received is not a message.
	ErrMalformed = errors.New("not a message of the protocol")

	// ErrTooLarge: the message is beyond the limit.
	ErrTooLarge = errors.New("the message is too large")
)

// VersionError is a message of another version of the protocol.
type VersionError struct{ Theirs int }

func (e *VersionError) Error() string {
	return fmt.Sprintf("version %d of the protocol, where this program speaks version %d", e.Theirs, Version)
}

// Field is a named value.
type Field struct {
	Name  string // 1 to 32 bytes of a-z, 0-9 and "-"
	Value []byte
}

// Record is a request or an answer: fields with different names.
type Record []Field

// Get returns the value of a field.
func (r Record) Get(name string) (value []byte, ok bool) {
	i := slices.IndexFunc(r, func(f Field) bool { return f.Name == name })
	if i < 0 {
		return nil, false
	}
	return r[i].Value, true
}

// Text returns the value of a field that is no secret, "" if there is none.
func (r Record) Text(name string) string {
	value, _ := r.Get(name)
	return string(value)
}

// Message is what one program sends the other.
type Message struct {
	Within  time.Duration // of requests: how long the answers may take; whole milliseconds
	Records []Record

	memory *lockedmem.Buffer // what the records of a received message are parts of
}

// Destroy wipes a received message. It may be called again, and on nil.
func (m *Message) Destroy() {
	if m == nil {
		return
	}
	m.Records = nil
	m.memory.Destroy()
}

// Read reads one message, whose records have at most limit bytes, and no byte behind it.
func Read(in io.Reader, limit int) (*Message, error) {
	var header [headerBytes]byte
	if _, err := io.ReadFull(in, header[:]); err != nil {
		return nil, err
	}
	length, within, err := decodeHeader(header[:])
	if err != nil {
		return nil, err
	}
	if length > int64(limit) {
		return nil, ErrTooLarge
	}
	memory, err := readBody(in, int(length))
	if err != nil {
		return nil, err
	}
	records, err := decodeRecords(memory.Bytes())
	if err != nil {
		memory.Destroy()
		return nil, err
	}
	return &Message{Within: within, Records: records, memory: memory}, nil
}

// readBody reads so many bytes. It takes memory as they come, so that a length alone costs none.
func readBody(in io.Reader, length int) (*lockedmem.Buffer, error) {
	const first, growth = 64 << 10, 8
	memory, err := lockedmem.New(min(length, first))
	if err != nil {
		return nil, err
	}
	for read := 0; ; {
		if _, err := io.ReadFull(in, memory.Bytes()[read:]); err != nil {
			memory.Destroy()
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF // behind a header
			}
			return nil, err
		}
		read = memory.Len()
		if read == length {
			return memory, nil
		}
		larger, err := lockedmem.New(min(length, read*growth))
		if err != nil {
			memory.Destroy()
			return nil, err
		}
		copy(larger.Bytes(), memory.Bytes())
		memory.Destroy()
		memory = larger
	}
}

// decodeHeader returns the length of the records and the time for the answers.
func decodeHeader(header []byte) (length int64, within time.Duration, err error) {
	if string(header[:versionOffset]) != magic {
		return 0, 0, ErrMalformed
	}
	if version := binary.BigEndian.Uint16(header[versionOffset:]); version != Version {
		return 0, 0, &VersionError{int(version)}
	}
	if binary.BigEndian.Uint16(header[reservedOffset:]) != 0 {
		return 0, 0, ErrMalformed
	}
	within = time.Duration(binary.BigEndian.Uint32(header[withinOffset:])) * time.Millisecond
	return int64(binary.BigEndian.Uint32(header[lengthOffset:])), within, nil
}

// decodeRecords returns the records, which are parts of body.
func decodeRecords(body []byte) ([]Record, error) {
	d := decoder{rest: body}
	count := int(d.number(recordCountBytes))
	if d.failed || count > maxRecords || count*leastRecordBytes > len(d.rest) {
		return nil, ErrMalformed
	}
	records := make([]Record, count)
	for i := range records {
		records[i] = d.record()
	}
	if d.failed || len(d.rest) != 0 {
		return nil, ErrMalformed
	}
	return records, nil
}

// decoder takes a message apart from its front. When it has failed, all that it returns is empty.
type decoder struct {
	rest   []byte
	failed bool
}

func (d *decoder) take(n int) []byte {
	if d.failed || n > len(d.rest) {
		d.failed = true
		return nil
	}
	taken := d.rest[:n:n]
	d.rest = d.rest[n:]
	return taken
}

// number reads a big-endian number of so many bytes.
func (d *decoder) number(bytes int) (n uint32) {
	for _, b := range d.take(bytes) {
		n = n<<8 | uint32(b)
	}
	return n
}

func (d *decoder) record() Record {
	count := int(d.number(fieldCountBytes))
	if count > maxFields || count*leastFieldBytes > len(d.rest) {
		d.failed = true
		return nil
	}
	r := make(Record, 0, count)
	for range count {
		name := string(d.take(int(d.number(nameLengthBytes))))
		_, twice := r.Get(name)
		if d.failed || twice || !isName(name) {
			d.failed = true
			return nil
		}
		r = append(r, Field{name, d.take(int(d.number(valueLengthBytes)))})
	}
	return r
}

func isName(name string) bool {
	return name != "" && len(name) <= maxNameBytes && !strings.ContainsFunc(name, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-'
	})
}

// Write writes a message at once, from locked memory, which it wipes. Names that are not allowed are a mistake of the
// caller and an [ErrMalformed], as is a name that stands twice in a record.
func Write(out io.Writer, m *Message) error {
	length, err := recordsBytes(m.Records)
	if err != nil {
		return err
	}
	memory, err := lockedmem.New(headerBytes + length)
	if err != nil {
		return err
	}
	defer memory.Destroy()
	header := append(memory.Bytes()[:0], magic...)
	header = binary.BigEndian.AppendUint16(header, Version)
	header = binary.BigEndian.AppendUint16(header, 0)
	header = binary.BigEndian.AppendUint32(header, uint32(length))
	header = binary.BigEndian.AppendUint32(header, uint32(max(0, m.Within.Milliseconds())))
	appendRecords(header, m.Records)
	_, err = out.Write(memory.Bytes())
	return err
}

// recordsBytes checks records and returns how many bytes they take.
func recordsBytes(records []Record) (int, error) {
	if len(records) > maxRecords {
		return 0, ErrTooLarge
	}
	size := recordCountBytes
	for _, r := range records {
		size += fieldCountBytes
		if len(r) > maxFields {
			return 0, ErrTooLarge
		}
		for i, f := range r {
			if _, twice := r[:i].Get(f.Name); twice || !isName(f.Name) {
				return 0, ErrMalformed
			}
			size += nameLengthBytes + len(f.Name) + valueLengthBytes + len(f.Value)
			if len(f.Value) > MaxBytes || size > MaxBytes {
				return 0, ErrTooLarge
			}
		}
	}
	return size, nil
}

// appendRecords appends records to what has room for them.
func appendRecords(out []byte, records []Record) {
	out = binary.BigEndian.AppendUint32(out, uint32(len(records)))
	for _, r := range records {
		out = append(out, byte(len(r)))
		for _, f := range r {
			out = append(out, byte(len(f.Name)))
			out = append(out, f.Name...)
			out = binary.BigEndian.AppendUint32(out, uint32(len(f.Value)))
			out = append(out, f.Value...)
		}
	}
}
