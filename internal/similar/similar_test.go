package similar

import "testing"

func TestName(t *testing.T) {
	names := []string{"DATABASE_URL", "SMTP_PASSWORD", "acme/TOKEN"}
	for word, want := range map[string]string{
		"DATABSE_URL": "DATABASE_URL", "database_url": "DATABASE_URL", "SMTP_PASSWROD": "SMTP_PASSWORD", "acme/TOKN": "acme/TOKEN",
		"SMTP_PASS": "SMTP_PASSWORD", "OTHER": "", "A": "",
	} {
		if got := Name(names, word); got != want {
			t.Errorf("%s: %q, want %q", word, got, want)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "ab", 2}, {"list", "list", 0}, {"lsit", "list", 1}, {"lst", "list", 1}, {"lisst", "list", 1}, {"post", "list", 2}} {
		if got := distance(tt.a, tt.b); got != tt.want {
			t.Errorf("%q, %q: %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}

func TestWord(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		word, other string
		want        bool
	}{
		{"list", "list", true}, {"lsit", "list", true}, {"rot", "rotate-key", true}, {"ro", "rotate-key", false},
		{"ab", "cb", false}, {"abc", "abd", true}, {"completely", "different", false}, {"", "list", false},
	} {
		if got := Word(tt.word, tt.other); got != tt.want {
			t.Errorf("%q, %q: %v", tt.word, tt.other, got)
		}
	}
}
