package owner

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

func TestOf(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("files have no owner")
	}
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(path, path+".2"); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	o, ok := Of(info)
	if !ok || int(o.UID) != os.Geteuid() || Links(info) != 2 {
		t.Errorf("the owner is %+v, %v, the file has %d names", o, ok, Links(info))
	}
	if User(o.UID) == "" || Group(o.GID) == "" {
		t.Error("no name for the owner")
	}
	const nobodyAtAll = 4242424242
	if User(nobodyAtAll) != "4242424242" || Group(nobodyAtAll) != "4242424242" {
		t.Error("a number without a name is not the number")
	}
}
