package controlgroup

import (
	"testing"
	"testing/fstest"
)

func TestMemory(t *testing.T) {
	const self = "proc/self/cgroup"
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  Limit // the zero value: none
	}{
		{"none", nil, Limit{}},
		{"no limit", map[string]string{self: "0::/a\n", "sys/fs/cgroup/a/memory.max": "max\n"}, Limit{}},
		{"its own", map[string]string{self: "0::/a\n", "sys/fs/cgroup/a/memory.max": "1000\n"}, Limit{1000, "/a", "sys/fs/cgroup/a/memory.max"}},
		{"a container's", map[string]string{self: "0::/\n", "sys/fs/cgroup/memory.max": "33554432\n"}, Limit{32 << 20, "/", "sys/fs/cgroup/memory.max"}},
		{"the smallest", map[string]string{
			self:                               "1:name=systemd:/x\n0::/a/b/c\n",
			"sys/fs/cgroup/a/memory.max":       "500\n",
			"sys/fs/cgroup/a/b/memory.max":     "max\n",
			"sys/fs/cgroup/a/b/c/memory.max":   "900\n",
			"sys/fs/cgroup/a/b/c/d/memory.max": "1\n",
		}, Limit{500, "/a", "sys/fs/cgroup/a/memory.max"}},
		{"beyond the root", map[string]string{self: "0::/../../a\n", "sys/fs/cgroup/a/memory.max": "1000\n"}, Limit{1000, "/a", "sys/fs/cgroup/a/memory.max"}},
		{"version 1", map[string]string{self: "9:pids:/b\n5:cpu,memory:/a\n", "sys/fs/cgroup/memory/a/memory.limit_in_bytes": "1000\n"},
			Limit{1000, "/a", "sys/fs/cgroup/memory/a/memory.limit_in_bytes"}},
		{"version 1, no limit", map[string]string{self: "5:memory:/a\n", "sys/fs/cgroup/memory/a/memory.limit_in_bytes": "9223372036854771712\n"}, Limit{}},
		{"version 1, a container's", map[string]string{self: "5:memory:/docker/1234\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "1000\n"},
			Limit{1000, "/", "sys/fs/cgroup/memory/memory.limit_in_bytes"}},
		{"both", map[string]string{self: "5:memory:/a\n0::/\n", "sys/fs/cgroup/memory/a/memory.limit_in_bytes": "1000\n", "sys/fs/cgroup/memory.max": "2000\n"},
			Limit{1000, "/a", "sys/fs/cgroup/memory/a/memory.limit_in_bytes"}},
		{"nonsense", map[string]string{self: "x\n0::\n5:memory\n", "sys/fs/cgroup/memory.max": "much\n"}, Limit{}},
	} {
		root := fstest.MapFS{}
		for name, text := range tt.files {
			root[name] = &fstest.MapFile{Data: []byte(text)}
		}
		if got, ok := Memory(root); got != tt.want || ok != (tt.want != Limit{}) {
			t.Errorf("%s: %+v, %v, want %+v", tt.name, got, ok, tt.want)
		}
	}
}
