package dotenv

import (
	"bytes"
	"fmt"
	"slices"
	"unicode/utf8"
)

// Parse divides src into statements and evaluates them in dialect d. It returns an
// error only for an unknown dialect, and a *UTF16Error: what is wrong with a
// statement stands in its Entry. A UTF-8 byte order mark at the beginning of
// src is skipped and CRLF line ends are read, in every dialect. The work and the
// memory are linear in the length of src.
func Parse(src []byte, d Dialect) (*File, error) {
	p := &parser{src: src, line: 1, doubtful: make(map[string]bool), lastBacktick: bytes.LastIndexByte(src, '`')}
	switch d {
	case Strict:
		p.readers = []rules{godotenvRules, composeRules}
		p.evaluators = []evaluator{evaluateGodotenv, evaluateCompose}
	case Godotenv:
		p.readers = []rules{godotenvRules}
		p.evaluators = []evaluator{evaluateGodotenv}
	case Compose:
		p.readers = []rules{composeRules}
		p.evaluators = []evaluator{evaluateCompose}
	case Literal:
		p.readers = []rules{literalRules}
		p.evaluators = []evaluator{evaluateLiteral}
	default:
		return nil, fmt.Errorf("dotenv: unknown %v", d)
	}
	if at := findUTF16(src); at >= 0 {
		return nil, &UTF16Error{Line: 1 + bytes.Count(src[:at], []byte{'\n'})}
	}
	for range p.readers {
		p.scopes = append(p.scopes, newScope())
	}
	p.groups = make([]group, len(p.readers))
	p.evaluations = make([]evaluation, len(p.readers))
	p.parse()
	markStray(p.entries, src)
	return &File{Entries: p.entries, src: src}, nil
}

// parser holds what Parse needs beside its result. Readers, evaluators and scopes
// run in parallel: one, or in Strict two, of each.
type parser struct {
	src        []byte
	readers    []rules
	evaluators []evaluator
	scopes     []*scope
	doubtful   map[string]bool // names so far, and whether the last statement of each has an error
	entries    []Entry

	lastBacktick                int // offset, or -1
	backticksLine, backticksEnd int // the value in backticks that was begun last, and the offset of its end

	groups      []group      // of the statement at hand, by reader
	evaluations []evaluation // of the statement at hand, by reader

	line, lineOffset int // the line number of an offset, which only grows
}

func (p *parser) parse() {
	start := 0
	if bytes.HasPrefix(p.src, utf8BOM) {
		start = len(utf8BOM)
	}
	at, _ := skipToStatement(p.src, start, true)
	for at < len(p.src) {
		// White space may precede the first statement of a line.
		groupStart := max(start, bytes.LastIndexByte(p.src[:at], '\n')+1)
		groups := p.groups
		for i, r := range p.readers {
			groups[i] = r.group(p.src, at)
		}
		next := groups[0].next
		if agreed(groups) {
			p.addStatements(groupStart, groups)
		} else {
			next = p.addDisputed(groupStart, groups)
		}
		at, _ = skipToStatement(p.src, next, true)
	}
}

// agreed reports whether all groups are without fault and alike.
func agreed(groups []group) bool {
	for _, g := range groups {
		if !g.sameAs(groups[0]) {
			return false
		}
	}
	return true
}

// lineAt returns the number of the line that offset is in. Offsets must not
// decrease from call to call.
func (p *parser) lineAt(offset int) int {
	p.line += bytes.Count(p.src[p.lineOffset:offset], []byte{'\n'})
	p.lineOffset = offset
	return p.line
}

// addStatements evaluates the statements of groups, in which all readers found
// the same names.
func (p *parser) addStatements(start int, groups []group) {
	for i, st := range groups[0].statements {
		e := Entry{
			Name: st.name, Line: p.lineAt(st.start),
			Start: start, End: groups[0].next,
			at: st.start, valueStart: st.value, valueEnd: st.end,
		}
		e.EndLine = e.Line + bytes.Count(p.src[st.start:st.end], []byte{'\n'})
		evaluations := p.evaluations
		for j, g := range groups {
			e.valueEnd = max(e.valueEnd, g.statements[i].end)
			evaluations[j] = p.evaluators[j].guarded(p.src, g.statements[i], p.scopes[j])
			e.refs = append(e.refs, evaluations[j].refs...)
		}
		slices.Sort(e.refs)
		e.refs = slices.Compact(e.refs)
		e.Err = p.judge(e, evaluations)
		p.followBackticks(&e)
		if e.Err == nil {
			e.Value = append([]byte{}, evaluations[0].value...)
		}
		for j := range evaluations {
			p.scopes[j].set(st.name, evaluations[j])
		}
		// What a reader looked up and nothing above defines may be a piece of a
		// password (pa$word), so it is not kept.
		e.refs = slices.DeleteFunc(e.refs, func(ref string) bool {
			_, defined := p.doubtful[ref]
			return !defined
		})
		p.doubtful[st.name] = e.Err != nil
		p.entries = append(p.entries, e)
	}
}

