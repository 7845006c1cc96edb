package durable

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// replacer names the variable by which a test starts its own program to replace a file until it is killed.
const replacer = "DURABLE_TEST_REPLACE"

func killContent(letter string) string { return strings.Repeat(letter, 200_000) }

func replaceForever(path string) {
	fmt.Println("started")
	for {
		for _, letter := range []string{"a", "b"} {
			if err := Replace(path, []byte(killContent(letter)), ReplaceOptions{}); err != nil {
				fmt.Println(err)
				os.Exit(1)
			}
		}
	}
}

// TestKill kills a process that replaces a file, at random moments; faults_test.go does it at each operation.
func TestKill(t *testing.T) {
	path := newFile(t, "vault", killContent("a"), 0o640)
	dir := filepath.Dir(path)
	for range 20 {
		child := exec.Command(executable(t))
		child.Env = append(os.Environ(), replacer+"="+path)
		output, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		_, _ = output.Read(make([]byte, 8)) // it runs
		time.Sleep(time.Duration(rand.IntN(10_000)) * time.Microsecond)
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = child.Wait() // killed
		e := readEntry(t, path)
		if e.content != killContent("a") && e.content != killContent("b") || enforcesMode && e.mode != 0o640 {
			t.Fatalf("after a kill the file has %d bytes and mode %v", len(e.content), e.mode)
		}
	}
	if err := Replace(path, []byte(newContent), ReplaceOptions{}); err != nil {
		t.Fatal(err)
	}
	wantContent(t, path, newContent)
	noStrays(t, dir)
}
