package checkup

import (
	"os"
	"strings"
	"testing"

	"github.com/mazevault/vault-tool/kdf"
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
	found := m.finds("info core-dump-handler /proc/sys/kernel/core_pattern")
	if len(found) == 1 && !strings.Contains(found[0].What, "systemd-coredump,") {
		t.Errorf("%s", found[0].What)
	}
}

func TestControlGroup(t *testing.T) {
	const ample, scarce = "104857600\n", "4194304\n" // whatever a derivation takes in this build
	m := newHost(t)
	m.write("proc/self/cgroup", "0::/app.slice\n", 0o444)
	m.finds()
	m.write("sys/fs/cgroup/app.slice/memory.max", ample, 0o444)
	m.finds()
	m.write("sys/fs/cgroup/memory.max", scarce, 0o644)
	m.mends(m.finds("error cgroup-memory /sys/fs/cgroup/memory.max"), "", false)
	m.write("sys/fs/cgroup/memory.max", "75497472\n", 0o644) // 72 MiB: what it takes to open the smallest vault, or more
	m.write("srv/secrets.vault", strings.Repeat("x", 30<<20), 0o600)
	if kdf.Quick {
		m.finds()
	} else {
		m.finds("error cgroup-memory /sys/fs/cgroup/memory.max")
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
