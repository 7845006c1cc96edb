package answers_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/mazevault/vault-tool/internal/exchange"
	"github.com/mazevault/vault-tool/internal/net/answers"
)

const limit = 1 << 16

func request(operation string) exchange.Record {
	return exchange.Record{{Name: exchange.FieldOperation, Value: []byte(operation)}, {Name: "n", Value: []byte(operation)}}
}

// operations are such as a test can foresee.
func operations(released chan<- string) map[string]answers.Operation {
	return map[string]answers.Operation{
		"echo": func(_ context.Context, r exchange.Record) (exchange.Record, func(), error) {
			return exchange.Record{{Name: "n", Value: []byte(r.Text("n"))}}, func() { released <- "echo" }, nil
		},
		"slow": func(context.Context, exchange.Record) (exchange.Record, func(), error) {
			time.Sleep(20 * time.Millisecond)
			return exchange.Record{{Name: "n", Value: []byte("slow")}}, nil, nil
		},
		"refuse": func(context.Context, exchange.Record) (exchange.Record, func(), error) {
			return nil, func() { released <- "refuse" }, &exchange.Failure{Kind: exchange.AccessDenied, Text: "our words"}
		},
		"leak": func(context.Context, exchange.Record) (exchange.Record, func(), error) {
			return nil, nil, errors.New("CANARY of an SDK")
		},
		"hang": func(ctx context.Context, _ exchange.Record) (exchange.Record, func(), error) {
			<-ctx.Done()
			return nil, nil, &exchange.Failure{Kind: exchange.Timeout, Text: "over"}
		},
	}
}

// pipe is an input that holds requests and stays open until it is closed.
func pipe(t *testing.T, m *exchange.Message) (io.Reader, *io.PipeWriter) {
	t.Helper()
	in, to := io.Pipe()
	go func() { _ = exchange.Write(to, m) }()
	t.Cleanup(func() { _ = to.Close() })
	return in, to
}

func TestServe(t *testing.T) {
	t.Parallel()
	released := make(chan string, 10)
	in, _ := pipe(t, &exchange.Message{Within: time.Hour, Records: []exchange.Record{
		request("slow"), request("echo"), request("refuse"), request("leak"), request("no such"), {}, request("echo"),
	}})
	var out bytes.Buffer
	if err := answers.Serve(context.Background(), in, &out, operations(released)); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "CANARY") {
		t.Errorf("the text of an error went out: %q", &out)
	}
	m, err := exchange.Read(&out, limit)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Destroy()
	want := []exchange.Kind{"", "", exchange.AccessDenied, exchange.Failed, exchange.BadRequest, exchange.BadRequest, ""}
	if len(m.Records) != len(want) {
		t.Fatalf("%d answers", len(m.Records))
	}
	for i, kind := range want {
		if err := exchange.FailureOf(m.Records[i]); kind != "" && !errors.Is(err, kind) || kind == "" && err != nil {
			t.Errorf("answer %d: %v, want kind %q", i, err, kind)
		}
	}
	if m.Records[0].Text("n") != "slow" || m.Records[1].Text("n") != "echo" {
		t.Error("the answers are not in the order of the requests")
	}
	if len(released) != 3 {
		t.Errorf("%d of 3 answers are wiped", len(released))
	}
}

func TestServeWithinItsTime(t *testing.T) {
	t.Parallel()
	in, _ := pipe(t, &exchange.Message{Within: time.Millisecond, Records: []exchange.Record{request("hang")}})
	var out bytes.Buffer
	if err := answers.Serve(context.Background(), in, &out, operations(nil)); err != nil {
		t.Fatal(err)
	}
	m, err := exchange.Read(&out, limit)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Destroy()
	if err := exchange.FailureOf(m.Records[0]); !errors.Is(err, exchange.Timeout) {
		t.Error(err)
	}
}

// TestServeEndsWithItsInput: the end of the pipe, or a byte too much, ends it whatever is under way.
func TestServeEndsWithItsInput(t *testing.T) {
	t.Parallel()
	for _, more := range []string{"", "x"} {
		begun := make(chan struct{})
		deaf := func(context.Context, exchange.Record) (exchange.Record, func(), error) {
			close(begun)
			select {}
		}
		in, to := pipe(t, &exchange.Message{Within: time.Hour, Records: []exchange.Record{request("deaf")}})
		go func() {
			<-begun
			_, _ = io.WriteString(to, more)
			_ = to.Close()
		}()
		if err := answers.Serve(context.Background(), in, io.Discard, map[string]answers.Operation{"deaf": deaf}); !errors.Is(err, answers.ErrAbandoned) {
			t.Errorf("%q: error %v", more, err)
		}
	}
}

// TestServeAnotherVersion: who asks learns this program's version.
func TestServeAnotherVersion(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	err := answers.Serve(context.Background(), strings.NewReader("VTNP\x00\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"), &out, nil)
	var other *exchange.VersionError
	if !errors.As(err, &other) || other.Theirs != 7 {
		t.Errorf("error %v", err)
	}
	m, err := exchange.Read(&out, limit)
	if err != nil || len(m.Records) != 0 {
		t.Errorf("the answer is %v, %v", m, err)
	}
}

// FuzzServe: whatever comes in, what goes out is nothing or a message with one answer for each request, and never
// a text that is not ours.
func FuzzServe(f *testing.F) {
	var seed bytes.Buffer
	for _, records := range [][]exchange.Record{{}, {request("echo"), request("leak")}, {exchange.AzureKey("https://v.vault.azure.net", "s")}} {
		seed.Reset()
		if err := exchange.Write(&seed, &exchange.Message{Within: time.Second, Records: records}); err != nil {
			f.Fatal(err)
		}
		f.Add(bytes.Clone(seed.Bytes()))
	}
	operations := operations(make(chan string, 1<<20))
	delete(operations, "hang")
	delete(operations, "slow")
	f.Fuzz(func(t *testing.T, text []byte) {
		if m, err := exchange.Read(bytes.NewReader(text), exchange.MaxBytes); err != nil {
			if err := answers.Serve(context.Background(), bytes.NewReader(text), io.Discard, operations); err == nil {
				t.Error("it was served")
			}
			return
		} else {
			m.Destroy()
		}
		open, end := io.Pipe() // nothing comes behind the message
		defer end.Close()
		in := io.MultiReader(bytes.NewReader(text[:headerBytes+int(binary.BigEndian.Uint32(text[lengthOffset:]))]), open)
		var out bytes.Buffer
		if err := answers.Serve(context.Background(), in, &out, operations); err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(out.Bytes(), []byte("CANARY")) && !bytes.Contains(text, []byte("CANARY")) {
			t.Errorf("the text of an error went out: %q", &out)
		}
		m, err := exchange.Read(&out, exchange.MaxBytes)
		if err != nil {
			t.Fatal(err)
		}
		m.Destroy()
	})
}

// Of the header, as docs/net-protocol.md has it.
const (
	headerBytes  = 16
	lengthOffset = 8
)
