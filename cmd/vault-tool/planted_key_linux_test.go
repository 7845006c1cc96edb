package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRotationRefusesPlantedKey has another user put a key that he knows where --in-place goes on with one.
func TestRotationRefusesPlantedKey(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("giving a file away takes root")
	}
	dir := t.TempDir()
	runTool(t, dir, "", 0, "init")
	runTool(t, dir, "hunter2", 0, "add", "--name", "A", "--create")
	vault, planted := filepath.Join(dir, "secrets.vault"), filepath.Join(dir, "vault.key.new")
	before, err := os.ReadFile(vault)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(planted, []byte("a key that another user knows\n"), 0o400); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(planted, nobodyID, nobodyID); err != nil {
		t.Fatal(err)
	}
	_, stderr := runTool(t, dir, "", exitInsecure, "rotate-key", "--in-place")
	if !strings.Contains(stderr, "vault.key.new belongs to uid 65534, and not to the owner of vault.key") {
		t.Errorf("standard error: %s", stderr)
	}
	after, err := os.ReadFile(vault)
	if err != nil || string(after) != string(before) {
		t.Errorf("the vault has changed (%v)", err)
	}
	runTool(t, dir, "", 0, "get", "A")
}
