package inventory

import (
	"context"
	"encoding/json"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/mazevault/vault-tool/internal/drop"
	"github.com/mazevault/vault-tool/internal/gitdiff"
	"github.com/mazevault/vault-tool/internal/lockedmem"
	"github.com/mazevault/vault-tool/internal/reserved"
	"github.com/mazevault/vault-tool/vaultfile"
)

type fixed string

func (f fixed) Passphrase(_ context.Context, use func([]byte) error) error { return use([]byte(f)) }

func TestOf(t *testing.T) {
	u := vaultfile.NewUnlocker(fixed("a passphrase that nobody guesses"))
	defer u.Close()
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "v")
	var memory lockedmem.Arena
	defer memory.Destroy()
	now := time.Unix(1_700_000_000, 0)
	set := func(value string, names ...string) {
		t.Helper()
		o := vaultfile.UpdateOptions{CreateMissing: true, WriteOptions: vaultfile.WriteOptions{History: vaultfile.DefaultHistory()}}
		_, err := vaultfile.Update(ctx, path, u, o, func(d *vaultfile.Draft) error {
			for _, name := range names {
				if _, err := d.Set(name, []byte(value)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	set("one", "A", "acme/A", "acme/x/B", "beta/A")
	set("two", "A")
	var fingerprint, earlier string
	_, err := vaultfile.Update(ctx, path, u, vaultfile.UpdateOptions{}, func(d *vaultfile.Draft) error {
		for _, replaced := range []int64{now.Unix() + 60, 0} {
			k, err := drop.Generate()
			if err != nil {
				return err
			}
			e, err := drop.NewEntry(k, now, &memory)
			if err != nil {
				return err
			}
			earlier, fingerprint = fingerprint, k.Public.Fingerprint()
			e.Replaced = replaced
			text, err := e.Encode(&memory)
			if err != nil {
				return err
			}
			if err := d.SetReserved(reserved.Drop(k.Public.ID()), text); err != nil {
				return err
			}
		}
		for name, value := range map[reserved.Name]string{
			".refs/A": `{"refs":["akv://corp/a","two"],"v":1}`, ".refs/beta/A": `{"refs":["akv://corp/a"],"v":1}`,
			".stores/corp": `{"config":{"vaultUrl":"https://v"},"type":"azure-kv","v":1}`, ".stores/later": `{"type":"later","v":1}`,
			reserved.GitKey: string(gitdiff.NewKey()), ".git/later": `{"v":1}`, ".later/x": `{"kind":1,"v":9}`, ".hidden": "a secret of an earlier version", ".drop/0": `{"v":2}`, ".history/Z": `{"v":2}`,
		} {
			if err := d.SetReserved(name, []byte(value)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	v, err := vaultfile.OpenHistory(ctx, path, u)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	got, err := Of(v)
	if err != nil {
		t.Fatal(err)
	}
	want := Inventory{
		Secrets: 4, Scopes: []string{"acme", "acme/x", "beta"}, Versions: 5, Kept: 1, History: vaultfile.DefaultHistory(),
		DropKeys:   []DropKey{{fingerprint, now, time.Time{}}, {earlier, now, now.Add(time.Minute)}},
		NotAllowed: []string{".hidden"}, Unknown: []string{".drop/0", ".git/later", ".history/Z", ".later/x", ".stores/later"},
		References: 1, Connections: 1,
	}
	if !reflect.DeepEqual(got, want) {
		text, _ := json.MarshalIndent(got, "", " ") // for people
		t.Errorf("the inventory is %s", text)
	}
}
