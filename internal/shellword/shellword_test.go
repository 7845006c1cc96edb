package shellword

import "testing"

func TestPath(t *testing.T) {
	for path, want := range map[string]string{
		"vault.key": "vault.key", "-v": "./-v", "a b": "'a b'", "it's": `'it'\''s'`, "$(x)": "'$(x)'", "-a b": "'./-a b'", "": "''",
	} {
		if got := Path(path); got != want {
			t.Errorf("%q is %s, want %s", path, got, want)
		}
	}
}
