package checkup

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/mazevault/vault-tool/internal/finding"
	"github.com/mazevault/vault-tool/kdf"
)

// marginBytes is what a command needs beside the memory of a derivation and the vault.
const marginBytes = 16 << 20

// controlGroup compares what the control group leaves with what a derivation needs. A process beyond it is killed, without an error.
func controlGroup(_ context.Context, h *Host) []finding.Finding {
	limit, file := h.memoryLimit()
	if file == "" {
		return nil
	}
	need := uint64(kdf.MVT1().MemoryKiB)<<10 + marginBytes
	if info, ok := regular(h.Vault); ok {
		need += uint64(info.Size())
	}
	if limit >= need {
		return nil
	}
	return one(finding.Finding{
		Severity: finding.Error, Check: "cgroup-memory", Where: []string{file},
		What: fmt.Sprintf("the control group may have %d MiB of memory, and to open this vault takes %d MiB: the kernel kills what takes more; raise the limit (MemoryMax=, --memory)",
			limit>>20, (need+1<<20-1)>>20),
	})
}

// memoryLimit returns the least limit of the control groups that this process is in, and the file that has it; "" where there is none.
func (h *Host) memoryLimit() (limit uint64, file string) {
	text, err := os.ReadFile(filepath.Join(h.Proc, "self", "cgroup"))
	if err != nil {
		return 0, ""
	}
	for line := range strings.Lines(string(text)) { // cgroups(7): ID, controllers, path
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		root, name := h.Cgroups, "memory.max"
		switch {
		case parts[0] == "0" && parts[1] == "": // version 2
		case slices.Contains(strings.Split(parts[1], ","), "memory"):
			root, name = filepath.Join(h.Cgroups, "memory"), "memory.limit_in_bytes"
		default:
			continue
		}
		for group := path.Clean("/" + parts[2]); ; group = path.Dir(group) { // in a container those above are not to be seen
			candidate := filepath.Join(root, group, name)
			if bytes, ok := readLimit(candidate); ok && (file == "" || bytes < limit) {
				limit, file = bytes, candidate
			}
			if group == "/" {
				break
			}
		}
	}
	return limit, file
}

// readLimit reads a limit in bytes. "max" is none.
func readLimit(file string) (bytes uint64, ok bool) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, false
	}
	bytes, err = strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
	return bytes, err == nil
}
