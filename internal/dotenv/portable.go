package dotenv

import "bytes"

// AppendPortable is AppendLine for a line that npm's dotenv reads back as well. There are fewer of those.
func AppendPortable(dst []byte, name string, value []byte) ([]byte, bool) {
	return appendForm(dst, name, value, portableForm(name, value))
}

// PortableLen returns the number of bytes that AppendPortable appends, and false where AppendPortable does.
func PortableLen(name string, value []byte) (int, bool) {
	return formLen(name, value, portableForm(name, value))
}

func portableForm(name string, value []byte) form {
	for _, f := range forms {
		if carries(f, name, value) && npmReads(f, value) {
			return f
		}
	}
	return formNone
}

// npmReads tells whether npm's dotenv reads a value back from a form that the other two do. It makes every carriage return a newline,
// knows \n and \r but no other escape in double quotes, and ends a value without quotes at any #. A space that is beyond ASCII it takes
// away where the others do.
func npmReads(f form, value []byte) bool {
	switch f {
	case formPlain:
		return true
	case formSingle:
		return bytes.IndexByte(value, '\r') < 0
	case formDouble:
		return !bytes.ContainsAny(value, `"\$`)
	case formBare:
		return !bytes.ContainsAny(value, "#") && value[0] != '`'
	}
	return false
}
