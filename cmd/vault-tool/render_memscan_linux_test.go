package main

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestRenderLeavesNoSecretInMemory scans the memory of renderings into a directory, which make no strings of the values, and of
// templates, whose strings are gone at the end.
func TestRenderLeavesNoSecretInMemory(t *testing.T) {
	w := newScanWorld(t, buildForScan(t, "runtimesecret"), scanOptions{})
	w.clean(exitOK, "", "init")
	w.clean(exitOK, w.secretsJSON("SECRET_", 9), "encrypt")
	render := []string{"render", "--allow-disk", "--dir", "d"}
	w.clean(exitOK, "", render...)
	w.clean(exitOK, "", render...) // compares
	w.clean(exitOK, w.canary("ADDED"), "add", "--name", "SECRET_1")
	w.clean(exitOK, "", append(render, "--except", "SECRET_2", "--mode", "0440")...)
	w.file("d/SECRET_2", "foreign", 0o600)
	w.clean(exitConflict, "", render...)

	template := []string{"render", "--allow-disk", "--output", "out", "--template"}
	w.file("t", `{{ range names }}{{ secret . | json }} {{ secret . | base64 }}{{ end }}`, 0o600)
	w.clean(exitOK, "", append(template, "t")...)
	w.file("t2", `{{ secret "SECRET_1" | json }}{{ range secret "SECRET_1" }}{{ end }}`, 0o600)
	w.clean(exitUsage, "", append(template, "t2")...)
}

// TestRenderWatchLeavesNoSecretInMemory: a watcher that waits holds each secret once, as a provider does, whatever it has filled
// a template with, and nothing of an earlier vault or of the key.
func TestRenderWatchLeavesNoSecretInMemory(t *testing.T) {
	w := newScanWorld(t, buildForScan(t, "runtimesecret"), scanOptions{})
	w.clean(exitOK, "", "init")
	old := w.canary("OLD")
	w.clean(exitOK, `{"A":"`+old+`","B":"`+w.canary("KEPT")+`"}`, "encrypt")
	w.file("t", `{{ range names }}{{ secret . | json }} {{ secret . | base64 }}{{ end }}`, 0o600)

	run := &watching{t: t, cmd: exec.Command(w.command[0], "render", "--watch", "--allow-disk", "--template", "t", "--output", "out", "--on-change", "touch changed")}
	run.cmd.Dir = w.dir
	run.start()
	if mib := residentMiB(t, run.cmd.Process.Pid); mib > 48 {
		t.Errorf("%d MiB are resident: those of the key derivation stay", mib)
	}
	value := w.canary("NEW")
	w.clean(exitOK, value, "add", "--name", "A")
	w.learn() // the passphrase and the derived key
	run.until("it has rendered again", func() bool { _, err := os.Lstat(filepath.Join(w.dir, "changed")); return err == nil })

	var found map[string][]string
	copies := func() bool {
		found = (&scannable{cmd: run.cmd}).scan(t, w.needles)
		for label, places := range found {
			if label != "the value of NEW" && label != "the value of KEPT" || !onePlace(places, len(value)) {
				return true
			}
		}
		return false
	}
	run.until("nothing else is in memory", func() bool { return !copies() })
	if len(found) != 2 {
		t.Errorf("found %v: the scan does not see what is there", found)
	}
	run.stop(os.Interrupt, exitInterrupted)
}

// residentMiB is how much memory a process occupies.
func residentMiB(t *testing.T, pid int) int {
	t.Helper()
	statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid)) // in pages; the second is what is resident (proc_pid_statm(5))
	if err != nil {
		t.Fatal(err)
	}
	var size, resident int
	if _, err := fmt.Sscan(string(statm), &size, &resident); err != nil {
		t.Fatal(err)
	}
	return resident * os.Getpagesize() >> 20
}

// onePlace tells whether the pieces found can be those of one copy of a value.
func onePlace(places []string, length int) bool {
	lowest, highest := uint64(math.MaxUint64), uint64(0)
	for _, place := range places {
		var address uint64
		if _, err := fmt.Sscanf(place, "0x%x", &address); err != nil {
			return false
		}
		lowest, highest = min(lowest, address), max(highest, address)
	}
	return highest-lowest < uint64(length)
}
