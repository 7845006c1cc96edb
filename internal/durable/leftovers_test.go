package durable

import "testing"

// TestLeftoversAreKnownByName holds TempOf and DisplacedOf to the names that the package gives.
func TestLeftoversAreKnownByName(t *testing.T) {
	for _, base := range []string{"secrets.vault", "secrets.vault.lock", "a.b", "vault.key.new", ".env"} {
		if got, ok := TempOf("dir/" + tempName(base)); !ok || got != base {
			t.Errorf("TempOf does not know a temporary file of %q: %q, %v", base, got, ok)
		}
		if got, ok := DisplacedOf("dir/" + asideName(base)); !ok || got != base {
			t.Errorf("DisplacedOf does not know a displaced file of %q: %q, %v", base, got, ok)
		}
	}
	for _, name := range []string{
		"secrets.vault", ".secrets.vault.vault-tmp", ".secrets.vault.0123456789abcde.vault-tmp", ".secrets.vault.0123456789ABCDEF.vault-tmp",
		"secrets.vault.0123456789abcdef.vault-tmp", ".0123456789abcdef.vault-tmp", ".displaced-0123456789abcdef", "a.displaced-", "",
	} {
		if base, ok := TempOf(name); ok {
			t.Errorf("TempOf takes %q for a temporary file of %q", name, base)
		}
		if base, ok := DisplacedOf(name); ok {
			t.Errorf("DisplacedOf takes %q for a displaced %q", name, base)
		}
	}
}
