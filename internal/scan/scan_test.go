package scan_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/mazevault/vault-tool/internal/matcher"
	"github.com/mazevault/vault-tool/internal/scan"
)

const value = "first-line\nsecond-line"

func newSet(t *testing.T) *matcher.Set {
	t.Helper()
	var b matcher.Builder
	for name, v := range map[string]string{"V": value, "W": "other-value"} {
		if err := b.Add(name, []byte(v)); err != nil {
			t.Fatal(err)
		}
	}
	s, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Destroy)
	return s
}

func TestPlaces(t *testing.T) {
	s, err := scan.NewScanner(newSet(t))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for text, want := range map[string]string{
		"":                                      "[]",
		"other-value":                           "[{1 1 [W]}]",
		"é other-value other-value":             "[{1 4 [W]} {1 16 [W]}]",
		"\n\nx" + value + "\nother-value":       "[{3 2 [V]} {5 1 [W]}]",
		value + value:                           "[{1 1 [V]} {2 12 [V]}]",
		"\r\n" + value[:12] + "\nother-value\n": "[{4 1 [W]}]",
		strings.Repeat("x\n", 400_000) + strings.Repeat("x", 400_000) + "other-value": "[{400001 400001 [W]}]",
	} {
		for range 2 { // a scanner is used again
			findings := []scan.Finding{}
			r := iotest.HalfReader(strings.NewReader(text))
			if len(text) < 100 {
				r = iotest.OneByteReader(strings.NewReader(text))
			}
			if err := s.Scan(t.Context(), r, func(f scan.Finding) { findings = append(findings, f) }); err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(findings); got != want {
				t.Errorf("%.40q: %s, want %s", text, got, want)
			}
		}
	}
	boom := errors.New("boom")
	if err := s.Scan(t.Context(), iotest.ErrReader(boom), func(scan.Finding) {}); !errors.Is(err, boom) {
		t.Error(err)
	}
}

// makeTree makes files of the given contents.
func makeTree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(content), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestFiles(t *testing.T) {
	files := map[string]string{"b/.git/config": "other-value", "z": "other-value", "the.vault": "other-value"}
	for i := range 100 { // more than are under way at a time, the first ones the largest
		files[fmt.Sprintf("b/%03d", i)] = strings.Repeat("x", max(0, 3-i)<<20) + strings.Repeat("\nother-value", i)
	}
	dir := makeTree(t, files)
	vault, err := os.Stat(filepath.Join(dir, "the.vault"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(dir, "z"), filepath.Join(dir, "link")); err != nil {
		t.Skip(err)
	}
	paths := []string{filepath.Join(dir, "z"), dir, filepath.Join(dir, "none"), filepath.Join(dir, "link")}
	var got, errs []string
	read, err := scan.Files(t.Context(), newSet(t), scan.Walk(paths, []fs.FileInfo{vault}), func(r scan.Result) error {
		if r.Err != nil {
			errs = append(errs, r.Path)
			return nil
		}
		got = append(got, fmt.Sprintf("%s:%d", r.Path, r.Line))
		return nil
	})
	if err != nil || read != 103 || fmt.Sprint(errs) != "["+paths[2]+"]" {
		t.Errorf("%d files, %v, %v", read, errs, err)
	}
	want := []string{paths[0] + ":1"}
	for i := range 100 {
		for line := range i {
			want = append(want, fmt.Sprintf("%s:%d", filepath.Join(dir, "b", fmt.Sprintf("%03d", i)), line+2))
		}
	}
	want = append(want, paths[0]+":1", paths[3]+":1")
	if !slices.Equal(got, want) {
		t.Errorf("%d findings: %.500q", len(got), got)
	}
}

func TestFilesEndEarly(t *testing.T) {
	files := make(map[string]string)
	for i := range 200 {
		files[fmt.Sprint(i)] = strings.Repeat("other-value\n", 100)
	}
	dir := makeTree(t, files)
	boom := errors.New("boom")
	reports := 0
	_, err := scan.Files(t.Context(), newSet(t), scan.Walk([]string{dir}, nil), func(scan.Result) error {
		if reports++; reports > 3 {
			return boom
		}
		return nil
	})
	if !errors.Is(err, boom) || reports != 4 {
		t.Errorf("%d reports, %v", reports, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := scan.Files(ctx, newSet(t), scan.Walk([]string{dir}, nil), func(scan.Result) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