// judge returns what forbids taking the value of the first evaluation as that
// of e, or nil.
func (p *parser) judge(e Entry, evaluations []evaluation) error {
	name := shownName(e.Name, false)
	if e.Name == "" {
		return &SyntaxError{Line: e.Line, Reason: "no name before the separator"}
	}
	for _, ref := range e.refs {
		if p.doubtful[ref] {
			return p.doubt(e, "a reference to a variable that is itself in doubt")
		}
	}
	if len(evaluations) == 1 {
		if evaluations[0].rejected {
			return &SyntaxError{Line: e.Line, Name: name, Reason: "a value that this dialect cannot expand"}
		}
		return nil
	}
	g, c := evaluations[0], evaluations[1]
	switch {
	case g.rejected || c.rejected || !bytes.Equal(g.value, c.value):
		return p.doubt(e, p.construct(e))
	case g.unset || c.unset:
		return p.doubt(e, "a reference to a variable that is not set above it")
	case p.emptyOrComment(e):
		return p.doubt(e, "a # with only blanks between it and the =, which begins a comment or the value")
	}
	if reason := nodeConstruct(p.src[e.valueStart:e.valueEnd], g.value); reason != "" {
		return p.doubt(e, reason)
	}
	return nil
}

// nodeConstruct names what the dotenv package of npm, which is not run here, reads in
// another way than both readers that are; or it returns "".
func nodeConstruct(raw, value []byte) string {
	switch {
	case len(raw) == 0 || isQuote(raw[0]):
		return ""
	case raw[0] == '`':
		return reasonBackticks
	case bytes.IndexByte(value, '#') >= 0:
		return "a # that some readers take for a comment"
	}
	return ""
}

// followBackticks sees to a value in backticks that goes on below its line: the dotenv package of npm reads it to the next
// backtick, and none of the readers here does. What stands between may belong to the value.
func (p *parser) followBackticks(e *Entry) {
	raw := p.src[e.valueStart:e.valueEnd]
	switch {
	case len(p.readers) == 1:
	case e.Start < p.backticksEnd:
		reason := fmt.Sprintf("text that may belong to line %d (%s)", p.backticksLine, reasonBackticks)
		e.Err = &DoubtfulError{Line: e.Line, Name: shownName(e.Name, true), Reason: reason, advice: adviceCorrect}
		e.unsettled = true
	case len(raw) > 0 && raw[0] == '`' && bytes.IndexByte(raw[1:], '`') < 0 && e.End <= p.lastBacktick:
		p.backticksLine = e.Line
		p.backticksEnd = e.End + bytes.IndexByte(p.src[e.End:], '`')
		e.unsettled = true
	}
}

// doubt returns the error for e, of the kind that the number of readers asks for.
func (p *parser) doubt(e Entry, reason string) error {
	name := shownName(e.Name, false)
	if len(p.readers) == 1 {
		return &SyntaxError{Line: e.Line, Name: name, Reason: reason}
	}
	return &DoubtfulError{Line: e.Line, Name: name, Reason: reason, advice: p.quoteAdvice(e.valueStart, e.valueEnd)}
}

// quoteAdvice says in which quotes all readers take the raw value src[start:end] as it is meant.
func (p *parser) quoteAdvice(start, end int) string {
	raw := bytes.TrimSpace(p.src[start:end])
	inQuotes := len(raw) >= 2 && isQuote(raw[0]) && raw[len(raw)-1] == raw[0]
	inside := raw
	if inQuotes {
		inside = raw[1 : len(raw)-1]
	}
	switch {
	case !utf8.Valid(raw):
		return adviceUTF8
	case bytes.IndexByte(inside, '\r') >= 0:
		return adviceLineEnds
	case bytes.IndexByte(inside, '\'') < 0 && !(inQuotes && raw[0] == '\''):
		return adviceQuote
	case bytes.ContainsAny(inside, "\"\\$"):
		return adviceByHand
	}
	return adviceDoubleQuote
}

