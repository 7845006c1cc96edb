package provider

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/crypto/argon2"

	"github.com/mazevault/vault-tool/internal/erase"
	"github.com/mazevault/vault-tool/kdf"
)

const memoryChildEnv = "PROVIDER_TEST_MEMORY_CHILD"

// TestMemory looks for secrets, passphrase and derived key in all readable memory of another process
// with an open provider. That process has them from the files only.
func TestMemory(t *testing.T) {
	if dir := os.Getenv(memoryChildEnv); dir != "" {
		memoryChild(t, dir)
		return
	}
	if testing.Short() {
		t.Skip("scans all memory of a process several times")
	}
	secrets := make(map[string]string)
	for i := range 20 {
		secrets[fmt.Sprintf("SECRET_%02d", i)] = randomText()
	}
	s := newSite(t, secrets)
	child := startMemoryChild(t, s)

	child.step(t, "opened")
	child.wantCopies(t, secrets, 1)
	child.wantNoKey(t, s)

	child.step(t, "used") // all of them, without a string
	child.wantCopies(t, secrets, 1)

	s.update(t, map[string]string{"SECRET_00": "-", "ADDED": randomText()})
	child.step(t, "reloaded")
	removed := map[string]string{"SECRET_00": secrets["SECRET_00"]}
	delete(secrets, "SECRET_00")
	child.wantCopies(t, removed, 0)
	child.wantCopies(t, secrets, 1)
	child.wantNoKey(t, s)

	child.step(t, "closed")
	child.wantCopies(t, secrets, 0)
	child.wantNoKey(t, s)
}

func memoryChild(t *testing.T, dir string) {
	p := mustOpen(t, Config{VaultFile: dir + "/secrets.vault", KeyFile: dir + "/vault.key"})
	in := bufio.NewReader(os.Stdin)
	for _, do := range []struct {
		step string
		run  func() error
	}{
		{"opened", func() error { return nil }},
		{"used", func() error {
			total := 0
			for _, name := range p.Names() {
				if err := p.Use(name, func(secret []byte) error { total += len(secret); return nil }); err != nil {
					return err
				}
			}
			return p.Require(p.Names()...)
		}},
		{"reloaded", func() error { _, err := p.Reload(context.Background()); return err }},
		{"closed", p.Close},
	} {
		if err := do.run(); err != nil {
			t.Fatal(err)
		}
		fmt.Printf("step %s\n", do.step)
		if _, err := in.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
}

type memoryProcess struct {
	pid int
	in  io.Writer
	out *bufio.Reader
}

func startMemoryChild(t *testing.T, s *site) *memoryProcess {
	t.Helper()
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestMemory$", "-test.v=false")
	cmd.Env = append(os.Environ(), memoryChildEnv+"="+s.dir)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close() // ends the child, wherever it is
		_ = cmd.Wait()
	})
	return &memoryProcess{pid: cmd.Process.Pid, in: in, out: bufio.NewReader(out)}
}

// step waits until the child has done a step. It stays there until the next is asked for.
func (c *memoryProcess) step(t *testing.T, name string) {
	t.Helper()
	if name != "opened" {
		if _, err := io.WriteString(c.in, "go on\n"); err != nil {
			t.Fatal(err)
		}
	}
	line, err := c.out.ReadString('\n')
	if err != nil || line != "step "+name+"\n" {
		t.Fatalf("the child says %q, %v; want step %s", line, err, name)
	}
}

func (c *memoryProcess) wantCopies(t *testing.T, secrets map[string]string, want int) {
	t.Helper()
	memory := c.memory(t)
	for name, value := range secrets {
		if got := countIn(memory, []byte(value)); got != want {
			t.Errorf("%d copies of %s, want %d", got, name, want)
		}
	}
}

// wantNoKey looks for the passphrase, as the file has it, and the key derived from it.
func (c *memoryProcess) wantNoKey(t *testing.T, s *site) {
	t.Helper()
	content, err := os.ReadFile(s.key)
	if err != nil {
		t.Fatal(err)
	}
	passphrase := bytes.TrimSpace(content)
	vault, err := os.ReadFile(s.vault)
	if err != nil {
		t.Fatal(err)
	}
	p := kdf.MVT1()
	key := argon2.IDKey(passphrase, vault[4:20], p.Iterations, p.MemoryKiB, p.Lanes, p.KeyBytes)
	memory := c.memory(t)
	for what, secret := range map[string][]byte{"passphrase": passphrase, "derived key": key} {
		// x/crypto's Argon2 leaves the passphrase in a dead object of the heap, which only runtime/secret overwrites.
		excused := what == "passphrase" && !erase.Complete && kdf.Default().Implementation() == kdf.Generic
		if n := countIn(memory, secret); n > 0 && !excused {
			t.Errorf("%d copies of the %s", n, what)
		}
	}
}

// memory returns the readable memory of the child, a mapping an element.
func (c *memoryProcess) memory(t *testing.T) [][]byte {
	t.Helper()
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", c.pid))
	if err != nil {
		t.Fatal(err)
	}
	mem, err := os.Open(fmt.Sprintf("/proc/%d/mem", c.pid))
	if err != nil {
		t.Skip("the memory of a child process cannot be read here:", err)
	}
	defer mem.Close()
	var all [][]byte
	for line := range strings.Lines(string(maps)) {
		var from, to uint64
		var mode string
		if _, err := fmt.Sscanf(line, "%x-%x %s", &from, &to, &mode); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if mode[0] != 'r' || strings.Contains(line, "[v") { // vvar, vdso, vsyscall cannot be read
			continue
		}
		region := make([]byte, to-from)
		n, err := mem.ReadAt(region, int64(from))
		if err != nil && n == 0 {
			continue // unmapped meanwhile
		}
		all = append(all, region[:n])
	}
	if len(all) < 5 {
		t.Skipf("only %d mappings can be read", len(all))
	}
	return all
}

func countIn(memory [][]byte, secret []byte) int {
	n := 0
	for _, region := range memory {
		n += bytes.Count(region, secret)
	}
	return n
}

func randomText() string {
	random := make([]byte, 24)
	_, _ = rand.Read(random)
	return hex.EncodeToString(random)
}
