package credentials

import "testing"

func TestIsPlaceholder(t *testing.T) {
	for _, value := range []string{
		"null", "NULL", "none", "undefined", "changeme", "CHANGE_ME", "change-me!", "change me", "xxx", "XXXXXXXX", "***", "...",
		"<password>", "<your token here>", "{{ password }}", "your-password", "your_api_key_here", "todo", "n/a", " changeme ",
	} {
		if !IsPlaceholder([]byte(value)) {
			t.Errorf("%q is none", value)
		}
	}
	for _, value := range []string{
		"", " ", "x", "xx", "password", "secret", "true", "0", "mysql", "changeme1", "change$me", "nullable", "<a><b>", "hunter2",
		"postgres://changeme@db/x", "xxxa", "null\x00", "changemechangemechangemechangemechangeme",
	} {
		if IsPlaceholder([]byte(value)) {
			t.Errorf("%q is one", value)
		}
	}
}

func TestIsDriver(t *testing.T) {
	tests := []struct {
		name, value string
		want        bool
	}{
		{"DB_CONNECTION", "mysql", true},
		{"DB_CONNECTION", " PgSQL ", true},
		{"CACHE_DRIVER", "redis", true},
		{"DB_CONNECTION", "mysql://u:p@h/d", false},
		{"DB_CONNECTION", "", false},
		{"REDIS_PASSWORD", "redis", false},
		{"", "mysql", false},
	}
	for _, test := range tests {
		if got := IsDriver(test.name, []byte(test.value)); got != test.want {
			t.Errorf("IsDriver(%q, %q) = %v", test.name, test.value, got)
		}
	}
}
