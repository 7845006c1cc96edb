package dotenv

import "bytes"

// literalBlanks surround a value without being part of it.
const literalBlanks = " \t\r\v\f"

func literalName(src []byte, at int) (string, int, fault) {
	name, _, f := composeName(src, at)
	if f != faultNone {
		return "", 0, f
	}
	if bytes.ContainsFunc([]byte(name), isBlank) {
		return "", 0, faultName
	}
	separator := at + bytes.IndexAny(src[at:], "=:")
	value := separator + 1
	for value < len(src) && bytes.IndexByte([]byte(literalBlanks), src[value]) >= 0 {
		value++
	}
	return name, value, faultNone
}

// literalEnd finds the end by the rule in the documentation of Literal. For a
// value without quotes that is the end of the line, the comment included.
func literalEnd(src []byte, at int) (int, fault) {
	eol := lineEnd(src, at)
	if at == len(src) || !isQuote(src[at]) {
		return eol, faultNone
	}
	quote := src[at]
	second := false
	for i := at + 1; i < eol; i++ {
		if src[i] != quote {
			continue
		}
		second = true
		if endsLine(src, i+1) {
			return i + 1, faultNone
		}
	}
	if second {
		return 0, faultTrailing
	}
	i := bytes.IndexByte(src[eol:], quote)
	if i < 0 || !endsLine(src, eol+i+1) {
		return 0, faultQuote
	}
	return eol + i + 1, faultNone
}

// endsLine reports whether only blanks, or blanks and a comment, stand between
// at and the end of the line.
func endsLine(src []byte, at int) bool {
	i := at
	for i < len(src) && bytes.IndexByte([]byte(literalBlanks), src[i]) >= 0 {
		i++
	}
	return i == len(src) || src[i] == '\n' || src[i] == '#' && i > at
}

// literalValue returns the value of st, a part of src.
func literalValue(src []byte, st statement) []byte {
	raw := src[st.value:st.end]
	if len(raw) > 0 && isQuote(raw[0]) {
		return raw[1 : len(raw)-1]
	}
	for i, c := range raw {
		// The first byte has the separator or a blank before it.
		if before := src[st.value+i-1]; c == '#' && (before == ' ' || before == '\t') {
			raw = raw[:i]
			break
		}
	}
	return bytes.TrimRight(raw, literalBlanks)
}
