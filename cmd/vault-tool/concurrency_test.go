package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/mazevault/vault-tool/keysource"
	"github.com/mazevault/vault-tool/vaultfile"
)

// together calls each function on a goroutine of its own and waits for all.
func together(functions ...func()) {
	var group sync.WaitGroup
	for _, f := range functions {
		group.Go(f)
	}
	group.Wait()
}

// TestManyWriters has 16 processes add 25 names each.
func TestManyWriters(t *testing.T) {
	t.Parallel()
	const writers, names = 16, 25
	f := newVault(t, true, map[string]string{"FIRST": "1"})
	want := map[string]string{"FIRST": "1"}
	var functions []func()
	for w := range writers {
		for n := range names {
			want[fmt.Sprintf("W%d/N%d", w, n)] = fmt.Sprintf("value %d of %d", n, w)
		}
		functions = append(functions, func() {
			for n := range names {
				f.succeed(fmt.Sprintf("value %d of %d", n, w), "add", "--name", fmt.Sprintf("W%d/N%d", w, n), "--lock-timeout", "2m")
			}
		})
	}
	together(functions...)
	f.wantSecrets(want)
	f.wantNames("secrets.vault", "secrets.vault.lock", "vault.key")
}

// TestManyKindsOfWriters has several processes change the vault with different commands. Nothing is lost, in the history neither.
func TestManyKindsOfWriters(t *testing.T) {
	t.Parallel()
	const rounds = 12
	f := newVault(t, true, map[string]string{"SHARED": "0", "MOVES0": "m"})
	want := map[string]string{fmt.Sprintf("MOVES%d", rounds): "m"}
	wait := func(stdin string, args ...string) { f.succeed(stdin, append(args, "--lock-timeout", "2m")...) }
	together(
		func() {
			for n := range rounds {
				wait(fmt.Sprintf(`{"APPLIED%d": "a", "SHARED": "apply %d"}`, n, n), "apply")
			}
		},
		func() {
			for n := range rounds {
				wait("", "rename", fmt.Sprintf("MOVES%d", n), fmt.Sprintf("MOVES%d", n+1))
			}
		},
		func() {
			for n := range rounds {
				wait("", "copy", "SHARED", fmt.Sprintf("COPY%d", n))
				wait("", "destroy", fmt.Sprintf("COPY%d", n))
			}
		},
		func() {
			for range rounds {
				wait("x", "add", "GONE")
				wait("", "rm", "GONE")
				wait("", "undelete", "GONE")
			}
		},
	)
	for n := range rounds {
		want[fmt.Sprintf("APPLIED%d", n)] = "a"
	}
	want["SHARED"], want["GONE"] = fmt.Sprintf("apply %d", rounds-1), "x"
	f.wantSecrets(want)
	var histories historiesJSON
	if err := json.Unmarshal([]byte(f.mustRun("", "history", "--json")), &histories); err != nil {
		t.Fatal(err)
	}
	for _, h := range histories.Secrets {
		for i, v := range h.Versions {
			if v.Origin != "" || i > 0 && v.Version != h.Versions[i-1].Version+1 {
				t.Errorf("%s: version %d behind %d, origin %q", h.Name, v.Version, h.Versions[max(i-1, 0)].Version, v.Origin)
			}
		}
	}
}

// TestManyWritersOfProduct is the same with the real key derivation, which comes before the lock.
func TestManyWritersOfProduct(t *testing.T) {
	if testing.Short() {
		t.Skip("TestManyWriters does more of it with a cheap key derivation")
	}
	t.Parallel()
	f := newVault(t, false, map[string]string{"FIRST": "1"})
	want := map[string]string{"FIRST": "1"}
	var functions []func()
	for w := range 8 {
		want[fmt.Sprintf("W%d", w)], want[fmt.Sprintf("X%d", w)] = "v", "v"
		functions = append(functions, func() {
			for _, letter := range []string{"W", "X"} {
				f.succeed("v", "add", "--name", fmt.Sprintf("%s%d", letter, w), "--lock-timeout", "2m")
			}
		})
	}
	together(functions...)
	f.wantSecrets(want)
}

// TestOneCreatorWins has several processes create a vault. One does, the others are told that it exists.
func TestOneCreatorWins(t *testing.T) {
	t.Parallel()
	for range 5 {
		f := newFolder(t, true)
		f.mustRun("", "init", "--key-file", "vault.key")
		var won atomic.Int32
		var content [4]string
		var winner atomic.Int32
		var functions []func()
		for i := range content {
			content[i] = fmt.Sprintf(`{"BY":"%d"}`, i)
			functions = append(functions, func() {
				switch r := f.run(content[i], "encrypt"); {
				case r.code == exitOK:
					won.Add(1)
					winner.Store(int32(i))
				case r.code != exitConflict || !strings.Contains(r.stderr, "exists already"):
					t.Errorf("exit %d: %s", r.code, r.stderr)
				}
			})
		}
		together(functions...)
		if won.Load() != 1 {
			t.Errorf("%d processes created the vault", won.Load())
		}
		f.wantSecrets(map[string]string{"BY": fmt.Sprint(winner.Load())})
		f.wantNames("secrets.vault", "secrets.vault.lock", "vault.key")
	}
}

// TestOneKeyIsMade has several processes make a key under one name.
func TestOneKeyIsMade(t *testing.T) {
	t.Parallel()
	f := newFolder(t, true)
	var won atomic.Int32
	var functions []func()
	for range 4 {
		functions = append(functions, func() {
			switch r := f.run("", "init", "--key-file", "vault.key"); r.code {
			case exitOK:
				won.Add(1)
			case exitConflict:
			default:
				t.Errorf("exit %d: %s", r.code, r.stderr)
			}
		})
	}
	together(functions...)
	if won.Load() != 1 || len(f.read("vault.key")) != 65 {
		t.Errorf("%d processes made the key, which has %d bytes", won.Load(), len(f.read("vault.key")))
	}
	f.wantNames("vault.key")
}

