package main

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestVerifyMemoryIsFlat: what a backup takes on the heap is collected, however many there are. Commands that are soon over do without.
func TestVerifyMemoryIsFlat(t *testing.T) {
	t.Parallel()
	const secrets, files, mostMiB = 10_000, 150, 16 // each file takes 160 KiB on the heap
	f := newFolder(t, true)
	f.mustRun("", "init")
	var input strings.Builder
	separator := "{"
	for i := range secrets {
		fmt.Fprintf(&input, `%s"S%05d":"value"`, separator, i)
		separator = ","
	}
	f.mustRun(input.String()+"}", "encrypt")
	cmd := f.command("", append([]string{"verify", "--quiet"}, slices.Repeat([]string{"secrets.vault"}, files)...)...)
	cmd.Env = append(cmd.Environ(), "GODEBUG=gctrace=1")
	var stderr strings.Builder
	cmd.Stdout, cmd.Stderr = nil, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	// "gc 2 @0.1s 1%: … ms cpu, 4->5->1 MB, 5 MB goal, …": the heap as a collection begins, as it ends, and what lives.
	collections := regexp.MustCompile(`(?m)^gc \d+ .* (\d+)->(\d+)->\d+ MB`).FindAllStringSubmatch(stderr.String(), -1)
	if len(collections) == 0 {
		t.Fatalf("nothing was collected: %s", stderr.String())
	}
	for _, c := range collections {
		if mib, err := strconv.Atoi(c[2]); err != nil || mib > mostMiB {
			t.Errorf("the heap has grown to %s MiB", c[2])
		}
	}
}
