// Package controlgroup reads what memory the control groups of a process allow it (Linux, cgroups(7)).
package controlgroup

import (
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Limit is a limit of memory.
type Limit struct {
	Bytes uint64
	Group string // the path of the group
	File  string // the file that has it, from the root
}

// A hierarchy is where groups are, and which of their files has the limit.
type hierarchy struct{ mount, file string }

var (
	version1 = hierarchy{"sys/fs/cgroup/memory", "memory.limit_in_bytes"}
	version2 = hierarchy{"sys/fs/cgroup", "memory.max"}
)

// Memory returns the smallest limit of the control groups that this process is in, of either version. root is the root of the file system,
// or what a test has made up. What cannot be read sets no limit.
func Memory(root fs.FS) (smallest Limit, ok bool) {
	text, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return Limit{}, false
	}
	for line := range strings.Lines(string(text)) { // the number of a hierarchy, its controllers, the path
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		in := version2
		switch {
		case parts[0] == "0" && parts[1] == "":
		case slices.Contains(strings.Split(parts[1], ","), "memory"):
			in = version1
		default:
			continue
		}
		for group := path.Clean("/" + parts[2]); ; group = path.Dir(group) { // in a container those above are not to be seen
			limit, found := in.limit(root, group)
			if found && (!ok || limit.Bytes < smallest.Bytes) {
				smallest, ok = limit, true
			}
			if group == "/" {
				break
			}
		}
	}
	return smallest, ok
}

// limit reads the limit of one group. "max" is none; version 1 has a number for it that no memory reaches.
func (h hierarchy) limit(root fs.FS, group string) (Limit, bool) {
	file := path.Join(h.mount, group, h.file)
	text, err := fs.ReadFile(root, file)
	if err != nil {
		return Limit{}, false
	}
	const unlimited = 1 << 60
	bytes, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
	return Limit{bytes, group, file}, err == nil && bytes < unlimited
}
