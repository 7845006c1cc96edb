package main

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// crashCase is a command that is disturbed at each of its file system calls in turn.
type crashCase struct {
	name     string
	args     []string
	stdin    string
	prepare  func(*folder)            // what there is beside the vault, nil for nothing
	asApply  bool                     // its calls are those of apply: only its kills are tried
	oneFault bool                     // each call fails in one way only, also where every call fails
	lacks    func(call) syscall.Errno // what the file system answers to calls that it does not offer

	initial       map[string]string // what the vault is made with, before prepare; nil: before
	before, after map[string]string // what the vault holds; nil where there is none
	again         []int             // how the command may end when it is run once more, beside exitOK
	leaves        []string          // names that may be there at the end beside those of the beginning
	check         func(*folder)     // a look at the rest after the disturbance, nil for none
	checkEnd      func(*folder)     // a look at the rest after the command was run again
}

const crashEnv = "# settings\nexport DATABASE_URL='postgres://u:p@db/x'\nLOG_LEVEL=debug\nREDIS_PASSWORD=s3cret\n"

// prunedCrashEnv is crashEnv when the two secrets have moved.
const prunedCrashEnv = "# settings\nLOG_LEVEL=debug\n"

// withSecrets returns a copy of secrets with some more, given as names and values in turn.
func withSecrets(secrets map[string]string, more ...string) map[string]string {
	c := maps.Clone(secrets)
	for i := 0; i < len(more); i += 2 {
		c[more[i]] = more[i+1]
	}
	return c
}

// noRenameFlags is a file system without the flags of renameat2, such as NFS: nothing can be exchanged.
func noRenameFlags(c call) syscall.Errno {
	if c.name == "renameat2" && c.args[4] != 0 {
		return unix.EINVAL
	}
	return 0
}

func crashCases() []crashCase {
	old, migrated := someSecrets, withSecrets(someSecrets, "DATABASE_URL", "postgres://u:p@db/x", "REDIS_PASSWORD", "s3cret")
	added := withSecrets(old, "C", "new")
	add := crashCase{name: "add", args: []string{"add", "--name", "C"}, stdin: "new\n", before: old, after: added}
	encrypt := crashCase{
		name: "encrypt --force", args: []string{"encrypt", "--force"}, stdin: `{"Z":"26"}`,
		before: old, after: map[string]string{"Z": "26"}, leaves: []string{"secrets.vault.bak"},
	}
	discard := crashCase{name: "rotate-key --discard-old-key", args: []string{"rotate-key", "--in-place", "--discard-old-key"}, before: old, after: old}
	rotate := discard
	rotate.name, rotate.args = "rotate-key --in-place", []string{"rotate-key", "--in-place"}
	// Killed after its last step it has nothing to finish when it is run again: it rotates once more.
	rotate.leaves = []string{"vault.key.old", "vault.key.old.1"}
	toFile := crashCase{
		name: "rotate-key --new-key-file", args: []string{"rotate-key", "--new-key-file", "vault.key.new"}, before: old, after: old,
		prepare: func(f *folder) { f.mustRun("", "init", "--key-file", "vault.key.new") },
		leaves:  []string{"vault.key.old"},
	}
	migrate := crashCase{
		name: "migrate-env --prune", args: []string{"migrate-env", "--env-file", ".env", "--prune"},
		prepare: func(f *folder) { f.write(".env", crashEnv, 0o640) },
		before:  old, after: migrated, check: checkEnvFile,
		checkEnd: func(f *folder) {
			if got := f.read(".env"); got != prunedCrashEnv {
				f.t.Errorf("the .env file is %q", got)
			}
		},
	}
	noVault := func(c crashCase, name string) crashCase {
		prepare := c.prepare
		c.name, c.before, c.leaves = name, nil, []string{"secrets.vault", "secrets.vault.lock"}
		c.prepare = func(f *folder) {
			if prepare != nil {
				prepare(f)
			}
			remove(f, "secrets.vault", "secrets.vault.lock")
		}
		return c
	}
	create := noVault(add, "add --create")
	create.args, create.after = append(add.args, "--create"), map[string]string{"C": "new"}
	encryptNew := noVault(encrypt, "encrypt")
	encryptNew.args, encryptNew.again = []string{"encrypt"}, []int{exitConflict}
	migrateNew := noVault(migrate, "migrate-env --prune to a new vault")
	migrateNew.after = map[string]string{"DATABASE_URL": "postgres://u:p@db/x", "REDIS_PASSWORD": "s3cret"}
	firstLock := add
	firstLock.name, firstLock.leaves = "add without a lock file", []string{"secrets.vault.lock"}
	firstLock.prepare = func(f *folder) { remove(f, "secrets.vault.lock") }
	attributes := add
	attributes.name, attributes.prepare = "add to a vault with attributes", giveAttributes

	newKey := crashCase{
		name: "init", args: []string{"init", "--key-file", "other.key"}, before: old, after: old,
		again: []int{exitConflict}, leaves: []string{"other.key"},
	}

	cases := []crashCase{
		newKey, add, encrypt, rotate, discard, toFile, migrate, create, encryptNew, migrateNew, firstLock, attributes,
		{name: "rm", args: []string{"rm", "A", "B"}, before: added, after: map[string]string{"C": "new", "SMTP_PASSWORD": old["SMTP_PASSWORD"]}, prepare: func(f *folder) {
			f.mustRun("new\n", "add", "--name", "C")
		}, initial: old, again: []int{exitNotFound}},
	}
	cases = append(cases, historyCrashCases()...)
	cases = append(cases, backupCrashCases()...)
	for _, c := range []crashCase{add, encrypt, rotate, migrate, encryptNew, firstLock} {
		c.name += ", plain renames"
		c.lacks = noRenameFlags
		cases = append(cases, c)
	}
	return cases
}

