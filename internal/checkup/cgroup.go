package checkup

import (
	"context"
	"fmt"

	"github.com/mazevault/vault-tool/internal/controlgroup"
	"github.com/mazevault/vault-tool/internal/finding"
	"github.com/mazevault/vault-tool/kdf"
)

// marginBytes is what a command needs beside the memory of a derivation and the vault: 4 MiB, measured, and as much for the shell that starts it.
const marginBytes = 8 << 20

// CgroupMemory is the check for a control group with less memory than it takes to open the vault: whoever does is killed.
const CgroupMemory = "cgroup-memory"

// controlGroup compares what the control group leaves with what it takes to open the vault.
func controlGroup(_ context.Context, h *Host) []finding.Finding {
	limit, ok := controlgroup.Memory(h.Root)
	if !ok {
		return nil
	}
	need := uint64(kdf.MVT1().MemoryKiB)<<10 + marginBytes
	if info, ok := regular(h.Vault); ok {
		need += uint64(info.Size())
	}
	if limit.Bytes >= need {
		return nil
	}
	return one(finding.Finding{
		Severity: finding.Error, Check: CgroupMemory, Where: []string{"/" + limit.File},
		What: fmt.Sprintf("the control group may have %d MiB of memory, and to open this vault takes %d MiB: the kernel kills what takes more, so it was not opened; raise the limit (MemoryMax=, --memory)",
			limit.Bytes>>20, (need+1<<20-1)>>20),
	})
}
