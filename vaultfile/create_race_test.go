package vaultfile

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
)

// interruptedContext calls at whenever it is asked for its error, as Create does last before it replaces the file.
type interruptedContext struct {
	context.Context
	at func()
}

func (c interruptedContext) Err() error {
	c.at()
	return c.Context.Err()
}

// TestCreateLosesNothingPutThereMeanwhile has another program act when Create has kept its copy of the old file: what
// that program leaves must stand, whatever the old file was.
func TestCreateLosesNothingPutThereMeanwhile(t *testing.T) {
	cheapKDF(t)
	u := newUnlocker(t, testPassphrase)
	own := readFile(t, createVault(t, u, map[string]string{"A": "1"}))
	foreign := readFile(t, createVault(t, newUnlocker(t, passphrase("another")), map[string]string{"A": "1"}))
	damaged := bytes.Clone(own)
	damaged[len(damaged)-1] ^= 1

	exchange := func(t *testing.T, path string, content []byte) {
		writeFile(t, path+".other", content)
		if err := os.Rename(path+".other", path); err != nil {
			t.Fatal(err)
		}
	}
	inPlace := func(t *testing.T, path string, content []byte) { writeFile(t, path, content) }

	for name, old := range map[string][]byte{"own": own, "foreign": foreign, "damaged": damaged, "empty": {}} {
		for how, put := range map[string]func(*testing.T, string, []byte){"exchanged": exchange, "written in place": inPlace} {
			t.Run(name+"/"+how, func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "secrets.vault")
				writeFile(t, path, old)
				meanwhile := bytes.Repeat([]byte("of another program\n"), 30)
				done := false
				ctx := interruptedContext{t.Context(), func() {
					if _, err := os.Stat(path + BackupSuffix); err == nil && !done {
						done = true
						put(t, path, meanwhile)
					}
				}}
				made, err := Create(ctx, path, u, CreateOptions{Replace: true}, setAll(map[string]string{"A": "2"}))
				if !done {
					t.Fatal("the other program had no turn")
				}
				wantError(t, err, ErrChanged)
				if made.Outcome != "" {
					t.Errorf("%+v together with an error", made)
				}
				if !bytes.Equal(readFile(t, path), meanwhile) {
					t.Error("what the other program wrote is gone")
				}
			})
		}
	}
}

// TestCreateFailsWithoutOutcome lets the making of a new vault fail at the end.
func TestCreateFailsWithoutOutcome(t *testing.T) {
	cheapKDF(t)
	ctx, cancel := context.WithCancel(t.Context())
	made, err := Create(ctx, filepath.Join(t.TempDir(), "secrets.vault"), newUnlocker(t, testPassphrase), CreateOptions{}, func(*Draft) error {
		cancel()
		return nil
	})
	wantError(t, err, context.Canceled)
	if made.Outcome != "" {
		t.Errorf("%+v together with an error", made)
	}
}

// TestCreateTellsWhereTheBackupIs goes through a link: the copy is beside what the link leads to.
func TestCreateTellsWhereTheBackupIs(t *testing.T) {
	cheapKDF(t)
	u := newUnlocker(t, testPassphrase)
	path := createVault(t, u, map[string]string{"A": "1"})
	link := filepath.Join(t.TempDir(), "link.vault")
	if err := os.Symlink(path, link); err != nil {
		t.Skip(err)
	}
	made, err := Create(t.Context(), link, u, CreateOptions{Replace: true}, setAll(map[string]string{"A": "2"}))
	if err != nil {
		t.Fatal(err)
	}
	wantContent(t, made.Backup, u, map[string]string{"A": "1"})
}
