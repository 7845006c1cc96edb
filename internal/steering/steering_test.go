package steering

import (
	"slices"
	"strings"
	"testing"
)

func TestTables(t *testing.T) {
	tests := []struct {
		name              string
		code, vault, host bool
	}{
		{"LD_PRELOAD", true, false, false},
		{"LD_", true, false, false},
		{"LD", false, false, false},
		{"DYLD_INSERT_LIBRARIES", true, false, false},
		{"PATH", true, false, false},
		{"MYPATH", false, false, false},
		{"PATH_TO_X", false, false, false},
		{"_JAVA_OPTIONS", true, false, false},
		{"BASH_FUNC_x%%", true, false, false},
		{"GIT_CONFIG_COUNT", true, false, false},
		{"MAZEVAULT_VAULT_FILE", false, true, false},
		{"MAZEVAULT_VAULT_KEY_FILE", false, true, false},
		{"MAZEVAULT_MASTER_KEY", false, false, false},
		{"MAZEVAULT_JWT_KEY", false, false, false},
		{"MAZEVAULT_SYNC_SECRET", false, false, false},
		{"VAULT_TOOL_KEY_CACHE", false, true, false},
		{"HOME", true, false, false},
		{"XDG_CONFIG_HOME", true, false, false},
		{"XDG_RUNTIME_DIR", false, false, true},
		{"TAR_OPTIONS", true, false, false},
		{"npm_config_script_shell", true, false, false},
		{"LC_ALL", false, false, true},
		{"DATABASE_URL", false, false, false},
		{"AZURE_CLIENT_SECRET", false, false, false},
		{"", false, false, false},
	}
	for _, test := range tests {
		if c, v, h := Code(test.name), Vault(test.name), Host(test.name); c != test.code || v != test.vault || h != test.host {
			t.Errorf("%s: %v %v %v", test.name, c, v, h)
		}
	}
}

// TestTableIsWellFormed holds that no name stands twice, and that no prefix takes every name.
func TestTableIsWellFormed(t *testing.T) {
	all := slices.Concat(code, vault, host)
	slices.Sort(all)
	if again := slices.Compact(slices.Clone(all)); len(again) != len(all) {
		t.Error("a name stands twice")
	}
	for _, entry := range all {
		if prefix := strings.TrimSuffix(entry, "*"); len(prefix) < 1 || strings.Contains(prefix, "*") || entry == "_*" {
			t.Errorf("entry %q", entry)
		}
	}
}
