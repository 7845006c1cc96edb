package verify

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

	"github.com/mazevault/vault-tool/internal/keyring"
	"github.com/mazevault/vault-tool/internal/keyshape"
	"github.com/mazevault/vault-tool/vaultfile"
)

// passphrase is a source that is its passphrase.
type passphrase string

func (p passphrase) Passphrase(_ context.Context, use func([]byte) error) error {
	return use([]byte(p))
}

func newKeyring(t testing.TB, passphrases ...string) *keyring.Keyring {
	t.Helper()
	var keys []keyring.Key
	for _, p := range passphrases {
		u := vaultfile.NewUnlocker(passphrase(p))
		t.Cleanup(u.Close)
		keys = append(keys, keyring.Key{Name: p, Unlocker: u})
	}
	return keyring.New(keys...)
}

// set changes a vault, which it makes if it is not there; an empty value removes.
func set(t testing.TB, path, under string, names ...string) {
	t.Helper()
	u := vaultfile.NewUnlocker(passphrase(under))
	defer u.Close()
	o := vaultfile.UpdateOptions{CreateMissing: true, WriteOptions: vaultfile.WriteOptions{History: vaultfile.DefaultHistory()}}
	_, err := vaultfile.Update(t.Context(), path, u, o, func(d *vaultfile.Draft) error {
		for i := 0; i < len(names); i += 2 {
			if names[i+1] == "" {
				if err := d.Delete(names[i]); err != nil {
					return err
				}
				continue
			}
			if _, err := d.Set(names[i], []byte(names[i+1])); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func copyFile(t *testing.T, from, to string) string {
	t.Helper()
	content, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, to, string(content))
	return to
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func run(t *testing.T, v *Verifier, files []File) []Result {
	t.Helper()
	var results []Result
	err := v.Run(t.Context(), files, func(r Result) error {
		results = append(results, r)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return results
}

// TestOrder: results come in the order of the files, whichever is done first.
func TestOrder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	vault := filepath.Join(dir, "vault")
	set(t, vault, "the passphrase of all", "A", strings.Repeat("large", 1<<20))
	var paths []string
	for i := range 200 {
		path := filepath.Join(dir, fmt.Sprintf("%03d", i))
		if i%50 == 0 {
			copyFile(t, vault, path) // takes longer than the others
		} else {
			writeFile(t, path, "no vault at all")
		}
		paths = append(paths, path)
	}
	results := run(t, &Verifier{Keys: newKeyring(t, "the passphrase of all")}, Search{}.Files(paths))
	for i, r := range results {
		want := NotVault
		if i%50 == 0 {
			want = OK
		}
		if r.Path != paths[i] || r.Status != want {
			t.Errorf("result %d is of %s: %s", i, r.Path, r.Status)
		}
	}
	if len(results) != len(paths) {
		t.Errorf("%d results", len(results))
	}
}

// TestDamagedWhateverTheOrder: a damaged file is told from one of another key also where it comes before all that are opened.
func TestDamagedWhateverTheOrder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	good, foreign := filepath.Join(dir, "m-good"), filepath.Join(dir, "n-foreign")
	set(t, good, "the right passphrase", "A", "1")
	set(t, foreign, "another passphrase", "A", "1")
	content, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a-damaged", "z-damaged"} {
		flipped := slices.Clone(content)
		flipped[len(flipped)-1] ^= 1
		writeFile(t, filepath.Join(dir, name), string(flipped))
	}
	want := map[string]Status{"a-damaged": Damaged, "m-good": OK, "n-foreign": WrongKey, "z-damaged": Damaged}
	for _, r := range run(t, &Verifier{Keys: newKeyring(t, "the right passphrase")}, Search{Exclude: []string{"*.lock"}}.Files([]string{dir})) {
		if r.Status != want[filepath.Base(r.Path)] && r.Status != Skipped {
			t.Errorf("%s is %s", r.Path, r.Status)
		}
	}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	live, old := filepath.Join(dir, "live"), filepath.Join(dir, "old")
	set(t, live, "the passphrase", "SAME", "1", "CHANGED", "1", "REMOVED", "1", "LOST", "1")
	copyFile(t, live, old)
	set(t, live, "the passphrase", "CHANGED", "2", "ADDED", "1", "REMOVED", "")
	set(t, live, "the passphrase", "CHANGED", "3")
	set(t, old, "the passphrase", "LOST", "a value that the live vault never had")

	keys := newKeyring(t, "the passphrase")
	v, _, err := keys.OpenHistory(t.Context(), live)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	results := run(t, &Verifier{Keys: keys, Live: NewLive(v)}, Search{}.Files([]string{old, live}))
	want := []*Difference{
		{Missing: []string{"ADDED"}, Extra: []string{"REMOVED"}, Older: []string{"CHANGED"}, Different: []string{"LOST"}},
		{Missing: []string{}, Extra: []string{}, Older: []string{}, Different: []string{}},
	}
	for i, r := range results {
		if got := r.Difference; fmt.Sprintf("%q", *got) != fmt.Sprintf("%q", *want[i]) || got.Any() != want[i].Any() {
			t.Errorf("%s differs by %q", r.Path, *got)
		}
		if r.Time.IsZero() {
			t.Errorf("%s has no time", r.Path)
		}
	}
}

func TestRunEnds(t *testing.T) {
	t.Parallel()
	var paths []string
	for i := range 1000 {
		paths = append(paths, filepath.Join(t.TempDir(), fmt.Sprint(i)))
	}
	v := &Verifier{Keys: newKeyring(t, "the passphrase")}
	enough := errors.New("enough")
	if err := v.Run(t.Context(), Search{}.Files(paths), func(Result) error { return enough }); !errors.Is(err, enough) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	told := 0
	err := v.Run(ctx, Search{}.Files(paths), func(Result) error { told++; cancel(); return nil })
	if !errors.Is(err, context.Canceled) || told == len(paths) {
		t.Errorf("%d told: %v", told, err)
	}
	if err := v.Run(t.Context(), nil, func(Result) error { return enough }); err != nil {
		t.Error(err)
	}
}

func TestFiles(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{"d/b", "d/a", "d/a.lock", "d/a.drop.pub", "d/sub/c", "d/sub/deep/d", "d/out/e", "[odd]"} {
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		writeFile(t, name, "")
	}
	if err := os.Symlink("..", "d/up"); err != nil {
		t.Skip(err)
	}
	for _, tt := range []struct {
		s     Search
		paths []string
		want  string // the paths, those that are skipped in brackets, those that cannot be looked at with a question mark
	}{
		{Search{}, []string{"d"}, "d/a (d/a.drop.pub) (d/a.lock) d/b (d/out) (d/sub) (d/up)"},
		{Search{Recursive: true}, []string{"d/"}, "d/a (d/a.drop.pub) (d/a.lock) d/b d/out/e d/sub/c d/sub/deep/d (d/up)"},
		{Search{Recursive: true, Exclude: []string{"out", "deep", "d/b"}}, []string{"d"}, "d/a (d/a.drop.pub) (d/a.lock) (d/b) (d/out) d/sub/c (d/sub/deep) (d/up)"},
		{Search{}, []string{"d/sub", "d/b", "nowhere", "d/a.lock"}, "d/sub/c (d/sub/deep) d/b nowhere? d/a.lock"},
		{Search{}, []string{"d/*", "[odd]", "n*", "["}, "d/a (d/a.drop.pub) (d/a.lock) d/b d/out/e d/sub/c (d/sub/deep) d/up/[odd] (d/up/d) [odd] n*? [?"},
		{Search{Exclude: []string{"?"}}, []string{"d/b", "d/a*"}, "(d/b) (d/a) (d/a.drop.pub) (d/a.lock)"},
	} {
		var got []string
		for _, f := range tt.s.Files(tt.paths) {
			switch {
			case f.Skip != "":
				f.Path = "(" + f.Path + ")"
			case f.Err != nil:
				f.Path += "?"
			}
			got = append(got, f.Path)
		}
		if text := strings.Join(got, " "); text != tt.want {
			t.Errorf("%q of %+v:\n%s, want\n%s", tt.paths, tt.s, text, tt.want)
		}
	}
}

func TestLooksLikeKey(t *testing.T) {
	t.Parallel()
	made := strings.Repeat("0123456789abcdef", 4)
	for _, tt := range []struct {
		name, content string
		want          bool
	}{
		{"anything", made + "\n", true},
		{"anything", made, true},
		{"anything", made + "\n\n", false},
		{"anything", made[1:] + "\n", false},
		{"anything", strings.ToUpper(made) + "\n", false},
		{"anything", strings.Repeat("x", 64), false},
		{"vault.key.20260419", "correct horse battery staple\n", true},
		{"vault.key", "\x00\xff", true},
		{"KEY", "x", true},
		{"monkey", "correct horse battery staple\n", false},
		{"vault.key", "", false},
		{"vault.key", strings.Repeat("x", keyshape.MaxBytes+1), false},
	} {
		path := filepath.Join(t.TempDir(), tt.name)
		writeFile(t, path, tt.content)
		if got := looksLikeKey(path); got != tt.want {
			t.Errorf("%s with %d bytes looks like a key: %v", tt.name, len(tt.content), got)
		}
	}
	if looksLikeKey(filepath.Join(t.TempDir(), "vault.key")) || looksLikeKey(t.TempDir()) {
		t.Error("what is no file looks like a key")
	}
}

func TestStatusOf(t *testing.T) {
	t.Parallel()
	for want, err := range map[Status]error{
		Missing: fs.ErrNotExist, CutShort: vaultfile.ErrTooSmall, NotVault: vaultfile.ErrFileTooLarge, WrongKey: vaultfile.ErrDecryption,
		BadContent: &vaultfile.PayloadError{}, Unreadable: fs.ErrPermission,
	} {
		if got := statusOf(fmt.Errorf("x: %w", err)); got != want {
			t.Errorf("%v is %s", err, got)
		}
	}
}
