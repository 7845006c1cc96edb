package valuecheck

import (
	"bytes"
	"slices"
	"strings"

	"github.com/mazevault/vault-tool/internal/credentials"
	"github.com/mazevault/vault-tool/internal/envname"
	"github.com/mazevault/vault-tool/internal/finding"
)

func empty(s secret, o Options) []finding.Finding {
	if len(s.value) > 0 {
		return nil
	}
	return s.of(finding.Warn, "value-empty", "the value is empty", o.Tool("add "+s.name))
}

// byteOrderMark finds what editors of some systems put in front of a text.
func byteOrderMark(s secret, o Options) []finding.Finding {
	if !bytes.HasPrefix(s.value, []byte("\uFEFF")) {
		return nil
	}
	return s.of(finding.Warn, "value-byte-order-mark", "the value begins with a byte order mark, which is a part of it", o.Tool("edit "+s.name))
}

// blanks finds white space at the ends. A value of several lines, a key in PEM say, may end with a newline.
func blanks(s secret, o Options) []finding.Finding {
	trimmed := bytes.TrimSpace(s.value)
	if len(trimmed) == len(s.value) || len(s.value) == 0 {
		return nil
	}
	without := bytes.TrimSuffix(bytes.TrimSuffix(s.value, []byte("\n")), []byte("\r"))
	switch {
	case len(trimmed) == 0:
		return s.of(finding.Warn, "value-blank", "the value is nothing but white space", o.Tool("add "+s.name))
	case len(without) == len(trimmed) && bytes.Contains(trimmed, []byte("\n")):
		return nil
	case len(without) == len(trimmed):
		// add drops one newline of what it is given.
		return s.of(finding.Warn, "value-newline", "the value ends with a newline, which is a part of it", o.Tool("get "+s.name)+" | "+o.Tool("add "+s.name))
	}
	return s.of(finding.Warn, "value-blanks", "the value begins or ends with white space, which is a part of it", o.Tool("edit "+s.name))
}

// placeholder finds what stands where a secret is to come. For what is no secret by its name it may be right: none, null.
func placeholder(s secret, o Options) []finding.Finding {
	if !credentials.IsPlaceholder(s.value) && !isMarked(bytes.TrimSpace(s.value)) {
		return nil
	}
	severity := finding.Warn
	if _, looks := credentials.LooksSecret(s.name, s.value); looks {
		severity = finding.Error
	}
	return s.of(severity, "value-placeholder", "the value stands where a secret is to come", o.Tool("add "+s.name))
}

// isMarked tells whether a value reads __NAME__, @@NAME@@, ${NAME} or %NAME%, as templates have what is to be filled in.
func isMarked(value []byte) bool {
	for _, m := range [][2]string{{"__", "__"}, {"@@", "@@"}, {"${", "}"}, {"%", "%"}, {"[", "]"}} {
		inner, ok := bytes.CutPrefix(value, []byte(m[0]))
		inner, ends := bytes.CutSuffix(inner, []byte(m[1]))
		if ok && ends && len(inner) > 0 && !slices.ContainsFunc(inner, func(c byte) bool { return !isNameByte(c) }) {
			return m[0] != "[" || bytes.ContainsAny(inner, " -_")
		}
	}
	return false
}

func isNameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == ' '
}

// variableName finds names that exec cannot give to a program: of a scope's secret the part behind the last '/'.
func variableName(s secret, o Options) []finding.Finding {
	path, name := "", s.name
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		path, name = name[:i+1], name[i+1:]
	}
	if envname.Valid(name) {
		return nil
	}
	fit := strings.Map(func(r rune) rune {
		if r == '-' || r == '.' {
			return '_'
		}
		return r
	}, name)
	if !envname.Valid(fit) {
		fit = "_" + fit
	}
	return s.of(finding.Info, "name-no-variable", "no environment variable can have this name: exec and dotenv leave it out or fail, files do not mind", o.Tool("rename "+s.name+" "+path+fit))
}
