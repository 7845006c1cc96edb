package checkup

import (
	"os"
	"strings"
	"testing"
)

func TestLockedMemory(t *testing.T) {
	m := newHost(t)
	asked := 0
	m.CanLock = func(bytes int) error { asked = bytes; return errNoLock }
	m.write("proc/self/limits", "Limit                     Soft Limit           Hard Limit           Units     \nMax locked memory         65536                65536                bytes     \n", 0o444)
	m.write("proc/swaps", "Filename\tType\tSize\tUsed\tPriority\n/dev/zram0\tpartition\t1\t0\t100\n", 0o444)
	found := m.finds("warn memory-lock RLIMIT_MEMLOCK")
	m.mends(found, "ulimit -l unlimited", true)
	if asked < 64<<10 || len(found) == 1 && !strings.Contains(found[0].What, "65536 bytes") {
		t.Errorf("asked for %d bytes, and found %+v", asked, found)
	}
	m.write("proc/swaps", "Filename\tType\tSize\tUsed\tPriority\n/swap.img\tfile\t1\t0\t-2\n", 0o444)
	m.finds("error memory-swap RLIMIT_MEMLOCK /swap.img")
	m.CanLock = func(int) error { return nil }
	m.finds() // swap space does not matter to memory that is locked
}

func TestCoreDumps(t *testing.T) {
	m := newHost(t)
	limits := func(soft string) {
		m.write("proc/7/limits", "Limit  Soft Limit  Hard Limit  Units\nMax core file size         "+soft+"            unlimited            bytes     \n", 0o444)
	}
	limits("0")
	m.write("proc/sys/kernel/core_pattern", "core\n", 0o444)
	m.finds()
	for _, soft := range []string{"unlimited", "1048576"} {
		limits(soft)
		m.mends(m.finds("warn core-dumps RLIMIT_CORE"), "ulimit -c 0", false)
	}
	m.write("proc/sys/kernel/core_pattern", "\n", 0o444)
	m.finds()
	m.write("proc/sys/kernel/core_pattern", "|/usr/lib/systemd/systemd-coredump %P %u\n", 0o444)
	found := m.finds("info core-dump-handler proc/sys/kernel/core_pattern")
	if len(found) == 1 && !strings.Contains(found[0].What, "systemd-coredump,") {
		t.Errorf("%s", found[0].What)
	}
}

func TestControlGroup(t *testing.T) {
	const ample, scarce = "104857600\n", "8388608\n" // whatever a derivation takes in this build
	for _, tt := range []struct {
		name, cgroup string
		files        map[string]string
		want         string // the file that the finding names
	}{
		{"version 2", "0::/app.slice/app.service\n", map[string]string{"app.slice/app.service/memory.max": scarce}, "app.slice/app.service/memory.max"},
		{"version 2, ample", "0::/app.slice\n", map[string]string{"app.slice/memory.max": ample}, ""},
		{"version 2, none", "0::/app.slice\n", map[string]string{"app.slice/memory.max": "max\n"}, ""},
		{"version 2, above", "0::/a/b/c\n", map[string]string{"a/b/c/memory.max": "max\n", "a/b/memory.max": ample, "a/memory.max": scarce}, "a/memory.max"},
		{"version 2, in a container", "0::/\n", map[string]string{"memory.max": scarce}, "memory.max"},
		{"version 2, elsewhere", "0::/../../x\n", map[string]string{"x/memory.max": scarce}, "x/memory.max"},
		{"version 1", "12:pids:/a\n5:cpu,memory:/a/b\n", map[string]string{"memory/a/b/memory.limit_in_bytes": scarce}, "memory/a/b/memory.limit_in_bytes"},
		{"version 1, none", "5:memory:/a\n", map[string]string{"memory/a/memory.limit_in_bytes": "9223372036854771712\n"}, ""},
		{"version 1, in a container", "5:memory:/docker/1234\n", map[string]string{"memory/memory.limit_in_bytes": scarce}, "memory/memory.limit_in_bytes"},
		{"both", "5:memory:/a\n0::/\n", map[string]string{"memory/a/memory.limit_in_bytes": scarce}, "memory/a/memory.limit_in_bytes"},
		{"nonsense", "x\n0::\n5:memory\n", map[string]string{"memory.max": "much\n"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newHost(t)
			m.write("proc/self/cgroup", tt.cgroup, 0o444)
			for name, content := range tt.files {
				m.write("cgroup/"+name, content, 0o444)
			}
			if tt.want == "" {
				m.finds()
			} else {
				m.finds("error cgroup-memory cgroup/" + tt.want)
			}
		})
	}
}

func TestVariables(t *testing.T) {
	m := newHost(t)
	environment := map[string]string{}
	m.Getenv = func(name string) string { return environment[name] }
	environment[VaultFileVariable] = m.Vault
	environment[KeyFileVariable] = m.Key
	m.finds()
	environment[AzureVariable] = "https://ops.vault.azure.net"
	m.finds("info variable-unused " + KeyFileVariable + " " + AzureVariable)
	delete(environment, AzureVariable)

	environment[KeyFileVariable] = m.path("none.key")
	m.mends(m.finds("error variable-missing-file "+KeyFileVariable), "unset "+KeyFileVariable, false)
	m.Named.Key = true
	m.finds("warn variable-missing-file " + KeyFileVariable)
	delete(environment, KeyFileVariable)

	m.write("secrets.vault", "another vault", 0o600)
	m.finds("warn variable-elsewhere " + VaultFileVariable)
	if err := os.Remove(m.path("secrets.vault")); err != nil {
		t.Fatal(err)
	}
	t.Chdir(m.dir)
	environment[VaultFileVariable] = "srv/secrets.vault"
	m.mends(m.finds("warn variable-relative "+VaultFileVariable), "export "+VaultFileVariable+"=DIR/srv/secrets.vault", false)
}

func TestMovedNames(t *testing.T) {
	m := newHost(t)
	has := func(name string) bool { return name == "A" || name == "B" || name == "C" || name == "D" }
	if found := m.MovedNames(has); len(found) > 0 {
		t.Errorf("without a file: %+v", found)
	}
	m.write("srv/.env", "A=hunter2\nexport B='hunter2'\nC=\nD\nE=hunter2\n# F=x\n", 0o600)
	m.mends(m.MovedNames(has), "vault-tool migrate-env --env-file DIR/srv/.env --include A --include B --prune", true)
	m.write("srv/.env", "A=pa$$word\n", 0o600) // on which readers do not agree
	m.mends(m.MovedNames(has), "vault-tool migrate-env --env-file DIR/srv/.env --include A --prune", true)
	m.write("srv/.env", "A=\nE=1\n", 0o600)
	if found := m.MovedNames(has); len(found) > 0 {
		t.Errorf("with nothing of the vault: %+v", found)
	}
	m.write("srv/.env", "A\x00=\x00h\x00", 0o600)
	if found := m.MovedNames(has); len(found) != 1 || found[0].Check != "dotenv-unread" || strings.Contains(found[0].What, "h\x00") {
		t.Errorf("of UTF-16: %+v", found)
	}
}
