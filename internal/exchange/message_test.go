package exchange_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf8"

	"github.com/mazevault/vault-tool/internal/exchange"
)

const limit = 1 << 16

func encode(t testing.TB, m *exchange.Message) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := exchange.Write(&out, m); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// messages are such as the programs send, and those at the edges.
var messages = []*exchange.Message{
	{},
	{Within: 9500 * time.Millisecond, Records: []exchange.Record{
		exchange.AzureKey("https://v.vault.azure.net", "a"), exchange.AzureKeyBefore("https://v.vault.azure.net", "b"),
	}},
	{Records: []exchange.Record{{}, {{Name: "value", Value: []byte("with \x00 and \xff")}, {Name: "name", Value: nil}}}},
	{Records: []exchange.Record{(&exchange.Failure{Kind: exchange.AccessDenied, Text: "grant the rôle"}).Record()}},
	{Records: []exchange.Record{{{Name: strings.Repeat("n", 32), Value: make([]byte, 1000)}}}},
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for i, m := range messages {
		read, err := exchange.Read(bytes.NewReader(encode(t, m)), limit)
		if err != nil {
			t.Errorf("message %d: %v", i, err)
			continue
		}
		if read.Within != m.Within || !sameRecords(read.Records, m.Records) {
			t.Errorf("message %d came back as %v", i, read.Records)
		}
		read.Destroy()
		read.Destroy()
		if read.Records != nil {
			t.Errorf("message %d has records after its end", i)
		}
	}
}

func sameRecords(a, b []exchange.Record) bool {
	normal := func(records []exchange.Record) [][]string {
		all := [][]string{}
		for _, r := range records {
			fields := []string{}
			for _, f := range r {
				fields = append(fields, f.Name, string(f.Value))
			}
			all = append(all, fields)
		}
		return all
	}
	return reflect.DeepEqual(normal(a), normal(b))
}

// TestLongMessage is about one that takes more memory while it comes.
func TestLongMessage(t *testing.T) {
	t.Parallel()
	value := bytes.Repeat([]byte("0123456789"), 150_000)
	text := encode(t, &exchange.Message{Records: []exchange.Record{{{Name: "v", Value: value}}, {{Name: "w", Value: value}}}})
	m, err := exchange.Read(iotest.HalfReader(bytes.NewReader(text)), len(text))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Destroy()
	for _, name := range []string{"v", "w"} {
		if got, _ := m.Records[name[0]-'v'].Get(name); !bytes.Equal(got, value) {
			t.Errorf("%s came back otherwise", name)
		}
	}
	for _, cut := range []int{16, 17, 70_000, len(text) - 1} {
		if _, err := exchange.Read(bytes.NewReader(text[:cut]), len(text)); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("cut at %d: error %v", cut, err)
		}
	}
	if _, err := exchange.Read(bytes.NewReader(text), len(text)-17); !errors.Is(err, exchange.ErrTooLarge) {
		t.Errorf("beyond the limit: error %v", err)
	}
}

// TestReadLeavesWhatFollows: the end of the pipe is for somebody else to see.
func TestReadLeavesWhatFollows(t *testing.T) {
	t.Parallel()
	in := bytes.NewReader(append(encode(t, messages[1]), "rest"...))
	m, err := exchange.Read(in, limit)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Destroy()
	if rest, err := io.ReadAll(in); err != nil || string(rest) != "rest" {
		t.Errorf("%q is left, error %v", rest, err)
	}
}

// patched returns a message of two fields with some bytes exchanged.
func patched(t *testing.T, at int, with ...byte) []byte {
	text := encode(t, &exchange.Message{Records: []exchange.Record{{{Name: "ab", Value: []byte("CANARY")}, {Name: "ac", Value: []byte("x")}}}})
	copy(text[at:], with)
	return text
}

func TestWhatIsNoMessage(t *testing.T) {
	t.Parallel()
	// Header of 16 bytes, count of records at 16, of fields at 20, then 2 "ab" at 21, 6 "CANARY" at 24, 2 "ac" at 34, 1 "x" at 37.
	tests := map[string]struct {
		text []byte
		err  error
	}{
		"nothing":                 {nil, io.EOF},
		"half a header":           {patched(t, 0)[:9], io.ErrUnexpectedEOF},
		"half a body":             {patched(t, 0)[:30], io.ErrUnexpectedEOF},
		"another program":         {[]byte("#!/bin/sh\necho CANARY\n"), exchange.ErrMalformed},
		"reserved bits":           {patched(t, 7, 1), exchange.ErrMalformed},
		"beyond the limit":        {patched(t, 8, 0x40), exchange.ErrTooLarge},
		"no records":              {patched(t, 8, 0, 0, 0, 0), exchange.ErrMalformed},
		"a byte more":             {append(patched(t, 8, 0, 0, 0, 27), 0), exchange.ErrMalformed},
		"fewer records":           {patched(t, 16, 0, 0, 0, 0), exchange.ErrMalformed},
		"more records":            {patched(t, 16, 0, 0, 0, 2), exchange.ErrMalformed},
		"endless records":         {patched(t, 16, 0xff, 0xff, 0xff, 0xff), exchange.ErrMalformed},
		"more fields":             {patched(t, 20, 3), exchange.ErrMalformed},
		"endless fields":          {patched(t, 20, 255), exchange.ErrMalformed},
		"a name that is too long": {patched(t, 21, 33), exchange.ErrMalformed},
		"a name of nothing":       {patched(t, 21, 0), exchange.ErrMalformed},
		"a name with a blank":     {patched(t, 22, ' '), exchange.ErrMalformed},
		"a name twice":            {patched(t, 36, 'b'), exchange.ErrMalformed},
		"an endless value":        {patched(t, 24, 0xff, 0xff, 0xff, 0xff), exchange.ErrMalformed},
	}
	for name, tt := range tests {
		m, err := exchange.Read(bytes.NewReader(tt.text), limit)
		if !errors.Is(err, tt.err) || m != nil {
			t.Errorf("%s: error %v, want %v", name, err, tt.err)
		}
		if err != nil && strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%s: the error repeats what was received: %v", name, err)
		}
	}
}

