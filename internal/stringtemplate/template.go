// Package stringtemplate has the language of text/template for data that is only strings.
//
// It reads templates with the same parser, and fills them in the same way; the tests compare the two. What it leaves out is
// what strings do not have: fields, methods, maps, channels, functions as values. text/template finds methods by their
// names, which the linker cannot foresee, so that a program which executes such a template has every exported method of
// every type in it: 1.5 MB of vault-tool.
//
// A value is nil, a bool, an int, a byte (of a string that is indexed), a float64, a complex128, a string or a []string.
package stringtemplate

import (
	"bytes"
	"fmt"
	"text/template/parse"
)

// Function is what a template can call beside the functions of text/template.
type Function struct {
	Takes []Kind // its arguments
	Call  func(arguments []any) (any, error)
}

// Kind is what an argument may be.
type Kind int

// The kinds of arguments.
const (
	String Kind = iota
	Any
)

// Template is a parsed template. It is safe for concurrent use.
type Template struct {
	name  string
	trees map[string]*parse.Tree
}

// Parse parses a template that calls the named functions, or those of text/template. Its errors are those of
// text/template/parse and begin with "template: NAME:LINE: ".
func Parse(name, text string, functions map[string]Function) (*Template, error) {
	names := make(map[string]any)
	for function := range functions {
		names[function] = function
	}
	for function := range builtins {
		names[function] = function
	}
	trees, err := parse.Parse(name, text, "", "", names)
	if err != nil {
		return nil, err
	}
	return &Template{name, trees}, nil
}

// Error is why a template cannot be filled.
type Error struct {
	Location string // "NAME:LINE:COLUMN"
	Piece    string // what stands there in the template; a long one ends in "..."
	Cause    error  // can have a value in its text
}

func (e *Error) Error() string {
	return fmt.Sprintf("template: %s: executing at <%s>: %v", e.Location, e.Piece, e.Cause)
}

func (e *Error) Unwrap() error { return e.Cause }

// Execute appends the filled template to out. An error is an [*Error]; out then has a part of it.
func (t *Template) Execute(out *bytes.Buffer, functions map[string]Function) (err error) {
	f := &filling{out: out, template: t, functions: functions, tree: t.trees[t.name]}
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *Error:
			err = r
		default:
			panic(r)
		}
	}()
	f.vars = []variable{{"$", nil}}
	f.walk(nil, f.tree.Root)
	return nil
}

// filling is a template that is being filled. It stops with a panic of an *Error.
type filling struct {
	out       *bytes.Buffer
	template  *Template
	functions map[string]Function
	tree      *parse.Tree
	node      parse.Node // what is looked at, for errors
	vars      []variable
	depth     int
}

type variable struct {
	name  string
	value any
}

func (f *filling) fail(format string, args ...any) { f.stop(fmt.Errorf(format, args...)) }

func (f *filling) stop(cause error) {
	location, piece := f.tree.ErrorContext(f.node)
	panic(&Error{location, piece, cause})
}

// step is how a part of a template ends.
type step int

const (
	next step = iota
	leave
	again
)

// walk fills a node.
func (f *filling) walk(dot any, node parse.Node) step {
	f.node = node
	switch node := node.(type) {
	case *parse.ActionNode:
		value := f.pipeline(dot, node.Pipe)
		if len(node.Pipe.Decl) == 0 {
			f.node = node
			f.print(value)
		}
	case *parse.BreakNode:
		return leave
	case *parse.ContinueNode:
		return again
	case *parse.CommentNode:
	case *parse.IfNode:
		return f.choose(dot, &node.BranchNode, false)
	case *parse.WithNode:
		return f.choose(dot, &node.BranchNode, true)
	case *parse.ListNode:
		for _, n := range node.Nodes {
			if s := f.walk(dot, n); s != next {
				return s
			}
		}
	case *parse.RangeNode:
		return f.repeat(dot, node)
	case *parse.TemplateNode:
		f.include(dot, node)
	case *parse.TextNode:
		f.out.Write(node.Text)
	default:
		f.fail("unknown node: %s", node)
	}
	return next
}

func (f *filling) print(value any) {
	if value == nil {
		f.out.WriteString("<no value>")
		return
	}
	fmt.Fprint(f.out, value)
}

// choose fills a branch of if or with. The variables of its condition end with it.
func (f *filling) choose(dot any, b *parse.BranchNode, with bool) step {
	defer f.forget(len(f.vars))
	value := f.pipeline(dot, b.Pipe)
	switch {
	case isTrue(value) && with:
		return f.walk(value, b.List)
	case isTrue(value):
		return f.walk(dot, b.List)
	case b.ElseList != nil:
		return f.walk(dot, b.ElseList)
	}
	return next
}

// repeat fills a range.
func (f *filling) repeat(dot any, r *parse.RangeNode) step {
	f.node = r
	defer f.forget(len(f.vars))
	value := f.pipeline(dot, r.Pipe)
	f.node = r
	count, at := 0, func(i int) any { return i }
	switch value := value.(type) {
	case nil:
	case []string:
		count, at = len(value), func(i int) any { return value[i] }
	case int:
		count = value
	case byte:
		count, at = int(value), func(i int) any { return byte(i) }
	default:
		f.fail("range can't iterate over it")
	}
	if _, list := value.([]string); !list && value != nil && len(r.Pipe.Decl) > 1 {
		f.fail("a number has no index")
	}
	if count <= 0 {
		if r.ElseList != nil {
			return f.walk(dot, r.ElseList)
		}
		return next
	}
	mark := len(f.vars)
	for i := range count {
		f.assignRange(r.Pipe, i, at(i))
		s := f.walk(at(i), r.List)
		f.forget(mark)
		if s == leave {
			break
		}
	}
	return next
}

// assignRange sets the variables of a range: the element, or index and element.
func (f *filling) assignRange(pipe *parse.PipeNode, index int, element any) {
	values := []any{element}
	if len(pipe.Decl) > 1 {
		values = []any{index, element}
	}
	for i, d := range pipe.Decl {
		if pipe.IsAssign {
			f.assign(d.Ident[0], values[i])
		} else {
			f.vars[len(f.vars)-len(pipe.Decl)+i].value = values[i]
		}
	}
}

// mostDeep bounds templates that include themselves.
const mostDeep = 10_000

// include fills another template of the text. It sees none of the variables here.
func (f *filling) include(dot any, node *parse.TemplateNode) {
	tree := f.template.trees[node.Name]
	if tree == nil {
		f.fail("template %q not defined", node.Name)
	}
	if f.depth == mostDeep {
		f.fail("exceeded maximum template depth (%d)", mostDeep)
	}
	var data any
	if node.Pipe != nil {
		data = f.pipeline(dot, node.Pipe)
	}
	inner := *f
	inner.depth++
	inner.tree = tree
	inner.vars = []variable{{"$", data}}
	inner.walk(data, tree.Root)
}

func (f *filling) forget(mark int) { f.vars = f.vars[:mark] }

func (f *filling) assign(name string, value any) {
	for i := len(f.vars) - 1; i >= 0; i-- {
		if f.vars[i].name == name {
			f.vars[i].value = value
			return
		}
	}
	f.fail("undefined variable: %s", name)
}

func (f *filling) variable(name string) any {
	for i := len(f.vars) - 1; i >= 0; i-- {
		if f.vars[i].name == name {
			return f.vars[i].value
		}
	}
	f.fail("undefined variable: %s", name)
	return nil
}
