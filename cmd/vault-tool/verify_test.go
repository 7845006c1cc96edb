package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/mazevault/vault-tool/internal/kdftest"
	"github.com/mazevault/vault-tool/internal/verify"
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

// TestVerifyTellsVectors: each of the vectors, valid ones and those with one fault, is told for what it is, with its own key.
func TestVerifyTellsVectors(t *testing.T) {
	kdftest.NeedsMVT1(t)
	if testing.Short() {
		t.Skip("the race detector, for which -short is, sees nothing here that it does not see elsewhere")
	}
	t.Parallel()
	vectors, err := filepath.Glob("../../testdata/vectors/*.vault")
	if err != nil || len(vectors) < 30 {
		t.Fatalf("vectors: %q, %v", vectors, err)
	}
	statuses := map[string]verify.Status{
		"": verify.OK, "decryption failed": verify.WrongKey, "not an MVT1 vault": verify.NotVault, "file too small to be a valid vault": verify.CutShort,
	}
	f := newFolder(t, false)
	for _, vector := range vectors {
		name := strings.TrimSuffix(vector, ".vault")
		fault, err := os.ReadFile(name + ".error")
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		want, known := statuses[strings.TrimSpace(string(fault))]
		if !known {
			want = verify.BadContent
		}
		content, err := os.ReadFile(vector)
		if err != nil {
			t.Fatal(err)
		}
		key, err := os.ReadFile(name + ".key")
		if err != nil {
			t.Fatal(err)
		}
		f.put("v", string(content), 0o600)
		f.put("k", string(key), 0o600)
		var got struct{ Status verify.Status }
		line, _, _ := strings.Cut(f.run("", "verify", "v", "--key-file", "k", "--json").stdout, "\n")
		if err := json.Unmarshal([]byte(line), &got); err != nil || got.Status != want {
			t.Errorf("%s is told as %q (%v), want %q", filepath.Base(vector), got.Status, err, want)
		}
	}
}