// giveAttributes gives the vault what a rewrite has to carry over.
func giveAttributes(f *folder) {
	if os.Getuid() == 0 {
		if err := os.Chown(f.path("secrets.vault"), 65534, 65534); err != nil {
			f.t.Fatal(err)
		}
	}
	if err := unix.Setxattr(f.path("secrets.vault"), "user.note", []byte("kept"), 0); err != nil {
		f.t.Logf("no extended attributes here: %v", err)
	}
}

// checkEnvFile reports a secret that is neither in the vault nor in the .env file.
func checkEnvFile(f *folder) {
	switch f.read(".env") {
	case crashEnv:
	case prunedCrashEnv:
		if got, err := f.secrets(); err != nil || got["REDIS_PASSWORD"] != "s3cret" || got["DATABASE_URL"] != "postgres://u:p@db/x" {
			f.t.Errorf("the .env file is pruned and the vault holds %v (%v)", got, err)
		}
	default:
		f.t.Errorf("the .env file is %q", f.read(".env"))
	}
}

// template makes the folder that every run of the case begins with.
func (c crashCase) template(t *testing.T, quick bool) *folder {
	secrets := c.before
	if c.initial != nil || secrets == nil {
		secrets = someSecrets
	}
	f := newVault(t, quick, secrets)
	if c.prepare != nil {
		c.prepare(f)
	}
	return f
}

// copyOf returns a folder of t with the same files.
func (f *folder) copyOf(t testing.TB) *folder {
	t.Helper()
	dir, err := os.MkdirTemp(t.TempDir(), "case")
	if err != nil {
		t.Fatal(err)
	}
	if output, err := exec.Command("cp", "-a", f.dir+"/.", dir).CombinedOutput(); err != nil {
		t.Fatalf("cp: %v: %s", err, output)
	}
	return &folder{t: t, tool: f.tool, dir: dir, set: f.set}
}

// trace runs the command of the case.
func (c crashCase) trace(f *folder, decide func(call) verdict) traceResult {
	return f.trace(c.stdin, c.args, func(made call) verdict {
		v := decide(made)
		if v == (verdict{}) && c.lacks != nil {
			v.fail = c.lacks(made)
		}
		return v
	})
}

