package lockedmem

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
)

func TestBufferHoldsAndWipes(t *testing.T) {
	for _, size := range []int{0, 1, 15, 4096, 4097, 1 << 20} {
		b, err := New(size)
		if err != nil {
			t.Fatal(err)
		}
		if b.Len() != size || len(b.Bytes()) != size {
			t.Errorf("size %d: length %d", size, b.Len())
		}
		if !bytes.Equal(b.Bytes(), make([]byte, size)) {
			t.Errorf("size %d: not zeroed", size)
		}
		for i := range b.Bytes() {
			b.Bytes()[i] = 0xFF
		}
		b.Destroy()
		b.Destroy()
		if b.Len() != 0 {
			t.Errorf("size %d: %d bytes after Destroy", size, b.Len())
		}
	}
	if _, err := New(-1); err == nil {
		t.Error("a negative size was taken")
	}
	(*Buffer)(nil).Destroy()
}

func TestTruncateWipesTheRest(t *testing.T) {
	b, err := New(8)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Destroy()
	copy(b.Bytes(), "abcdefgh")
	whole := b.Bytes()
	b.Truncate(3)
	if string(b.Bytes()) != "abc" || !bytes.Equal(whole[3:], make([]byte, 5)) {
		t.Errorf("after Truncate: %q, rest %q", b.Bytes(), whole[3:])
	}
}

func TestReadAll(t *testing.T) {
	for _, size := range []int{0, 1, firstReadBytes - 1, firstReadBytes, firstReadBytes + 1, 5*firstReadBytes + 3} {
		want := bytes.Repeat([]byte("x1"), size)[:size]
		for name, r := range map[string]io.Reader{
			"plain":       bytes.NewReader(want),
			"small reads": iotest.HalfReader(bytes.NewReader(want)),
			"data+EOF":    iotest.DataErrReader(bytes.NewReader(want)),
		} {
			b, err := ReadAll(r, size)
			if err != nil {
				t.Fatalf("%s %d: %v", name, size, err)
			}
			if !bytes.Equal(b.Bytes(), want) {
				t.Errorf("%s %d: content differs", name, size)
			}
			b.Destroy()
		}
		if _, err := ReadAll(bytes.NewReader(append(want, 'y')), size); !errors.Is(err, ErrTooLarge) {
			t.Errorf("%d bytes over a limit of %d: error %v", size+1, size, err)
		}
	}
	if _, err := ReadAll(io.MultiReader(strings.NewReader("ab"), iotest.ErrReader(io.ErrClosedPipe)), 10); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("a reader's error came back as %v", err)
	}
}

func TestArenaKeepsAll(t *testing.T) {
	var a Arena
	defer a.Destroy()
	var stored, want [][]byte
	for i := range 3000 {
		w := bytes.Repeat([]byte{byte(i)}, i%97)
		if i == 1500 {
			w = bytes.Repeat([]byte("large"), firstChunkBytes)
		}
		s, err := a.Copy(w)
		if err != nil {
			t.Fatal(err)
		}
		if s == nil {
			t.Fatal("nil for a stored value")
		}
		stored, want = append(stored, s), append(want, w)
	}
	for i := range stored {
		if !bytes.Equal(stored[i], want[i]) {
			t.Fatalf("entry %d was changed by a later one", i)
		}
	}
	// An append to what was handed out must not reach its neighbour.
	_ = append(stored[1], 'Z')
	if !bytes.Equal(stored[2], want[2]) {
		t.Error("append to one entry overwrote the next")
	}
}

func TestSplit(t *testing.T) {
	secret := []byte("0123456789abcdef0123456789abcdef")
	s, err := NewSplit(secret)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(s.masked.Bytes(), secret[:8]) || bytes.Contains(s.pad.Bytes(), secret[:8]) {
		t.Error("a share shows the secret")
	}
	if !s.Equal(secret) || s.Equal(secret[:31]) || s.Equal(bytes.Repeat([]byte{1}, 32)) || s.Equal(nil) {
		t.Error("Equal is wrong")
	}
	if err := s.Use(func(b []byte) error {
		if !bytes.Equal(b, secret) {
			t.Errorf("Use got %q", b)
		}
		return io.ErrNoProgress
	}); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("Use lost the error: %v", err)
	}
	s.Destroy()
	s.Destroy()
	(*Split)(nil).Destroy()
}

func TestConcurrentAllocation(t *testing.T) {
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for range 50 {
				b, err := New(100)
				if err != nil {
					t.Error(err)
					return
				}
				for i := range b.Bytes() {
					b.Bytes()[i] = byte(g)
				}
				b.Destroy()
			}
		})
	}
	wg.Wait()
}
