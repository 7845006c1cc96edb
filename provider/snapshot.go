package provider

import (
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/mazevault/vault-tool/internal/references"
	"github.com/mazevault/vault-tool/vaultfile"
)

const (
	// readerShards spreads readers over counters, so that cores do not take one cache line from each
	// other all the time.
	readerShards = 16

	// cacheLineBytes is the most that two cores contend for at once on the usual processors: pairs of
	// 64-byte lines are fetched together.
	cacheLineBytes = 128
)

// snapshot is the content of a vault as it was read, shared by the readers that are in it. Its memory
// may be wiped only when no reader is left, for reading it afterwards ends the process.
//
// That is decided without a lock. A reader first counts itself and then looks whether the snapshot is
// retired; if so it leaves again without having touched the memory. The writer first retires the
// snapshot and then looks at the counters. Go's atomic operations have one total order, so a reader that
// found the snapshot in service had counted itself before it was retired, and whoever looks at the
// counters after that sees it until it leaves. A counter that shows zero after the retirement therefore
// has no reader in the memory and will have none, whatever the other counters do meanwhile: when each
// has shown zero once, the memory is free. Everybody who leaves a retired snapshot looks, so the last
// one out sees all of them at zero.
type snapshot struct {
	vault      *vaultfile.Vault  // nil where there is none: the environment alone
	values     map[string][]byte // by name, where they stand in the vault's locked memory
	references map[string]string // secrets whose value an external store holds; nil for none
	loaded     time.Time
	generation uint64 // from 1, in the order of loading

	retired atomic.Bool
	wiped   atomic.Bool
	_       [cacheLineBytes]byte
	readers [readerShards]readerCount
}

// readerCount counts the readers of one shard. Each leaves through the counter it came in by, so none
// falls below zero.
type readerCount struct {
	n atomic.Int64
	_ [cacheLineBytes - 8]byte
}

// newSnapshot makes the snapshot of a vault, which is open. Its map makes a lookup take the same time however many
// secrets there are.
func newSnapshot(vault *vaultfile.Vault, generation uint64) (*snapshot, error) {
	s := &snapshot{vault: vault, values: make(map[string][]byte, vault.Len()), loaded: time.Now(), generation: generation}
	err := vault.Each(func(name string, value []byte) error {
		s.values[name] = value
		return nil
	})
	return s, err
}

// learnReferences notes which secrets are references. An error says that a later version of vault-tool has written it down.
func (s *snapshot) learnReferences() (err error) {
	if references.Any(s.vault) {
		s.references, err = references.All(s.vault)
	}
	return err
}

// enter lets a reader in. It returns the counter to leave by, or nil for a snapshot that is retired.
func (s *snapshot) enter() *readerCount {
	count := &s.readers[rand.Uint32()%readerShards]
	count.n.Add(1)
	if s.retired.Load() {
		s.leave(count)
		return nil
	}
	return count
}

// leave lets a reader out.
func (s *snapshot) leave(count *readerCount) {
	count.n.Add(-1)
	if s.retired.Load() && s.empty() && s.wiped.CompareAndSwap(false, true) {
		go s.vault.Close() // a reader should not wait for the wiping of a large vault
	}
}

// retire takes the snapshot out of service, and wipes it unless a reader is in it, who will.
func (s *snapshot) retire() {
	s.retired.Store(true)
	if s.empty() && s.wiped.CompareAndSwap(false, true) {
		s.vault.Close()
	}
}

// empty tells whether every counter shows zero. It means what it says only of a retired snapshot.
func (s *snapshot) empty() bool {
	for i := range s.readers {
		if s.readers[i].n.Load() != 0 {
			return false
		}
	}
	return true
}