// TestAnotherVersion: the header alone says it, whatever comes behind.
func TestAnotherVersion(t *testing.T) {
	t.Parallel()
	text := append([]byte("VTNP"), 0x01, 0x02, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0)
	_, err := exchange.Read(bytes.NewReader(text), limit)
	var other *exchange.VersionError
	if !errors.As(err, &other) || other.Theirs != 258 || !strings.Contains(err.Error(), "258") {
		t.Errorf("error %v", err)
	}
}

func TestWhatIsNotWritten(t *testing.T) {
	t.Parallel()
	field := func(name string) exchange.Field { return exchange.Field{Name: name, Value: []byte("v")} }
	many := make(exchange.Record, 33)
	for i := range many {
		many[i] = field(strings.Repeat("a", i+1))
	}
	for name, records := range map[string][]exchange.Record{
		"a name twice":     {{field("a"), field("a")}},
		"an empty name":    {{field("")}},
		"a name of others": {{field("A_B")}},
		"a long name":      {{field(strings.Repeat("a", 33))}},
		"many fields":      {many},
		"many records":     make([]exchange.Record, 1<<20+1),
	} {
		var out bytes.Buffer
		if err := exchange.Write(&out, &exchange.Message{Records: records}); err == nil || out.Len() > 0 {
			t.Errorf("%s: error %v, %d bytes", name, err, out.Len())
		}
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	for _, kind := range exchange.Kinds() {
		err := exchange.FailureOf((&exchange.Failure{Kind: kind, Text: "why"}).Record())
		if !errors.Is(err, kind) || err.Error() != "why" {
			t.Errorf("%s came back as %v", kind, err)
		}
	}
	if err := exchange.FailureOf(exchange.Record{{Name: "value"}}); err != nil {
		t.Errorf("an answer is %v", err)
	}
	if err := exchange.FailureOf((&exchange.Failure{Kind: "of-a-later-day", Text: "why"}).Record()); !errors.Is(err, exchange.Failed) || err.Error() != "why" {
		t.Errorf("an unknown kind is %v", err)
	}
	for _, text := range []string{"", strings.Repeat("€", 3000), "\xff\xfe", strings.Repeat("\xff", 5000)} {
		err := exchange.FailureOf((&exchange.Failure{Kind: exchange.Throttled, Text: text}).Record())
		if !errors.Is(err, exchange.Throttled) || !utf8.ValidString(err.Error()) || err.Error() == "" {
			t.Errorf("a text of %d bytes came back as %v", len(text), err)
		}
	}
	for name, r := range map[string]exchange.Record{
		"no text":         {{Name: "failure", Value: []byte("timeout")}},
		"an empty text":   {{Name: "failure", Value: []byte("timeout")}, {Name: "text"}},
		"a value as well": {{Name: "failure", Value: []byte("timeout")}, {Name: "text", Value: []byte("x")}, {Name: "value", Value: []byte("v")}},
		"no text at all":  {{Name: "failure", Value: []byte("timeout")}, {Name: "text", Value: []byte("\xff")}},
		"a long text":     {{Name: "failure", Value: []byte("timeout")}, {Name: "text", Value: make([]byte, 4097)}},
	} {
		if err := exchange.FailureOf(r); !errors.Is(err, exchange.ErrMalformed) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// TestDocumented compares kinds and operations with docs/net-protocol.md.
func TestDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/net-protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	words := []string{exchange.OperationAzureKey, exchange.OperationAzureKeyBefore, exchange.FieldVault, exchange.FieldSecret, exchange.FieldName, exchange.FieldValue}
	for _, kind := range exchange.Kinds() {
		words = append(words, string(kind))
	}
	for _, word := range words {
		if !bytes.Contains(text, []byte("`"+word+"`")) {
			t.Errorf("docs/net-protocol.md does not have %s", word)
		}
	}
}

// FuzzRead: what is read without an error is written as it was, and nothing else is ever taken.
func FuzzRead(f *testing.F) {
	for _, m := range messages {
		f.Add(encode(f, m))
	}
	f.Add([]byte("VTNP\x00\x02"))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := exchange.Read(bytes.NewReader(text), limit)
		if err != nil {
			return
		}
		defer m.Destroy()
		var out bytes.Buffer
		if err := exchange.Write(&out, m); err != nil {
			t.Fatal(err)
		}
		length := 16 + int(binary.BigEndian.Uint32(text[8:]))
		if !bytes.Equal(out.Bytes(), text[:length]) {
			t.Errorf("%q was read, %q written", text[:length], out.Bytes())
		}
		for _, r := range m.Records {
			if err := exchange.FailureOf(r); err != nil && !errors.Is(err, exchange.ErrMalformed) && !utf8.ValidString(err.Error()) {
				t.Errorf("a failure is %q", err)
			}
		}
	})
}
