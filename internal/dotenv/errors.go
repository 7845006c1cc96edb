package dotenv

import "fmt"

// DoubtfulError reports a statement that dotenv readers do not read alike.
// Choosing a dialect can settle it. Its text holds no part of the value.
type DoubtfulError struct {
	Line   int    // 1-based line on which the statement begins
	Name   string // empty where there is none that is safe to show
	Reason string // the kind of construct, such as "a $ that some readers expand"

	advice string
}

// Advice for a DoubtfulError or a SyntaxError.
const (
	adviceQuote       = "put the value in single quotes"
	adviceDoubleQuote = "put the value in double quotes"
	adviceByHand      = "no quotes make it clear to every reader, so add this value to the vault by hand"
	adviceLineEnds    = "save the file with Unix line ends"
	adviceUTF8        = "save the file as UTF-8"
	adviceName        = "give it another name, or remove the line"
	adviceAssign      = "write NAME=value, or remove the line"
	adviceClose       = "close it, or put the value in other quotes"
	adviceCorrect     = "correct that line"
)

func (e *DoubtfulError) Error() string {
	text := place(e.Line, e.Name) + ": dotenv readers disagree about " + e.Reason
	if e.advice != "" {
		text += "; " + e.advice
	}
	return text
}

// SyntaxError reports text that no reader of the dialect takes as a statement.
// Its text holds no part of the file but a name.
type SyntaxError struct {
	Line   int    // 1-based line on which the text begins
	Name   string // empty where there is none that is safe to show
	Reason string // what is wrong, such as "no = behind the name"

	advice string
}

func (e *SyntaxError) Error() string {
	text := place(e.Line, e.Name) + ": " + e.Reason
	if e.advice != "" {
		text += "; " + e.advice
	}
	return text
}

// PruneError reports a statement that cannot be removed by whole lines without
// touching something else.
type PruneError struct {
	Line   int    // 1-based line on which the statement begins
	Name   string // empty where there is none that is safe to show
	Reason string // why it cannot be removed
}

func (e *PruneError) Error() string {
	return place(e.Line, e.Name) + " cannot be removed: " + e.Reason
}

func place(line int, name string) string {
	if name == "" {
		return fmt.Sprintf("line %d", line)
	}
	return fmt.Sprintf("line %d, %s", line, name)
}

// maxShownName bounds a name in an error text. Names of settings are shorter;
// what is longer may be a line of a broken multi-line value.
const maxShownName = 128

// shownName returns name if it may stand in an error text, else "". Text inside
// a group that readers cannot agree on may be a piece of a value (a line of
// base64 ends in = and so looks like an assignment), so there only names in
// the usual capitals pass.
func shownName(name string, insideDoubt bool) string {
	if len(name) > maxShownName {
		return ""
	}
	if insideDoubt {
		if !isConventionalName(name) {
			return ""
		}
		return name
	}
	if name == "" || !isWordByte(name[0]) {
		return ""
	}
	for i := 0; i < len(name); i++ {
		if c := name[i]; !isWordByte(c) && c != '.' && c != '-' {
			return ""
		}
	}
	return name
}

// isConventionalName reports whether name is capitals, digits and underscores,
// not beginning with a digit.
func isConventionalName(name string) bool {
	if name == "" || name[0] >= '0' && name[0] <= '9' {
		return false
	}
	for i := 0; i < len(name); i++ {
		if !isCapitalWordByte(name[i]) {
			return false
		}
	}
	return true
}

// isCapitalWordByte reports whether c is in [A-Z0-9_], which is what godotenv
// takes as the name in a reference.
func isCapitalWordByte(c byte) bool {
	return c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
}

// isWordByte reports whether c is in [A-Za-z0-9_].
func isWordByte(c byte) bool {
	return isCapitalWordByte(c) || c >= 'a' && c <= 'z'
}