// emptyOrComment reports whether e reads NAME= # text. Both readers take "# text"
// for the value, and hardly anyone who writes it means that.
func (p *parser) emptyOrComment(e Entry) bool {
	return e.valueStart < e.valueEnd && p.src[e.valueStart] == '#' && isBlank(rune(p.src[e.valueStart-1]))
}

// construct names what readers most probably disagree about in e.
func (p *parser) construct(e Entry) string {
	raw := p.src[e.valueStart:e.valueEnd]
	var quote byte
	if len(raw) > 0 && isQuote(raw[0]) {
		quote = raw[0]
	}
	has := func(c byte) bool { return bytes.IndexByte(raw, c) >= 0 }
	switch {
	case quote != '\'' && has('$'):
		return "a $ that some readers expand"
	case quote == '"' && has('\\'):
		return "a backslash inside double quotes"
	case quote == '\'' && has('\\'):
		return "a backslash before a single quote"
	case has('\r'):
		return "a carriage return inside the value"
	case !utf8.Valid(raw):
		return "bytes that are not UTF-8"
	case quote == 0 && has('#'):
		return "a # that some readers take for a comment"
	case quote == 0:
		return "unusual white space around the value"
	}
	return "quotes at the ends of the value"
}

// addDisputed makes an entry of every name in the region that begins with groups,
// and at least one, all of them with an error. It returns the offset behind the
// region.
func (p *parser) addDisputed(start int, groups []group) int {
	reg := disputed(p.src, p.readers, groups)
	reg.addLines(p.src, start)
	first := groups[0].statements[0].start
	found := reg.sightings()
	if len(found) == 0 || found[0].offset != first {
		found = slices.Insert(found, 0, sighting{offset: first})
	}
	reason, advice, allGaveUp := p.disputeReason(groups)
	bare := reason == reasonBare
	firstLine := p.lineAt(first)
	endLine := firstLine + bytes.Count(bytes.TrimSuffix(p.src[first:reg.next], []byte{'\n'}), []byte{'\n'})
	unsettled := endLine > firstLine || len(found) > 1 || start < p.backticksEnd
	for _, at := range found {
		e := Entry{
			Name: at.name, Line: p.lineAt(at.offset), Start: start, End: reg.next,
			at: at.offset, valueStart: start, valueEnd: reg.next, unsettled: unsettled,
			Bare: bare && at.name != "" && at.offset == first && !unsettled,
		}
		e.EndLine = e.Line
		name, why, advice := shownName(e.Name, true), reason, advice
		if e.Line > firstLine {
			why = fmt.Sprintf("text that may belong to line %d (%s)", firstLine, reason)
			advice = adviceCorrect
		}
		if allGaveUp {
			e.Err = &SyntaxError{Line: e.Line, Name: name, Reason: why, advice: advice}
		} else {
			e.Err = &DoubtfulError{Line: e.Line, Name: name, Reason: why, advice: advice}
		}
		p.doubtful[e.Name] = true
		p.entries = append(p.entries, e)
	}
	return reg.next
}

const (
	reasonBare      = "no = behind the name"
	reasonBehind    = "text behind the end of the value"
	reasonBackticks = "backticks, which some readers take for quotes"
)

// disputeReason says what is wrong with groups, what to do about it where readers
// disagree, and whether every reader gives up at it.
func (p *parser) disputeReason(groups []group) (reason, advice string, allGaveUp bool) {
	allGaveUp = true
	var worst statement
	for _, g := range groups {
		last := g.statements[len(g.statements)-1]
		allGaveUp = allGaveUp && last.fault != faultNone
		if last.fault > worst.fault {
			worst = last
		}
	}
	first := groups[0].statements[0].start
	eol := lineEnd(p.src, first)
	quote := p.quoteAdvice(first+1+bytes.IndexAny(p.src[first:eol], "=:"), eol)
	switch {
	case worst.fault == faultNone:
		return "where the value ends", quote, allGaveUp
	case worst.fault == faultQuote:
		return "a quote that is never closed", adviceClose, allGaveUp
	case worst.fault == faultTrailing || worst.start > first:
		lines := bytes.Count(p.src[first:worst.start], []byte{'\n'})
		if lines == 0 {
			return reasonBehind, quote, allGaveUp
		}
		return fmt.Sprintf("%s on line %d", reasonBehind, p.lineAt(first)+lines), quote, allGaveUp
	case worst.fault == faultBare:
		return reasonBare, adviceAssign, allGaveUp
	case allGaveUp:
		return "no assignment (NAME=value)", adviceAssign, allGaveUp
	}
	return "a name with characters that some readers refuse", adviceName, allGaveUp
}