// TestConcurrentRotations has several processes rotate the key at once, and others write. Whoever fails says
// why with an exit code of its own, and no write that was reported as done is lost.
func TestConcurrentRotations(t *testing.T) {
	t.Parallel()
	for _, rotate := range [][]string{{"rotate-key", "--in-place"}, {"rotate-key", "--in-place", "--keep-old-key"}} {
		f := newVault(t, true, someSecrets)
		want := maps.Clone(someSecrets)
		var mu sync.Mutex
		var rotated atomic.Int32
		rotator := func() {
			for range 5 {
				switch r := f.run("", append(rotate, "--lock-timeout", "1m")...); r.code {
				case exitOK:
					rotated.Add(1)
				case exitCannotOpen, exitConflict: // the other one changed the key under it
					t.Logf("rotation: exit %d: %s", r.code, r.stderr)
				default:
					t.Errorf("rotation: exit %d: %s", r.code, r.stderr)
				}
			}
		}
		writer := func(name string) func() {
			return func() {
				for i := range 10 {
					if f.succeed(fmt.Sprint(i), "add", "--name", name, "--lock-timeout", "1m") {
						mu.Lock()
						want[name] = fmt.Sprint(i)
						mu.Unlock()
					}
				}
			}
		}
		together(rotator, rotator, writer("W1"), writer("W2"))
		t.Logf("%d of 10 rotations done", rotated.Load())
		if rotated.Load() == 0 {
			t.Error("no rotation succeeded")
		}
		f.wantSecrets(want)
		f.mustRun("", rotate...)
		f.wantSecrets(want)
		for _, name := range f.names() {
			if strings.HasSuffix(name, ".vault-tmp") || strings.HasSuffix(name, ".new") {
				t.Errorf("stray file %s", name)
			}
		}
	}
}

// TestReadersNeverFail reads, in this process and in others, while the product adds secrets and rotates
// keys. Every state is a whole one: between two writes COUNT and TWIN are equal, as encrypt --force puts
// them into the vault.
func TestReadersNeverFail(t *testing.T) {
	t.Parallel()
	rounds := 4
	if testing.Short() {
		rounds = 1
	}
	f := newVault(t, false, map[string]string{"COUNT": "0", "TWIN": "0"})
	ctx, cancel := context.WithCancel(context.Background())
	var reads, lists atomic.Int64
	source := keysource.NewFile(f.path("vault.key"))
	defer source.Close()
	writer := func() {
		defer cancel()
		for i := 1; i <= rounds; i++ {
			f.succeed("v", "add", "--name", fmt.Sprintf("N%d", i))
			f.succeed("", "rotate-key", "--in-place")
			f.succeed(fmt.Sprintf(`{"COUNT":"%d","TWIN":"%d"}`, i, i), "encrypt", "--force")
			f.succeed("", "rotate-key", "--in-place", "--keep-old-key")
		}
	}
	library := func() {
		u := vaultfile.NewUnlocker(source)
		defer u.Close()
		for ctx.Err() == nil {
			if err := readTwins(f.path("secrets.vault"), u); err != nil {
				t.Errorf("read %d: %v", reads.Load(), err)
				return
			}
			reads.Add(1)
		}
	}
	process := func() {
		for ctx.Err() == nil {
			r := f.run("", "list")
			if r.code != exitOK || !strings.Contains(r.stdout, "COUNT\n") || !strings.HasSuffix(r.stdout, "TWIN\n") {
				t.Errorf("list: exit %d: %s%s", r.code, r.stdout, r.stderr)
				return
			}
			lists.Add(1)
		}
	}
	together(writer, library, process)
	t.Logf("%d reads, %d lists", reads.Load(), lists.Load())
	if reads.Load() == 0 || lists.Load() == 0 {
		t.Error("nothing was read")
	}
}

// readTwins opens the vault and compares COUNT with TWIN.
func readTwins(path string, u *vaultfile.Unlocker) error {
	v, err := vaultfile.Open(context.Background(), path, u)
	if err != nil {
		return err
	}
	defer v.Close()
	count, err := v.Get("COUNT")
	if err != nil {
		return err
	}
	twin, err := v.Get("TWIN")
	if err == nil && count != twin {
		err = fmt.Errorf("COUNT is %s and TWIN is %s", count, twin)
	}
	return err
}

// TestQuickReadersNeverFail is the same with the cheap derivation, so that many more writes and reads meet.
func TestQuickReadersNeverFail(t *testing.T) {
	t.Parallel()
	rounds := 30
	if testing.Short() {
		rounds = 8
	}
	f := newVault(t, true, map[string]string{"COUNT": "0", "TWIN": "0"})
	ctx, cancel := context.WithCancel(context.Background())
	var reads atomic.Int64
	writer := func() {
		defer cancel()
		for i := 1; i <= rounds; i++ {
			f.succeed("", "rotate-key", "--in-place")
			f.succeed(fmt.Sprintf(`{"COUNT":"%d","TWIN":"%d"}`, i, i), "encrypt", "--force")
		}
	}
	reader := func() {
		for ctx.Err() == nil {
			secrets, err := f.secrets()
			if err != nil || secrets["COUNT"] == "" || secrets["COUNT"] != secrets["TWIN"] {
				t.Errorf("read %d: %v (%v)", reads.Load(), secrets, err)
				return
			}
			reads.Add(1)
		}
	}
	together(writer, reader, reader, reader)
	t.Logf("%d reads", reads.Load())
}
