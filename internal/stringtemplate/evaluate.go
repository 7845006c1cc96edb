package stringtemplate

import (
	"strings"
	"text/template/parse"
)

// none is the absence of a value, which nil is not.
type none struct{}

// pipeline evaluates commands, each with the value of the one before as its last argument.
func (f *filling) pipeline(dot any, pipe *parse.PipeNode) any {
	f.node = pipe
	var value any = none{}
	for _, command := range pipe.Cmds {
		value = f.command(dot, command, value)
	}
	for _, d := range pipe.Decl {
		if pipe.IsAssign {
			f.assign(d.Ident[0], value)
		} else {
			f.vars = append(f.vars, variable{d.Ident[0], value})
		}
	}
	return value
}

// command evaluates a function with its arguments, or a value.
func (f *filling) command(dot any, command *parse.CommandNode, last any) any {
	first := command.Args[0]
	f.node = first
	if name, ok := first.(*parse.IdentifierNode); ok {
		return f.call(dot, name, command, command.Args[1:], last)
	}
	if _, absent := last.(none); !absent || len(command.Args) > 1 {
		f.fail("can't give argument to non-function %s", first)
	}
	if _, ok := first.(*parse.NilNode); ok {
		f.fail("nil is not a command")
	}
	return f.value(dot, first)
}

// value evaluates a node that stands for a value.
func (f *filling) value(dot any, node parse.Node) any {
	f.node = node
	switch node := node.(type) {
	case *parse.BoolNode:
		return node.True
	case *parse.DotNode:
		return dot
	case *parse.NilNode:
		return nil
	case *parse.NumberNode:
		return f.number(node)
	case *parse.StringNode:
		return node.Text
	case *parse.PipeNode:
		return f.pipeline(dot, node)
	case *parse.IdentifierNode:
		return f.call(dot, node, node, nil, none{})
	case *parse.VariableNode:
		value := f.variable(node.Ident[0])
		if len(node.Ident) > 1 {
			f.fail("%s has no fields", node.Ident[0])
		}
		return value
	case *parse.ChainNode:
		f.value(dot, node.Node) // its own error comes first
		f.node = node
		f.fail("a string has no fields")
	case *parse.FieldNode:
		f.fail("there are no fields")
	default:
		f.fail("can't evaluate %s", node)
	}
	return nil
}

// number is a constant as its text has it: the rules of Go for one without a type.
func (f *filling) number(n *parse.NumberNode) any {
	hex := len(n.Text) > 2 && n.Text[0] == '0' && (n.Text[1] == 'x' || n.Text[1] == 'X') && !strings.ContainsAny(n.Text, "pP")
	switch {
	case n.IsComplex:
		return n.Complex128
	case n.IsFloat && !hex && n.Text[0] != '\'' && strings.ContainsAny(n.Text, ".eEpP"):
		return n.Float64
	case n.IsInt && int64(int(n.Int64)) == n.Int64:
		return int(n.Int64)
	}
	f.fail("%s overflows int", n.Text)
	return nil
}

// call calls a function. node is what is said in errors of the call.
func (f *filling) call(dot any, name *parse.IdentifierNode, node parse.Node, args []parse.Node, last any) any {
	f.node = name
	_, absent := last.(none)
	count := len(args)
	if !absent {
		count++
	}
	if own, ok := f.functions[name.Ident]; ok {
		if count != len(own.Takes) {
			f.fail("wrong number of args for %s: want %d got %d", name.Ident, len(own.Takes), count)
		}
		return f.result(name, node, own.Call, f.arguments(dot, args, last, func(i int) Kind { return own.Takes[i] }))
	}
	b, ok := builtins[name.Ident]
	switch {
	case !ok:
		f.fail("%q is not a defined function", name.Ident)
	case count < b.least || b.most >= 0 && count > b.most:
		f.fail("wrong number of args for %s: got %d", name.Ident, count)
	case b.call == nil:
		return f.lazily(dot, name.Ident == "or", args, last)
	}
	kinds := func(i int) Kind {
		if i == 0 {
			return b.first
		}
		return Any
	}
	return f.result(name, node, b.call, f.arguments(dot, args, last, kinds))
}

func (f *filling) result(name *parse.IdentifierNode, node parse.Node, call func([]any) (any, error), arguments []any) any {
	value, err := call(arguments)
	if err != nil {
		f.node = node
		f.stop(&callError{name.Ident, err})
	}
	return value
}

// callError is an error of a function.
type callError struct {
	name  string
	cause error
}

func (e *callError) Error() string { return "error calling " + e.name + ": " + e.cause.Error() }
func (e *callError) Unwrap() error { return e.cause }

func (f *filling) arguments(dot any, args []parse.Node, last any, kind func(int) Kind) []any {
	var values []any
	for i, arg := range args {
		values = append(values, f.argument(dot, arg, kind(i)))
	}
	if _, absent := last.(none); !absent {
		values = append(values, f.checked(last, kind(len(args))))
	}
	return values
}

func (f *filling) argument(dot any, arg parse.Node, kind Kind) any {
	value := f.value(dot, arg)
	f.node = arg
	return f.checked(value, kind)
}

func (f *filling) checked(value any, kind Kind) any {
	if _, ok := value.(string); !ok && kind == String {
		f.fail("wrong type for value; expected string")
	}
	return value
}

// lazily is "and" and "or": arguments behind the one that decides are not evaluated.
func (f *filling) lazily(dot any, or bool, args []parse.Node, last any) (value any) {
	for _, arg := range args {
		value = f.argument(dot, arg, Any)
		if isTrue(value) == or {
			return value
		}
	}
	if _, absent := last.(none); !absent {
		value = last
	}
	return value
}

// isTrue tells of a value whether it is not the zero of its kind.
func isTrue(value any) bool {
	switch value := value.(type) {
	case bool:
		return value
	case int:
		return value != 0
	case byte:
		return value != 0
	case float64:
		return value != 0
	case complex128:
		return value != 0
	case string:
		return value != ""
	case []string:
		return len(value) > 0
	}
	return false
}
