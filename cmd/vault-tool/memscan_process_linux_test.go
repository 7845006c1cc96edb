package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// scannable is a process that waits at a point (see pause_memscan.go) for its memory to be scanned.
type scannable struct {
	cmd            *exec.Cmd
	point          string
	stdout, stderr bytes.Buffer
	proceed        *os.File
}

// startScannable starts cmd and waits until it has reached the point.
func startScannable(t *testing.T, cmd *exec.Cmd, point string) *scannable {
	t.Helper()
	reached, reachedByChild, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reached.Close()
	proceedOfChild, proceed, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	s := &scannable{cmd: cmd, point: point, proceed: proceed}
	cmd.Env = append(cmd.Environ(), "MEMSCAN_POINT="+point)
	cmd.ExtraFiles = []*os.File{reachedByChild, proceedOfChild}
	cmd.Stdout, cmd.Stderr = &s.stdout, &s.stderr
	err = cmd.Start()
	reachedByChild.Close()
	proceedOfChild.Close()
	if err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(reached).ReadString('\n'); err != nil || line != point+"\n" {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		t.Fatalf("%v did not reach %q: %q, %v; stderr: %s", cmd.Args, point, line, err, &s.stderr)
	}
	return s
}

// finish lets the process go on to its end and returns its exit code.
func (s *scannable) finish(t *testing.T) int {
	t.Helper()
	if _, err := s.proceed.Write([]byte{0}); err != nil {
		t.Error(err)
	}
	s.proceed.Close()
	var exit *exec.ExitError
	if err := s.cmd.Wait(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return s.cmd.ProcessState.ExitCode()
}

// scan searches all readable memory of the process and returns where each label was found.
func (s *scannable) scan(t *testing.T, n *needles) map[string][]string {
	t.Helper()
	memory, err := os.Open(fmt.Sprintf("/proc/%d/mem", s.cmd.Process.Pid))
	if errors.Is(err, fs.ErrPermission) {
		t.Skip("no permission to read the memory of another process")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer memory.Close()
	found := make(map[string][]string)
	for _, m := range readableMappings(t, s.cmd.Process.Pid) {
		if err := m.search(memory, n, func(address uint64, label string) {
			found[label] = append(found[label], fmt.Sprintf("%#x in %s, among %q", address, m, surroundings(memory, address)))
		}); err != nil {
			t.Fatal(err)
		}
	}
	return found
}

// surroundings tell what kind of copy was found: a string, a stack, registers that a signal saved.
func surroundings(memory *os.File, address uint64) []byte {
	const before, length = 64, 192
	around := make([]byte, length)
	n, _ := memory.ReadAt(around, int64(address)-before) // nothing, at the edge of a mapping
	return around[:n]
}

// mapping is a line of /proc/PID/maps.
type mapping struct {
	start, end  uint64
	permissions string
	name        string
}

func (m mapping) String() string {
	return fmt.Sprintf("%x-%x %s %s", m.start, m.end, m.permissions, m.name)
}

func readableMappings(t *testing.T, pid int) []mapping {
	t.Helper()
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		t.Fatal(err)
	}
	var readable []mapping
	for line := range strings.Lines(string(maps)) {
		var m mapping
		var offset, device, inode string
		// The name is missing for anonymous memory, which Sscanf reports after it has read the rest.
		count, _ := fmt.Sscanf(line, "%x-%x %s %s %s %s %s", &m.start, &m.end, &m.permissions, &offset, &device, &inode, &m.name)
		if count < 6 {
			t.Fatalf("cannot read the mapping %q", line)
		}
		// The kernel's own pages hold the time and cannot be read through a descriptor.
		if m.permissions[0] == 'r' && !strings.HasPrefix(m.name, "[v") {
			readable = append(readable, m)
		}
	}
	return readable
}

func (m mapping) search(memory *os.File, n *needles, found func(address uint64, label string)) error {
	const chunkBytes, overlap = 1 << 20, needleBytes - 1
	chunk := make([]byte, chunkBytes+overlap)
	for at := m.start; at < m.end; at += chunkBytes {
		wanted := min(len(chunk), int(m.end-at))
		_, err := memory.ReadAt(chunk[:wanted], int64(at))
		switch {
		case errors.Is(err, syscall.EIO) && !strings.HasPrefix(m.permissions, "rw"):
			return nil // a part of the executable that lies beyond the end of the file
		case err != nil && !errors.Is(err, io.EOF):
			return fmt.Errorf("read %v: %w", m, err)
		}
		n.search(chunk[:wanted], chunkBytes, func(offset int, label string) { found(at+uint64(offset), label) })
	}
	return nil
}
