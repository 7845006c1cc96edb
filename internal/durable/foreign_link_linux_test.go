package durable

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestDanglingLinkOfAnother plants a link where a file is to be made: nothing is made where it leads, no lock either. A
// link that leads to a file is followed, whosever it is: the file was there before.
func TestDanglingLinkOfAnother(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a link away")
	}
	dir, elsewhere := t.TempDir(), t.TempDir()
	aim := filepath.Join(elsewhere, "aim")
	const other = 12345
	for _, test := range []struct {
		name   string
		owners []int // of the links, the one at the path first
		want   error
	}{
		{"own", []int{0}, nil},
		{"another's", []int{other}, ErrForeignOwner},
		{"own, then another's", []int{0, other}, ErrForeignOwner},
		{"another's, then own", []int{other, 0}, ErrForeignOwner},
	} {
		path := filepath.Join(dir, test.name)
		for i, owner := range test.owners {
			link, target := path, aim
			if i > 0 {
				link += ".next"
			}
			if i < len(test.owners)-1 {
				target = path + ".next"
			}
			symlink(t, target, link)
			if err := os.Lchown(link, owner, owner); err != nil {
				t.Fatal(err)
			}
		}
		got, err := Resolve(path)
		if !errors.Is(err, test.want) || err == nil && got != aim {
			t.Errorf("%s: %q, %v, want %v", test.name, got, err, test.want)
		}
		if test.want == nil {
			continue
		}
		if _, err := Lock(t.Context(), path, 0); !errors.Is(err, test.want) {
			t.Errorf("%s: lock: %v", test.name, err)
		}
		if left, err := os.ReadDir(elsewhere); err != nil || len(left) != 0 {
			t.Errorf("%s: something was made where it leads: %v, %v", test.name, left, err)
		}
		putFile(t, aim, oldContent, 0o600)
		if got, err := Resolve(path); err != nil || got != aim {
			t.Errorf("%s, once it leads to a file: %q, %v", test.name, got, err)
		}
		if err := os.Remove(aim); err != nil {
			t.Fatal(err)
		}
	}
}
