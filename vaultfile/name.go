package vaultfile

import "fmt"

// reservedByte begins the names that belong to the tool (docs/format.md, "Reserved names"). A vault may hold them,
// and writers keep them; nobody gives one.
const reservedByte = '.'

// ValidateName returns nil for a name that a secret can be given: 1 to 255 bytes of A-Z, a-z, 0-9, '_', '.' and
// '-', in parts separated by single '/', not beginning with '-', '/' or '.', no part being "." or "..". Otherwise
// the error wraps [ErrBadName] and says what is wrong.
func ValidateName(name string) error {
	problem := nameProblem(name)
	if problem == "" && name[0] == reservedByte {
		problem = "names that begin with '.' belong to vault-tool"
	}
	if problem != "" {
		return fmt.Errorf("%w %q: %s", ErrBadName, clip(name), problem)
	}
	return nil
}

// nameProblem says what keeps a name, reserved or not, from standing in a payload.
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
	dots := true // the part so far has nothing but dots
	part := 0    // where it begins
	for i := range len(name) {
		switch c := name[i]; {
		case partByte[c]:
			dots = dots && c == '.'
			continue
		case c != '/':
			return "a name has letters, digits, '_', '.', '-' and '/' only"
		case name[i-1] == '/':
			return "'/' stands between two parts of a name"
		case dots && i-part <= len(".."):
			return dotPart
		}
		dots, part = true, i+1
	}
	if dots && len(name)-part <= len("..") {
		return dotPart
	}
	return ""
}

// dotPart is refused because names become paths.
const dotPart = "no part of a name is '.' or '..'"

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
