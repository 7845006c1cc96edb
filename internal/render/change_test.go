package render

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// told calls Told of a directory, or of a file where one is named.
func told(t *testing.T, dir, file, change string) {
	t.Helper()
	var place interface {
		Told(string) error
		Close() error
	}
	var err error
	if file == "" {
		place, err = OpenDirectory(context.Background(), dir, anywhere)
	} else {
		place, err = OpenFile(context.Background(), filepath.Join(dir, file), anywhere)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(place.Told(change), place.Close()); err != nil {
		t.Fatal(err)
	}
}

// TestChangeIsOnRecord until it is told, in a directory and for a file, whoever renders meanwhile.
func TestChangeIsOnRecord(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct {
		file   string
		render func(value string) (Report, error)
	}{
		"directory": {"", func(value string) (Report, error) { return renderTo(t, dir, anywhere, secretMap{"A": value}) }},
		"file":      {"out", func(value string) (Report, error) { return renderFile(t, filepath.Join(dir, "out"), anywhere, value) }},
	} {
		t.Run(name, func(t *testing.T) {
			if c.file != "" {
				keeping := anywhere
				keeping.KeepChanges = true
				if _, err := renderFile(t, filepath.Join(dir, c.file), keeping, "1"); err != nil {
					t.Fatal(err)
				}
			}
			untold, told := "", func(change string) { told(t, dir, c.file, change) }
			render := func(value string, changes, pending bool) (r Report) {
				t.Helper()
				r, err := c.render(value)
				if err != nil || (r.Change != untold) != changes || (r.Change != r.Told) != pending {
					t.Errorf("%q: %+v after %q, %v", value, r, untold, err)
				}
				untold = r.Change
				return r
			}
			render("1", false, false) // the first rendering
			first := render("2", true, true)
			render("2", false, true)
			second := render("3", true, true)
			told(first.Change) // too late: there has been another
			render("3", false, true)
			told(second.Change)
			render("3", false, false)
			told("something else")
			render("3", false, false)
			render("4", true, true)
		})
	}
}

func renderFile(t *testing.T, path string, o Options, content string) (Report, error) {
	t.Helper()
	f, err := OpenFile(context.Background(), path, o)
	if err != nil {
		return Report{}, err
	}
	r, err := f.Write([]byte(content))
	return r, errors.Join(err, f.Close())
}

// TestChangeIsOnRecordFirst: the manifest has the change before any file is touched, so that a kill in between loses nothing.
func TestChangeIsOnRecordFirst(t *testing.T) {
	dir := t.TempDir()
	mustRender(t, dir, anywhere, secretMap{"A": "1", "GONE": "1"})
	before := readFile(t, dir, ManifestName)
	s := &observing{secretMap: secretMap{"A": "2"}}
	s.observe = func() {
		if a := readFile(t, dir, "A"); a != "1" {
			t.Errorf("A holds %q already", a)
		}
		s.manifest = readFile(t, dir, ManifestName) // the last time is when A is written
	}
	d, err := OpenDirectory(context.Background(), dir, anywhere)
	if err != nil {
		t.Fatal(err)
	}
	r, err := d.Render(context.Background(), s.Names(), s)
	if err := errors.Join(err, d.Close()); err != nil {
		t.Fatal(err)
	}
	if s.manifest == before || !strings.Contains(s.manifest, `"change":"`+r.Change+`"`) {
		t.Errorf("%+v; at the writing: %s", r, s.manifest)
	}
}

// observing looks at the directory whenever a value is asked for.
type observing struct {
	secretMap
	observe  func()
	manifest string
}

func (o *observing) Use(name string, f func([]byte) error) error {
	o.observe()
	return o.secretMap.Use(name, f)
}

func readFile(t *testing.T, path ...string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Error(err)
	}
	return string(content)
}

// TestNothingChangedIsNoChange: a rendering that fails before it has touched a file tells of none, however often it is tried.
func TestNothingChangedIsNoChange(t *testing.T) {
	dir := t.TempDir()
	mustRender(t, dir, anywhere, secretMap{"x/A": "1"})
	putFile(t, dir, "x/foreign", "f", 0o600)
	manifest := readFile(t, dir, ManifestName)
	failing := &failingSecrets{secretMap{"x/A": "2"}, 0}
	d, err := OpenDirectory(context.Background(), dir, anywhere)
	if err != nil {
		t.Fatal(err)
	}
	r, err := d.Render(context.Background(), failing.Names(), failing)
	if !errors.Is(err, errFailing) || r.Changed() || r.Change != "" {
		t.Errorf("%+v, %v", r, err)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if now := readFile(t, dir, ManifestName); now != manifest {
		t.Errorf("the manifest is %s", now)
	}
}

var errFailing = errors.New("failing")

// failingSecrets can be compared, and fail when they are to be written.
type failingSecrets struct {
	secretMap
	uses int
}

func (s *failingSecrets) Use(name string, f func([]byte) error) error {
	if s.uses++; s.uses > 1 {
		return errFailing
	}
	return s.secretMap.Use(name, f)
}

// TestFileManifest: a file has one, which tells that it was rendered, and changes are in it where somebody wants to know of
// them.
func TestFileManifest(t *testing.T) {
	dir := t.TempDir()
	path, manifest := filepath.Join(dir, "out"), filepath.Join(dir, ".out"+ManifestName)
	for _, content := range []string{"1", "2"} {
		if r, err := renderFile(t, path, anywhere, content); err != nil || r.Change != "" {
			t.Errorf("%+v, %v", r, err)
		}
	}
	o := anywhere
	o.KeepChanges = true
	if r, err := renderFile(t, path, o, "2"); err != nil || r.Changed() || r.Change != "" {
		t.Errorf("%+v, %v", r, err)
	}
	if got := mode(t, manifest); got != manifestMode {
		t.Errorf("mode %v", got)
	}
	putFile(t, dir, filepath.Base(manifest), `{"version":1,"change":"`+strings.Repeat("x", maxChangeBytes+1)+`"}`, 0o600)
	if _, err := renderFile(t, path, anywhere, "3"); !errors.Is(err, ErrManifest) {
		t.Errorf("a manifest that is none: %v", err)
	}
	if content := readFile(t, path); content != "2" {
		t.Errorf("%q", content)
	}
}
