package provider

import (
	"context"
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// fillTag is the key of the struct tags that Fill reads.
const fillTag = "vault"

// ErrFill: a struct cannot be filled, because its tags or types are not such as [Provider.Fill] knows, or a value does not have the
// form that its field asks for.
var ErrFill = errors.New("provider: cannot fill the struct")

// Fill sets the fields of the struct that into points to, out of one snapshot:
//
//	var cfg struct {
//		DSN     provider.Secret `vault:"DATABASE_URL,required"`
//		Port    int             `vault:"PORT"`
//		Timeout time.Duration   `vault:"TIMEOUT"`
//	}
//	cfg.Port = 8080 // stays, where PORT is not set
//	err := secrets.Fill(ctx, &cfg)
//
// A field may be a string, a [Secret], a []byte (a copy, in ordinary memory), a bool, an integer or a floating-point number in
// the forms of package strconv, a time.Duration, or anything whose pointer is an encoding.TextUnmarshaler; or a pointer to one of
// these. A struct without a tag is filled in its turn. A field stays as it is where its secret is not set, or is set to nothing
// and the field is no string. With "required" a secret without a value is an error, as with [Provider.Require].
//
// All faults are reported at once, by field and name and never by value, and nothing is set then: a [MissingError],
// ErrFill for each of the others; or [ErrClosed] or ctx's error.
func (p *Provider) Fill(ctx context.Context, into any) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return p.View(func(v *View) error { return v.Fill(into) })
}

// Fill is [Provider.Fill] in this snapshot.
func (v *View) Fill(into any) error {
	target := reflect.ValueOf(into)
	if target.Kind() != reflect.Pointer || target.IsNil() || target.Elem().Kind() != reflect.Struct {
		return fmt.Errorf("%w: a pointer to a struct is needed, not %T", ErrFill, into)
	}
	if !v.enter() {
		return ErrClosed
	}
	defer v.leave()
	f := filling{lookups: &v.lookups}
	f.structure(target.Elem(), "")
	failures := f.failures
	if err := v.lookups.require(f.required...); err != nil {
		failures = append([]error{err}, failures...)
	}
	if len(failures) > 0 {
		return errors.Join(failures...)
	}
	for _, set := range f.sets {
		set()
	}
	return nil
}

// filling collects what a struct asks for and what is to be set.
type filling struct {
	lookups  *reader
	required []string
	sets     []func()
	failures []error
}

func (f *filling) fail(path, name, format string, args ...any) {
	where := "field " + path
	if name != "" {
		where += " (" + printable(name) + ")"
	}
	f.failures = append(f.failures, fmt.Errorf("%w: %s %s", ErrFill, where, fmt.Sprintf(format, args...)))
}

// structure goes through the fields. path is that of the struct in the one that is filled, with a dot at its end.
func (f *filling) structure(s reflect.Value, path string) {
	for i := range s.NumField() {
		field := s.Type().Field(i)
		tag, tagged := field.Tag.Lookup(fillTag)
		switch at := path + field.Name; {
		case !tagged && field.Type.Kind() == reflect.Struct && (field.IsExported() || field.Anonymous):
			f.structure(s.Field(i), at+".")
		case !tagged:
		case !field.IsExported():
			f.fail(at, "", "has a tag, but is not exported")
		default:
			f.field(s.Field(i), at, tag)
		}
	}
}

// field finds the value for one field.
func (f *filling) field(field reflect.Value, path, tag string) {
	name, options, _ := strings.Cut(tag, ",")
	if name == "" {
		f.fail(path, "", "has a tag without a name")
		return
	}
	switch options {
	case "":
	case "required":
		f.required = append(f.required, name)
	default:
		f.fail(path, name, "has the tag option %q; there is only \"required\"", options)
		return
	}
	value := reflect.New(field.Type()).Elem()
	parse := parserOf(value)
	if parse == nil {
		f.fail(path, name, "is of type %v, which cannot be filled", field.Type())
		return
	}
	err := f.lookups.useCopy(name, parse) // a parser may work in place
	switch {
	case errors.Is(err, ErrNotFound) || errors.Is(err, errNoValue):
	case errors.Is(err, ErrReference):
		f.failures = append(f.failures, err)
	case err != nil: // its text may quote the value
		f.fail(path, name, "is of type %v, and the value does not have its form", field.Type())
	default:
		f.sets = append(f.sets, func() { field.Set(value) })
	}
}

// errNoValue is a parser's answer to an empty value that has no meaning for its type.
var errNoValue = errors.New("provider: no value")

// parserOf returns what sets value from the bytes of a secret, nil where its type is none that can be filled.
func parserOf(value reflect.Value) func(secret []byte) error {
	if value.Kind() == reflect.Pointer {
		inner := reflect.New(value.Type().Elem())
		parse := parserOf(inner.Elem())
		if parse == nil {
			return nil
		}
		return func(secret []byte) error {
			value.Set(inner)
			return parse(secret)
		}
	}
	if text, ok := value.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return unlessEmpty(text.UnmarshalText)
	}
	switch value.Kind() {
	case reflect.String:
		return func(secret []byte) error { value.SetString(string(secret)); return nil }
	case reflect.Slice:
		if value.Type().Elem().Kind() == reflect.Uint8 {
			return func(secret []byte) error { value.SetBytes(append([]byte{}, secret...)); return nil }
		}
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Float32, reflect.Float64:
		return unlessEmpty(func(secret []byte) error { return parseNumber(value, string(secret)) })
	}
	return nil
}

func unlessEmpty(parse func([]byte) error) func([]byte) error {
	return func(secret []byte) error {
		if len(secret) == 0 {
			return errNoValue
		}
		return parse(secret)
	}
}

func parseNumber(value reflect.Value, text string) error {
	switch {
	case value.Type() == reflect.TypeFor[time.Duration]():
		d, err := time.ParseDuration(text)
		value.SetInt(int64(d))
		return err
	case value.Kind() == reflect.Bool:
		b, err := strconv.ParseBool(text)
		value.SetBool(b)
		return err
	case value.CanInt():
		n, err := strconv.ParseInt(text, 10, value.Type().Bits())
		value.SetInt(n)
		return err
	case value.CanUint():
		n, err := strconv.ParseUint(text, 10, value.Type().Bits())
		value.SetUint(n)
		return err
	}
	x, err := strconv.ParseFloat(text, value.Type().Bits())
	value.SetFloat(x)
	return err
}
