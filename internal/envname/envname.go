// Package envname knows the names of environment variables.
package envname

// Valid tells whether POSIX (Base Definitions, 8.1) and shells take name for a variable's.
func Valid(name string) bool {
	for i, c := range []byte(name) {
		letter := c == '_' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}
