//go:build unix

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// backupWorld is a host with the example of backups by timer.
type backupWorld struct {
	*folder
	bin string
}

func newBackupWorld(t *testing.T) *backupWorld {
	w := &backupWorld{folder: newVault(t, true, someSecrets), bin: t.TempDir()}
	if err := os.Symlink(w.tool, filepath.Join(w.bin, "vault-tool")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(w.path("backups"), 0o700); err != nil {
		t.Fatal(err)
	}
	return w
}

// script runs the script, and wants it to end with that code.
func (w *backupWorld) script(want int, args ...string) string {
	w.t.Helper()
	script, err := filepath.Abs(filepath.Join(examplesDir, "backup", "vault-backup.sh"))
	if err != nil {
		w.t.Fatal(err)
	}
	cmd := exec.Command("sh", append([]string{script}, args...)...)
	cmd.Env = append(os.Environ(), "PATH="+w.bin+":"+os.Getenv("PATH"), "MAZEVAULT_VAULT_FILE="+w.path("secrets.vault"),
		"MAZEVAULT_VAULT_KEY_FILE="+w.path("vault.key"), "VAULT_BACKUPS="+w.path("backups"), "VAULT_REQUIRED="+w.path("required"))
	output, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		w.t.Fatal(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != want {
		w.t.Errorf("vault-backup.sh %q: exit code %d, want %d\n%s", args, got, want, output)
	}
	return string(output)
}

func (w *backupWorld) remove(names ...string) {
	w.t.Helper()
	for _, name := range names {
		if err := os.Remove(w.path(name)); err != nil {
			w.t.Fatal(err)
		}
	}
}

// TestBackupExample goes through the chapter on backups of the product document, with its quarterly verification.
func TestBackupExample(t *testing.T) {
	t.Parallel()
	w := newBackupWorld(t)
	w.script(exitNotFound, "verify")
	w.script(exitOK, "backup")
	if out := w.script(exitOK, "backup"); !strings.Contains(out, "no new backup is needed") {
		t.Errorf("a vault that has not changed is backed up: %s", out)
	}
	w.put("backups/secrets.vault.20260419", w.read("secrets.vault"), 0o600) // as the document has it
	w.mustRun("", "rotate-key", "--in-place")
	w.mustRun("new", "add", "A")
	w.script(exitOK, "backup")
	w.put("required", "A\nB\n", 0o600)
	out := w.script(exitOK, "verify")
	for _, want := range []string{"older: A", "the same as now", "All of 3 files passed", "restored"} {
		if !strings.Contains(out, want) {
			t.Errorf("there is no %q in %s", want, out)
		}
	}
	w.put("required", "ABSENT\n", 0o600)
	w.script(exitNotFound, "verify")
	w.remove("required")

	w.put("backups/secrets.vault.20260420", w.read("secrets.vault")[:100], 0o600)
	if out := w.script(exitCannotOpen, "verify"); !strings.Contains(out, "1 damaged") {
		t.Errorf("the damage is not told: %s", out)
	}
	w.remove("backups/secrets.vault.20260420", "vault.key.old")
	if out := w.script(exitCannotOpen, "verify"); !strings.Contains(out, "2 that no key opens") {
		t.Errorf("the lost key is not told: %s", out)
	}
	if err := os.Rename(w.path("backups"), w.path("unmounted")); err != nil {
		t.Fatal(err)
	}
	w.script(exitNotFound, "backup")
	w.script(exitUsage)
	w.script(exitUsage, "restore")
}

// TestBackupUnits has the units start the script as it can be called, and systemd verify them.
func TestBackupUnits(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	script := filepath.Join(dir, "vault-backup.sh")
	if err := os.WriteFile(script, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	units, err := filepath.Glob(filepath.Join(examplesDir, "backup", "*.[st]*e*r*"))
	units = slices.DeleteFunc(units, func(path string) bool { return filepath.Ext(path) != ".service" && filepath.Ext(path) != ".timer" })
	if err != nil || len(units) != 4 {
		t.Fatalf("units: %q, %v", units, err)
	}
	var copies, times []string
	for _, unit := range units {
		text, err := os.ReadFile(unit)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(unit), "vault-"), ".service")
		if filepath.Ext(unit) == ".service" && !strings.Contains(string(text), "\nExecStart=/usr/local/bin/vault-backup.sh "+name+"\n") {
			t.Errorf("%s does not start the script", unit)
		}
		for line := range strings.Lines(string(text)) {
			if at, ok := strings.CutPrefix(line, "OnCalendar="); ok {
				times = append(times, strings.TrimSpace(at))
			}
		}
		path := filepath.Join(dir, filepath.Base(unit))
		if err := os.WriteFile(path, []byte(strings.ReplaceAll(string(text), "/usr/local/bin/vault-backup.sh", script)), 0o644); err != nil {
			t.Fatal(err)
		}
		copies = append(copies, path)
	}
	if len(times) != 2 {
		t.Errorf("the times are %q", times)
	}
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("no systemd-analyze here (Debian: systemd)")
	}
	output, err := exec.Command("systemd-analyze", append([]string{"verify"}, copies...)...).CombinedOutput()
	if err != nil || strings.Contains(string(output), "vault-") { // what it says of other units is not ours
		t.Errorf("systemd-analyze verify: %v\n%s", err, output)
	}
	if output, err := exec.Command("systemd-analyze", append([]string{"calendar"}, times...)...).CombinedOutput(); err != nil {
		t.Errorf("systemd-analyze calendar: %v\n%s", err, output)
	}
}