// intact reports whether the vault opens and holds what it held before or what it holds after.
func (c crashCase) intact(f *folder) {
	if _, err := os.Lstat(f.path("secrets.vault")); err != nil && c.before == nil {
		return
	}
	got, err := f.secrets()
	if err != nil || !maps.Equal(got, c.after) && (c.before == nil || !maps.Equal(got, c.before)) {
		f.t.Errorf("the vault holds %v (%v), neither what was there before nor what is to be there", got, err)
	}
	if c.check != nil {
		c.check(f)
	}
}

// runAgain runs the command once more, undisturbed, and looks for what is left.
func (c crashCase) runAgain(f *folder, start *folder) {
	r := f.run(c.stdin, c.args...)
	if r.code != exitOK && !slices.Contains(c.again, r.code) {
		f.t.Errorf("run again: exit %d: %s", r.code, r.stderr)
	}
	f.wantSecrets(c.after)
	f.wantNames(append(start.names(), c.leaves...)...)
	if slices.Contains(c.leaves, "secrets.vault.bak") && f.read("secrets.vault.bak") != start.read("secrets.vault") {
		f.t.Error("secrets.vault.bak is not the old vault")
	}
	if slices.Contains(c.leaves, "vault.key.old") && !slices.Contains([]string{f.read("vault.key.old"), f.read("vault.key.old.1")}, start.read("vault.key")) {
		f.t.Error("no vault.key.old is the old key")
	}
	if c.checkEnd != nil {
		c.checkEnd(f)
	}
}

// callsMet gathers, over all cases, the names of the calls that were disturbed.
type callsMet struct {
	mu    sync.Mutex
	names map[string]int
}

func (m *callsMet) add(c call) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.names == nil {
		m.names = make(map[string]int)
	}
	m.names[c.name]++
}

// disturbEach runs the case once for each of its calls that chosen names, on two processors, and disturbs
// that call; check is told the outcome. With -short it takes every tenth.
func (c crashCase) disturbEach(t *testing.T, quick bool, chosen func(call) bool, disturb verdict, check func(f, start *folder, at call, r traceResult)) {
	start := c.template(t, quick)
	undisturbed := c.trace(start.copyOf(t), func(call) verdict { return verdict{} })
	if undisturbed.code != exitOK {
		t.Fatalf("undisturbed: exit %d: %s", undisturbed.code, undisturbed.stderr)
	}
	total := 0
	for _, made := range undisturbed.calls {
		if chosen(made) {
			total++
		}
	}
	// The runtime makes a few calls more or less from one run to the next.
	const slack, workers = 2, 2
	step := 1
	if testing.Short() {
		step = 10 // the race detector, for which -short is, does not see into processes
	}
	for worker := range workers {
		t.Run(fmt.Sprint(worker), func(t *testing.T) {
			t.Parallel()
			for n := 1 + worker*step; n <= total+slack; n += workers * step {
				c.disturb(t, start, n, chosen, disturb, check)
			}
		})
	}
}

// disturb runs the case once and disturbs the n-th of the chosen calls. Where that has changed nothing on the
// disk there is nothing to check beyond how the command ended.
func (c crashCase) disturb(t *testing.T, start *folder, n int, chosen func(call) bool, disturb verdict, check func(f, start *folder, at call, r traceResult)) {
	f := start.copyOf(t)
	var at call
	seen := 0
	r := c.trace(f, func(made call) verdict {
		if !chosen(made) {
			return verdict{}
		}
		if seen++; seen != n {
			return verdict{}
		}
		at = made
		return disturb
	})
	if at.n != 0 {
		check(f, start, at, r)
		if !maps.Equal(f.snapshot(), start.snapshot()) {
			c.intact(f)
			c.runAgain(f, start)
		}
	}
	if err := os.RemoveAll(f.dir); err != nil {
		t.Error(err)
	}
	if t.Failed() {
		t.Fatalf("disturbed at %v", at)
	}
}

