package main

import (
	"os/exec"
	"strings"
	"testing"
)

// TestLimits: where a limit leaves too little to work with, that is an error and no crash of the runtime.
func TestLimits(t *testing.T) {
	t.Parallel()
	dir := newVaultDir(t, `{"A": "hidden"}`)
	for limit, want := range map[string]string{
		"-n 8":       "only 8 files may be open",
		"-n 15":      "only 15 files may be open",
		"-n 16":      "",
		"-v 4000000": "",
	} {
		cmd := exec.Command("sh", "-c", "ulimit "+limit+" && exec vault-tool list")
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		switch {
		case want == "" && (err != nil || string(out) != "A\n"):
			t.Errorf("ulimit %s: %v: %s", limit, err, out)
		case want != "" && (cmd.ProcessState.ExitCode() != exitFailed || !strings.Contains(string(out), want) || !strings.Contains(string(out), "hint: raise the limit")):
			t.Errorf("ulimit %s: %v: %s", limit, err, out)
		}
	}
}
