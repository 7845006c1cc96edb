package main

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/mazevault/vault-tool/internal/durable"
)

// TestTerminalEditKeepsItsText: what was typed is stored when the lock is free again, or given up by who says so.
func TestTerminalEditKeepsItsText(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]string{"\r": "hunter2-new", "no\r": "hunter2-old"} {
		dir := newVaultDir(t, `{"A":"hunter2-old"}`)
		lock, err := durable.Lock(context.Background(), filepath.Join(dir, "secrets.vault"), 0)
		if err != nil {
			t.Fatal(err)
		}
		r := onTerminal(t, dir, []string{"EDITOR=sed -i s/old/new/"}, "edit", "--lock-timeout", "100ms", "--allow-disk")
		r.await("Press Enter to try again, or type no to give it up:")
		if err := lock.Unlock(); err != nil {
			t.Fatal(err)
		}
		r.keys(answer)
		if want == "hunter2-new" {
			r.exits(exitOK)
		} else {
			r.exits(exitBusy)
		}
		r.shows("hunter2", false)
		if got, _ := runTool(t, dir, "", exitOK, "get", "A"); got != want {
			t.Errorf("%q: the vault holds %q", answer, got)
		}
	}
}

// TestTerminalIsNotSteered by values in JSON and in exported lines.
func TestTerminalIsNotSteered(t *testing.T) {
	t.Parallel()
	dir := newVaultDir(t, `{"A":"x\u009b31m\u007f\u001b]0;t\u0007"}`)
	for _, args := range [][]string{
		{"get", "A"}, {"get", "A", "--json"}, {"decrypt", "--show-values", "--json"}, {"export", "--format", "json", "--show-values"}, {"export", "--format", "dotenv", "--show-values"},
	} {
		r := onTerminal(t, dir, nil, args...)
		r.exits(exitOK)
		r.shows("x", true)
		for _, raw := range []string{"\u009b", "\x7f", "\x1b]", "\x07"} {
			r.shows(raw, false)
		}
	}
}
