package backups

import (
	"slices"
	"testing"
	"time"
)

func TestName(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 4, 19, 23, 30, 5, 999, time.FixedZone("", -3600))
	for number, want := range map[int]string{0: "secrets.vault.20260420T003005Z", 2: "secrets.vault.20260420T003005Z-2"} {
		name := Name("secrets.vault", at, number)
		if name != want {
			t.Errorf("the name is %s", name)
		}
		if got, ok := TimeOf("/some/where.20250101T000000Z/" + name); !ok || !got.Equal(at.Truncate(time.Second)) {
			t.Errorf("the time of %s is %v, %v", name, got, ok)
		}
		if found := Of("secrets.vault", []string{name}); len(found) != 1 || found[0].Name != name || found[0].number != number {
			t.Errorf("%s is %v", name, found)
		}
	}
}

// TestForeignNames: nothing that `backup` has not named is taken for a backup, for those are removed.
func TestForeignNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"secrets.vault", "secrets.vault.20260419", "secrets.vault.bak", "secrets.vault.lock", "secrets.vault.", "", ".", ".20260419T000000Z",
		"secrets.vault.20260419T000000", "secrets.vault.20260419T000000z", "secrets.vault.20260419T000000Z.bak", "secrets.vault.20260419T000000Z ",
		"secrets.vault.20260419T000000Z-", "secrets.vault.20260419T000000Z-0", "secrets.vault.20260419T000000Z-01", "secrets.vault.20260419T000000Z-+1",
		"secrets.vault.20260419T000000Z--1", "secrets.vault.20260419T000000Z-1-1", "secrets.vault.20260419T000000Z-99999999999999999999",
		"secrets.vault.20261319T000000Z", "secrets.vault.20260230T000000Z", "secrets.vault.20260419T240000Z", "secrets.vault.20260419T000060Z",
		"secrets.vault.2026041T000000Z", "other.vault.20260419T000000Z", "secrets.vaultx.20260419T000000Z", "xsecrets.vault.20260419T000000Z",
		".secrets.vault.20260419T000000Z.5f0c9e1d2b3a4857.vault-tmp", "secrets.vault.20260419T000000,5Z", "secrets.vault.20260419T000000.5Z",
	} {
		if found := Of("secrets.vault", []string{name}); len(found) != 0 {
			t.Errorf("%q is taken for a backup", name)
		}
	}
	for _, name := range []string{"20260419T000000Z", ".20260419T000000Z", "x", ""} {
		if at, ok := TimeOf(name); ok {
			t.Errorf("%q has the time %v", name, at)
		}
	}
}

func TestNewestFirst(t *testing.T) {
	t.Parallel()
	sorted := []string{"v.20260420T000000Z", "v.20260419T000000Z-10", "v.20260419T000000Z-9", "v.20260419T000000Z-1", "v.20260419T000000Z", "v.20251231T235959Z"}
	mixed := slices.Clone(sorted)
	slices.Sort(mixed)
	var got []string
	for _, b := range Of("v", mixed) {
		got = append(got, b.Name)
	}
	if !slices.Equal(got, sorted) {
		t.Errorf("the order is %q", got)
	}
}