var crashAll = flag.Bool("crash.all", false, "disturb commands at every call, those included that change nothing on the disk")

// worthKilling chooses the calls that change what is on the disk, and a sample of the others: to be
// killed at one of those leaves what a kill at the next change leaves.
func worthKilling(c call) bool { return *crashAll || sampledForKilling(c) }

func sampledForKilling(c call) bool {
	const sample = 5
	return c.changesDisk() || c.n%sample == 0
}

// TestKillAtEachCall kills commands at the entry of each of their file system calls (see worthKilling). Whatever the moment,
// the vault opens with the key and holds what it held before or what it is to hold; the same command,
// run again, finishes the work and leaves nothing behind.
func TestKillAtEachCall(t *testing.T) {
	var met callsMet
	t.Run("each", func(t *testing.T) {
		for _, c := range crashCases() {
			t.Run(c.name, func(t *testing.T) {
				if c.lacks != nil && !canFailCalls {
					t.Skip("calls cannot be made to fail on this processor")
				}
				if c.asApply && !*crashAll {
					t.Skip("a part of make test-all: its calls are those of apply")
				}
				t.Parallel()
				chosen := worthKilling
				if c.asApply {
					chosen = sampledForKilling // all calls are tried with apply itself
				}
				c.disturbEach(t, true, chosen, verdict{kill: true}, func(f, _ *folder, at call, r traceResult) {
					met.add(at)
					if r.signal != syscall.SIGKILL {
						f.t.Errorf("exit %d instead of a kill: %s", r.code, r.stderr)
					}
				})
			})
		}
	})
	want := []string{"openat", "write", "fsync", "fchmod", "renameat2", "unlinkat", "flock", "close"}
	if canFailCalls {
		want = append(want, "linkat", "renameat")
	}
	if os.Getuid() == 0 {
		want = append(want, "fchown")
	}
	for _, name := range want {
		if met.names[name] == 0 && !testing.Short() {
			t.Errorf("nothing was killed at a call of %s", name)
		}
	}
	t.Logf("kills: %v", met.names)
}

// TestKillProduct does the same to the product itself, at those calls that change what is on the disk.
func TestKillProduct(t *testing.T) {
	if !*crashAll {
		t.Skip("takes minutes: make test-all; TestKillAtEachCall does it with a cheap key derivation")
	}
	for _, c := range crashCases() {
		if !slices.Contains([]string{"add", "encrypt --force", "rotate-key --in-place", "migrate-env --prune"}, c.name) {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.disturbEach(t, false, call.changesDisk, verdict{kill: true}, func(f, _ *folder, _ call, r traceResult) {
				if r.signal != syscall.SIGKILL {
					f.t.Errorf("exit %d instead of a kill: %s", r.code, r.stderr)
				}
			})
		})
	}
}

// TestSignalAtEachCall sends SIGTERM at each call. The command ends with 130, or with 0 where it was as
// good as done.
func TestSignalAtEachCall(t *testing.T) {
	for _, c := range crashCases() {
		if !slices.Contains([]string{"add", "encrypt --force", "rotate-key --in-place", "migrate-env --prune", "backup", "restore"}, c.name) {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.disturbEach(t, true, worthKilling, verdict{signal: syscall.SIGTERM}, func(f, start *folder, _ call, r traceResult) {
				switch r.code {
				case exitOK:
					f.wantSecrets(c.after)
				case exitInterrupted:
					if !strings.Contains(r.stderr, "interrupted") {
						f.t.Errorf("stderr is %q", r.stderr)
					}
				case -1: // the runtime was not far enough to catch it
					if r.signal != syscall.SIGTERM || !maps.Equal(f.snapshot(), start.snapshot()) {
						f.t.Errorf("ended by %v, not at once", r.signal)
					}
				default:
					f.t.Errorf("exit %d: %s", r.code, r.stderr)
				}
			})
		})
	}
}
