package checkup

import (
	"context"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/mazevault/vault-tool/internal/finding"
)

// What memory is locked: a small vault with its key fits into the least, which is the limit of many systems; a larger one needs its own size
// and some for keys. No more than the most is tried.
const (
	leastLockedBytes = 64 << 10
	besideVaultBytes = 32 << 10
	mostLockedBytes  = 8 << 20
)

// lockedMemory tries whether the memory of a vault can be kept out of swap space, and looks whether there is any.
func lockedMemory(_ context.Context, h *Host) []finding.Finding {
	need := leastLockedBytes
	if info, ok := regular(h.Vault); ok {
		need = int(min(max(leastLockedBytes, info.Size()+besideVaultBytes), mostLockedBytes))
	}
	reason := h.CanLock(need)
	if reason == nil {
		return nil
	}
	limit := ""
	if text := h.limit("self", "Max locked memory"); text != "" {
		limit = ", the limit is " + text
	}
	f := finding.Finding{
		Severity: finding.Warn, Check: "memory-lock", Insecure: true, Where: []string{"RLIMIT_MEMLOCK"}, Mend: "ulimit -l unlimited",
		What: fmt.Sprintf("%d KiB of memory cannot be locked (%v%s): secrets may reach swap space", need>>10, reason, limit),
	}
	if devices := h.swapDevices(); len(devices) > 0 {
		f.Severity, f.Check, f.Where = finding.Error, "memory-swap", append(f.Where, devices...)
		f.What += ", and there is some"
	}
	return one(f)
}

// swapDevices are the files and devices in use as swap space (proc(5), /proc/swaps). Compressed memory (zram) is none: it stays in memory.
func (h *Host) swapDevices() []string {
	text, err := fs.ReadFile(h.Root, "proc/swaps")
	if err != nil {
		return nil
	}
	var devices []string
	for i, line := range strings.Split(string(text), "\n") {
		fields := strings.Fields(line)
		if i == 0 || len(fields) == 0 || strings.HasPrefix(fields[0], "/dev/zram") { // the first line is a heading
			continue
		}
		devices = append(devices, fields[0])
	}
	return devices
}

// limit is a soft limit of a process as /proc/PID/limits has it, "unlimited" or a number with its unit, or "" where it is not to be seen.
func (h *Host) limit(pid, name string) string {
	text, err := fs.ReadFile(h.Root, "proc/"+pid+"/limits")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		rest, ok := strings.CutPrefix(line, name)
		fields := strings.Fields(rest)
		if !ok || len(fields) < 2 { // soft, hard, and mostly the unit
			continue
		}
		if len(fields) > 2 && fields[0] != "unlimited" {
			return fields[0] + " " + fields[2]
		}
		return fields[0]
	}
	return ""
}

// coreDumps looks where the memory of a program goes that crashes. vault-tool writes none; programs that were given secrets may.
func coreDumps(_ context.Context, h *Host) []finding.Finding {
	const file = "proc/sys/kernel/core_pattern"
	text, err := fs.ReadFile(h.Root, file)
	if err != nil {
		return nil
	}
	pattern := strings.TrimSpace(string(text))
	if handler, piped := strings.CutPrefix(pattern, "|"); piped { // whatever the limit of the process is (core(5))
		program, _, _ := strings.Cut(strings.TrimSpace(handler), " ")
		return one(finding.Finding{
			Severity: finding.Info, Check: "core-dump-handler", Where: []string{"/" + file},
			What: fmt.Sprintf("when a program crashes, its memory goes to %s, the secrets that exec gave it included; see that nobody else reads what it keeps", program),
		})
	}
	// The limit of this process is 0, which memguard sets. That of the shell, or of what else started it, is what services have.
	limit := h.limit(strconv.Itoa(h.Parent), "Max core file size")
	if pattern == "" || limit == "" || strings.HasPrefix(limit, "0") {
		return nil
	}
	return one(finding.Finding{
		Severity: finding.Warn, Check: "core-dumps", Where: []string{"RLIMIT_CORE"}, Mend: "ulimit -c 0",
		What: fmt.Sprintf("when a program crashes, its memory is written to a file (%s), the secrets that it was given included", pattern),
	})
}
