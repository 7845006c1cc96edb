package vaultfile

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/mazevault/vault-tool/keysource"
)

// TestConcurrentWriters has writers add names, readers read, and a rotation of vault and key file go
// on, all at once: no update is lost, and no reader fails.
func TestConcurrentWriters(t *testing.T) {
	cheapKDF(t)
	const writers, updates, readers, rotations = 8, 10, 3, 5
	want := map[string]string{"FIRST": "1"}
	r := newKeyFileRotation(t, want)
	shared := r.unlocker(t)

	var writing, reading sync.WaitGroup
	for w := range writers {
		for i := range updates {
			want[fmt.Sprintf("W%d_%d", w, i)] = "x"
		}
		writing.Go(func() { addNames(t, r.vault, shared, w, updates) })
	}
	writing.Go(func() { rotateRepeatedly(t, r, rotations) })
	ctx, stop := context.WithCancel(t.Context())
	for i := range readers {
		reading.Go(func() { readUntil(ctx, t, r, i == 0) })
	}
	writing.Wait()
	stop()
	reading.Wait()
	if got := readVault(t, r.vault, r.unlocker(t)); !maps.Equal(got, want) {
		t.Errorf("%d secrets, want %d", len(got), len(want))
	}
}

func addNames(t *testing.T, path string, u *Unlocker, writer, updates int) {
	o := UpdateOptions{WriteOptions: WriteOptions{LockTimeout: time.Minute}}
	for i := range updates {
		_, err := Update(context.Background(), path, u, o, func(d *Draft) error {
			_, err := d.Set(fmt.Sprintf("W%d_%d", writer, i), []byte("x"))
			return err
		})
		if err != nil {
			t.Errorf("writer %d: %v", writer, err)
		}
	}
}

// rotateRepeatedly follows the product's flow: a new key beside the old one, the vault under the new
// key, the new key file renamed over the old one.
func rotateRepeatedly(t *testing.T, r keyFileRotation, times int) {
	for range times {
		if err := keysource.Generate(r.successor()); err != nil {
			t.Error(err)
			return
		}
		rekeyed, err := r.rotate(t, RekeyOptions{WriteOptions: WriteOptions{LockTimeout: time.Minute}})
		if err != nil || !rekeyed {
			t.Errorf("rekeyed %v, %v", rekeyed, err)
			return
		}
		time.Sleep(20 * time.Millisecond) // both keys work now, and are met by readers
		if err := r.finish(); err != nil {
			t.Error(err)
		}
	}
}

// readUntil reads until ctx ends, each time with an unlocker of its own, or with one that remembers.
func readUntil(ctx context.Context, t *testing.T, r keyFileRotation, remember bool) {
	u := NewUnlocker(keysource.NewFile(r.key))
	defer func() { u.Close() }()
	for ctx.Err() == nil {
		v, err := Open(context.Background(), r.vault, u)
		if err != nil {
			t.Errorf("reader: %v", err)
			return
		}
		if got, err := v.Get("FIRST"); err != nil || got != "1" {
			t.Errorf("reader got %q, %v", got, err)
		}
		v.Close()
		time.Sleep(2 * time.Millisecond) // writers need the processor too
		if !remember {
			u.Close()
			u = NewUnlocker(keysource.NewFile(r.key))
		}
	}
}
