package stringtemplate

import (
	"errors"
	"fmt"
	"text/template"
)

// builtin is a function of text/template.
type builtin struct {
	least, most int // arguments; -1: any number
	first       Kind
	call        func([]any) (any, error) // nil for those that need not evaluate all
}

var builtins = map[string]builtin{
	"and": {1, -1, Any, nil},
	"or":  {1, -1, Any, nil},
	"not": {1, 1, Any, func(a []any) (any, error) { return !isTrue(a[0]), nil }},

	"len":   {1, 1, Any, length},
	"index": {1, -1, Any, index},
	"slice": {1, -1, Any, slice},
	"call":  {1, -1, Any, func([]any) (any, error) { return nil, errors.New("no value is a function") }},

	"print":    {0, -1, Any, func(a []any) (any, error) { return fmt.Sprint(a...), nil }},
	"println":  {0, -1, Any, func(a []any) (any, error) { return fmt.Sprintln(a...), nil }},
	"printf":   {1, -1, String, func(a []any) (any, error) { return fmt.Sprintf(a[0].(string), a[1:]...), nil }},
	"html":     {0, -1, Any, func(a []any) (any, error) { return template.HTMLEscaper(a...), nil }},
	"js":       {0, -1, Any, func(a []any) (any, error) { return template.JSEscaper(a...), nil }},
	"urlquery": {0, -1, Any, func(a []any) (any, error) { return template.URLQueryEscaper(a...), nil }},

	"eq": {1, -1, Any, func(a []any) (any, error) { return equal(a[0], a[1:]) }},
	"ne": {2, 2, Any, negated(func(a []any) (bool, error) { return equal(a[0], a[1:]) })},
	"lt": {2, 2, Any, func(a []any) (any, error) { return less(a[0], a[1]) }},
	"ge": {2, 2, Any, negated(func(a []any) (bool, error) { return less(a[0], a[1]) })},
	"le": {2, 2, Any, func(a []any) (any, error) { return atMost(a) }},
	"gt": {2, 2, Any, negated(atMost)},
}

func negated(f func([]any) (bool, error)) func([]any) (any, error) {
	return func(a []any) (any, error) {
		is, err := f(a)
		return !is, err
	}
}

func atMost(a []any) (bool, error) {
	if is, err := less(a[0], a[1]); is || err != nil {
		return is, err
	}
	return equal(a[0], a[1:])
}

func length(a []any) (any, error) {
	switch v := a[0].(type) {
	case string:
		return len(v), nil
	case []string:
		return len(v), nil
	}
	return nil, errors.New("it has no length")
}

// position is an index up to a bound.
func position(index any, most int) (int, error) {
	i, ok := index.(int)
	if b, isByte := index.(byte); isByte {
		i, ok = int(b), true
	}
	if !ok {
		return 0, errors.New("no index")
	}
	if i < 0 || i > most {
		return 0, errors.New("index out of range")
	}
	return i, nil
}

func index(a []any) (any, error) {
	item := a[0]
	if item == nil {
		return nil, errors.New("index of untyped nil")
	}
	for _, at := range a[1:] {
		switch v := item.(type) {
		case string:
			i, err := position(at, len(v)-1)
			if err != nil {
				return nil, err
			}
			item = v[i]
		case []string:
			i, err := position(at, len(v)-1)
			if err != nil {
				return nil, err
			}
			item = v[i]
		default:
			return nil, errors.New("it has no index")
		}
	}
	return item, nil
}

func slice(a []any) (any, error) {
	item, at := a[0], a[1:]
	text, isString := item.(string)
	list, isList := item.([]string)
	bounds, most := [3]int{0, len(text) + len(list), cap(list)}, len(text)+cap(list) // one of the two is nothing
	switch {
	case !isString && !isList:
		return nil, errors.New("it cannot be sliced")
	case len(at) > 3 || isString && len(at) > 2:
		return nil, errors.New("too many indexes")
	}
	for i, x := range at {
		var err error
		if bounds[i], err = position(x, most); err != nil {
			return nil, err
		}
	}
	switch {
	case bounds[0] > bounds[1] || isList && bounds[1] > bounds[2]:
		return nil, errors.New("the indexes are in no order")
	case isString:
		return text[bounds[0]:bounds[1]], nil
	}
	return list[bounds[0]:bounds[1]:bounds[2]], nil
}

// class is what can be compared with each other.
type class int

const (
	incomparable class = iota
	truths
	integers
	floats
	complexes
	texts
)

func classOf(value any) class {
	switch value.(type) {
	case bool:
		return truths
	case int, byte:
		return integers
	case float64:
		return floats
	case complex128:
		return complexes
	case string:
		return texts
	}
	return incomparable
}

var errClasses = errors.New("incompatible types for comparison")

// equal tells whether a value equals one of others.
func equal(value any, others []any) (bool, error) {
	if len(others) == 0 {
		return false, errors.New("missing argument for comparison")
	}
	for _, other := range others {
		same, err := equals(value, other)
		if same || err != nil {
			return same, err
		}
	}
	return false, nil
}

func equals(a, b any) (bool, error) {
	switch {
	case classOf(a) == incomparable && classOf(b) == incomparable:
		if isNil(a) || isNil(b) {
			return isNil(a) && isNil(b), nil
		}
		return false, errClasses
	case a == nil || b == nil:
		return false, nil
	case classOf(a) != classOf(b):
		return false, errClasses
	case classOf(a) == integers:
		return integer(a) == integer(b), nil
	}
	return a == b, nil
}

// isNil is true of a list that is not there, too.
func isNil(value any) bool {
	list, isList := value.([]string)
	return value == nil || isList && list == nil
}

func integer(value any) int {
	if b, ok := value.(byte); ok {
		return int(b)
	}
	return value.(int)
}

func less(a, b any) (bool, error) {
	if classOf(a) != classOf(b) {
		return false, errClasses
	}
	switch classOf(a) {
	case integers:
		return integer(a) < integer(b), nil
	case floats:
		return a.(float64) < b.(float64), nil
	case texts:
		return a.(string) < b.(string), nil
	}
	return false, errors.New("invalid type for comparison")
}
