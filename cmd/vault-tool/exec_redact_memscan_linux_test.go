package main

import (
	"crypto/rand"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/mazevault/vault-tool/internal/erase"
)

// TestExecRedactMemory scans the processes while the command runs: ours has the value where it is compared with what the command
// writes, and nowhere else; the one that leads the command's session does not have it.
func TestExecRedactMemory(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root to read the memory of a process that forbids it")
	}
	if !erase.Complete {
		t.Skip("temporaries are erased by runtime/secret only")
	}
	value := rand.Text() + strings.ToLower(rand.Text())
	n := newNeedles()
	n.add("the value", []byte(value))
	dir := newVaultDir(t, `{"A": "`+value+`"}`)
	r := onTerminal(t, dir, nil, "exec", "--redact", "--", "sh", "-c", `echo "$A leader $PPID."; read end`)
	r.await("[A] leader ")
	r.await(".\r\n")
	_, text, _ := strings.Cut(r.shown(), "leader ")
	text, _, _ = strings.Cut(text, ".")
	pid, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	leader, err := os.FindProcess(pid)
	if err != nil {
		t.Fatal(err)
	}
	for label, places := range (&scannable{cmd: &exec.Cmd{Process: leader}}).scan(t, n) {
		t.Errorf("the leader of the session has %s: %s", label, places)
	}
	mappings := make(map[string]bool)
	for _, places := range (&scannable{cmd: r.cmd}).scan(t, n) {
		for _, place := range places {
			_, mapping, _ := strings.Cut(place, " in ")
			mapping, _, _ = strings.Cut(mapping, ",")
			mappings[mapping] = true
		}
	}
	if len(mappings) != 1 {
		t.Errorf("our process has the value in %d mappings: %v", len(mappings), mappings)
	}
	r.keys("\r")
	r.exits(0)
}
