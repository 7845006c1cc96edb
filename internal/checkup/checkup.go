// Package checkup examines the host that a vault is on: the files and who may touch them, git, memory, limits, and what was left half done. It
// reads, and changes nothing; it opens no vault and no key.
package checkup

import (
	"context"
	"io/fs"
	"os"

	"github.com/mazevault/vault-tool/internal/finding"
	"github.com/mazevault/vault-tool/internal/owner"
)

// Host is what is examined.
type Host struct {
	Vault string // its path
	Key   string // the path of the key file, "" where the key is in no file that stays

	// Tool writes a command line of vault-tool for this vault and key.
	Tool func(arguments string) string

	Caller    uint32 // who examines
	Parent    int    // the process that started this one
	Getenv    func(name string) string
	Directory string // the working directory
	Named     Named  // by whom vault and key were given

	// Root is where the kernel shows processes and control groups, in proc and sys/fs/cgroup: the root of the file system, or what a test
	// has made up.
	Root fs.FS

	// CanLock says why so much memory cannot be locked, nil where it can.
	CanLock func(bytes int) error
}

// Named says what the command line gave, so that a variable does not count.
type Named struct{ Vault, Key bool }

// A check looks at one thing and returns what it found.
type check func(ctx context.Context, h *Host) []finding.Finding

// checks are all of them, in the order in which their findings are told.
var checks = []check{
	keyFiles, keyOwner, vaultFile, directories,
	keyWithBackups, keyInRepository,
	rotationUnderWay, leftovers,
	variables,
	lockedMemory, coreDumps, controlGroup,
}

// Examine runs all checks.
func (h *Host) Examine(ctx context.Context) []finding.Finding {
	var found []finding.Finding
	for _, c := range checks {
		if ctx.Err() != nil {
			break
		}
		found = append(found, c(ctx, h)...)
	}
	return found
}

// believed are the users whose files vault and key may be: root, the caller, and the owners of the two.
func (h *Host) believed() map[uint32]bool {
	users := map[uint32]bool{0: true, h.Caller: true}
	for _, path := range []string{h.Vault, h.Key} {
		if path == "" {
			continue
		}
		if info, err := os.Stat(path); err == nil {
			if o, ok := owner.Of(info); ok {
				users[o.UID] = true
			}
		}
	}
	return users
}

// one is a list of one finding.
func one(f finding.Finding) []finding.Finding { return []finding.Finding{f} }
