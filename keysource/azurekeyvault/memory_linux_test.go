package azurekeyvault_test

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/mazevault/vault-tool/internal/erase"
	"github.com/mazevault/vault-tool/internal/fakeazure"
	"github.com/mazevault/vault-tool/keysource/azurekeyvault"
)

// TestMemory looks for the passphrase in all readable memory of a process that has read it. What a
// build with runtime/secret promises is checked; the other build is told about.
func TestMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("the race detector, for which -short is, sees nothing here that it does not see elsewhere")
	}
	needChild(t)
	random := make([]byte, 32)
	_, _ = rand.Read(random)
	key := hex.EncodeToString(random) // one that is not in the child's text
	azure := fakeazure.Start(t, testVault)
	azure.Put(azurekeyvault.DefaultSecretName, fakeazure.Secret{Value: key + "\n"})
	cmd := childCommand(t, azure.Env(), order{URL: testURL, Wait: true})
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = stdin.Close()
		_ = cmd.Wait()
	}()
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil || !strings.Contains(line, `"Error":""`) {
		t.Fatalf("child said %q, %v", line, err)
	}
	memory, err := readMemory(cmd.Process.Pid)
	if errors.Is(err, fs.ErrPermission) {
		t.Skip("this system does not let a process read its child's memory")
	}
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(memory, []byte(testURL)) {
		t.Fatal("the scan does not find what must be there")
	}
	copies := 0
	for i := 0; i+pieceBytes <= len(key); i += pieceBytes {
		copies += bytes.Count(memory, []byte(key[i:i+pieceBytes]))
	}
	switch {
	case erase.Complete && copies > 0:
		t.Errorf("%d copies of quarters of the passphrase are left", copies)
	case copies > 0:
		t.Logf("without runtime/secret %d copies of quarters of the passphrase are left", copies)
	}
}

// pieceBytes is what must be left of a key of 64 digits to be found: a quarter.
const pieceBytes = 16

// readMemory returns all readable memory of a process, file mappings aside.
func readMemory(pid int) ([]byte, error) {
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return nil, err
	}
	mem, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		return nil, err
	}
	defer func() { _ = mem.Close() }()
	var memory bytes.Buffer
	for line := range strings.Lines(string(maps)) {
		var from, to uint64
		var access string
		if _, err := fmt.Sscanf(line, "%x-%x %s", &from, &to, &access); err != nil {
			return nil, err
		}
		if access[0] == 'r' && to <= math.MaxInt64 {
			// A mapping that cannot be read after all (the kernel's own) holds nothing of ours.
			_, _ = io.Copy(&memory, io.NewSectionReader(mem, int64(from), int64(to-from)))
			memory.WriteByte(0)
		}
	}
	return memory.Bytes(), nil
}
