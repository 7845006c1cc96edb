package vaultfile

import "fmt"

// ValidateName returns nil for a name a vault can hold: 1 to 255 bytes of A-Z, a-z, 0-9, '_', '.' and
// '-', in parts separated by single '/', not beginning with '-' or '/'. Otherwise the error wraps
// [ErrBadName] and says what is wrong.
func ValidateName(name string) error {
	if problem := nameProblem(name); problem != "" {
		return fmt.Errorf("%w %q: %s", ErrBadName, clip(name), problem)
	}
	return nil
}

func nameProblem[T string | []byte](name T) string {
	switch {
	case len(name) == 0:
		return "a name has at least one character"
	case len(name) > MaxNameBytes:
		return fmt.Sprintf("a name has at most %d bytes, this one has %d", MaxNameBytes, len(name))
	case name[0] == '-':
		return "a name does not begin with '-'"
	case name[0] == '/' || name[len(name)-1] == '/':
		return "'/' stands between two parts of a name"
	}
	for i := range len(name) {
		switch c := name[i]; {
		case partByte[c]:
		case c != '/':
			return "a name has letters, digits, '_', '.', '-' and '/' only"
		case name[i-1] == '/':
			return "'/' stands between two parts of a name"
		}
	}
	return ""
}

// partByte has the bytes that the parts of a name may consist of.
var partByte = func() (t [256]bool) {
	for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-" {
		t[c] = true
	}
	return t
}()

// clip keeps a name of any length fit for a message.
func clip(name string) string {
	const most = 64
	if len(name) <= most {
		return name
	}
	return name[:most] + "…"
}
