package provider

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mazevault/vault-tool/vaultfile"
)

func snapshotOf(tb testing.TB, payload string) *snapshot {
	tb.Helper()
	v, err := vaultfile.FromJSON([]byte(payload))
	if err != nil {
		tb.Fatal(err)
	}
	s, err := newSnapshot(v, 1)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func TestSnapshotIsWipedByTheLastOneOut(t *testing.T) {
	s := snapshotOf(t, `{"A":"1"}`)
	a, b := s.enter(), s.enter()
	s.retire()
	if s.enter() != nil {
		t.Error("a retired snapshot let a reader in")
	}
	if s.leave(a); s.wiped.Load() {
		t.Error("wiped under a reader")
	}
	if s.leave(b); !s.wiped.Load() {
		t.Error("not wiped by the last reader")
	}
	empty := snapshotOf(t, `{"A":"1"}`)
	empty.leave(empty.enter())
	if empty.wiped.Load() {
		t.Error("wiped while in service")
	}
	if empty.retire(); !empty.wiped.Load() || empty.vault.Has("A") {
		t.Error("not wiped though nobody is in it")
	}
}

// TestLoadOfTheSameVault: a Load that hands out a vault again, in service or closed meanwhile, is an error, and what is
// in service stays.
func TestLoadOfTheSameVault(t *testing.T) {
	load := func(payload string) *vaultfile.Vault {
		v, err := vaultfile.FromJSON([]byte(payload))
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	first, second := load(`{"A":"1"}`), load(`{"A":"2"}`)
	next := first
	p := mustOpen(t, Config{
		LookupEnv: envOf(map[string]string{"A": "of the environment"}),
		Load:      func(context.Context) (*vaultfile.Vault, error) { return next, nil },
	})
	for _, step := range []struct {
		load    *vaultfile.Vault
		refused bool
		want    string
	}{
		{first, true, "1"}, {first, true, "1"}, {second, false, "2"}, {first, true, "2"}, {second, true, "2"},
	} {
		next = step.load
		if _, err := p.Reload(t.Context()); errors.Is(err, errVaultAgain) != step.refused {
			t.Errorf("refused: %v, error %v", step.refused, err)
		}
		if got := p.Get("A"); got != step.want {
			t.Errorf("got %q, want %q", got, step.want)
		}
	}
}

// TestSwapUnderReaders replaces snapshots as fast as it can while readers read. To read a snapshot that
// was wiped ends the process; to leave one unwiped is counted; to mix two is seen in the values.
func TestSwapUnderReaders(t *testing.T) {
	p := fromJSON(t, generationPayload(0))
	var swaps []*snapshot
	var stop atomic.Bool
	var reads atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for !stop.Load() {
				if err := p.View(sameGeneration); err != nil {
					t.Error(err)
					return
				}
				if err := p.Use("A", func([]byte) error { return nil }); err != nil {
					t.Error(err)
				}
				reads.Add(1)
			}
		})
	}
	count := 1000
	if testing.Short() {
		count = 200
	}
	for i := range count {
		v, err := vaultfile.FromJSON(generationPayload(i))
		if err != nil {
			t.Fatal(err)
		}
		swaps = append(swaps, p.current.Load())
		if _, err = p.swapIn(v); err != nil { // no look runs meanwhile
			t.Fatal(err)
		}
	}
	stop.Store(true)
	wg.Wait()
	for i, s := range swaps {
		if !s.wiped.Load() {
			t.Fatalf("snapshot %d of %d has not been wiped", i, count)
		}
	}
	t.Logf("%d reads in %d snapshots", reads.Load(), count)
}

// TestCloseUnderReaders: readers see values or ErrClosed, and the process lives.
func TestCloseUnderReaders(t *testing.T) {
	for range 20 {
		p := fromJSON(t, generationPayload(1))
		last := p.current.Load()
		var wg sync.WaitGroup
		started := make(chan struct{}, 8)
		for range 8 {
			wg.Go(func() {
				for i := 0; ; i++ {
					err := p.View(sameGeneration)
					if errors.Is(err, ErrClosed) {
						return
					}
					if err != nil {
						t.Error(err)
						return
					}
					if i == 0 {
						started <- struct{}{}
					}
				}
			})
		}
		for range 8 {
			<-started
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		wg.Wait()
		if !last.wiped.Load() {
			t.Fatal("the last snapshot has not been wiped")
		}
	}
}

// TestReadersDoNotWait: a lookup that takes long holds up neither others, nor a reload, nor Close.
func TestReadersDoNotWait(t *testing.T) {
	p := fromJSON(t, []byte(`{"A":"1"}`))
	inside, leave, left := make(chan struct{}), make(chan struct{}), make(chan error)
	go func() {
		left <- p.Use("A", func(secret []byte) error {
			close(inside)
			<-leave
			if string(secret) != "1" {
				return fmt.Errorf("the value became %q", secret)
			}
			return nil
		})
	}()
	<-inside
	done := make(chan struct{})
	go func() {
		defer close(done)
		if _, err := use(p, "A"); err != nil {
			t.Error(err)
		}
		if _, err := p.Reload(t.Context()); err != nil {
			t.Error(err)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}()
	select {
	case <-done:
	case <-time.After(patience):
		t.Error("a reader holds up the others")
	}
	close(leave)
	if err := <-left; err != nil {
		t.Error(err)
	}
}

// generationPayload has secrets that all say the same.
// generationPayload is large enough to have memory of its own, which a reader faults on when it was wiped.
func generationPayload(i int) []byte {
	return fmt.Appendf(nil, `{"A":"generation %d","B":"generation %d","C%d":"x","LARGE":%q}`, i, i, i%3, strings.Repeat("x", 8<<10))
}

func sameGeneration(v *View) error {
	a, b := v.Get("A"), v.Get("B")
	if a != b || a == "" {
		return fmt.Errorf("mixed snapshot: %q and %q", a, b)
	}
	return nil
}
