package render

import (
	"errors"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"testing"

	"github.com/mazevault/vault-tool/internal/durable"
)

func TestParseMode(t *testing.T) {
	for text, want := range map[string]fs.FileMode{"0400": 0o400, "440": 0o440, "0o600": 0o600, "0640": 0o640, "0500": 0o500} {
		if got, err := ParseMode(text); err != nil || got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "0", "0444", "0404", "0402", "0401", "0040", "4400", "01400", "rw", "-1", "0800", "99999999999", "0x100"} {
		if got, err := ParseMode(text); !errors.Is(err, ErrMode) {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
}

func TestParseOwner(t *testing.T) {
	if os.Geteuid() < 0 {
		t.Skip("no owners here")
	}
	self, err := user.Current()
	if err != nil {
		t.Skip(err)
	}
	uid, _ := strconv.Atoi(self.Uid)
	gid, _ := strconv.Atoi(self.Gid)
	for text, want := range map[string]durable.Owner{
		"12345:54321":                  {UID: 12345, GID: 54321},
		self.Username:                  {UID: uid, GID: gid},
		self.Username + ":" + self.Gid: {UID: uid, GID: gid},
		":54321":                       {UID: os.Geteuid(), GID: 54321},
		self.Uid:                       {UID: uid, GID: gid},
	} {
		if got, err := ParseOwner(text); err != nil || *got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", ":", "1:", "no-such-user-here", "0:no-such-group-here", "-1:0", "4294967295:0", "1:2:3", "3999999999"} {
		if got, err := ParseOwner(text); !errors.Is(err, ErrOwner) {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
}
