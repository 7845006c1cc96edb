package posixacl

import (
	"errors"
	"slices"
	"testing"
)

func TestGrants(t *testing.T) {
	list := List{{UserObj, Read | Write, 0}, {User, Read | Write, 1000}, {User, Write, 1001}, {GroupObj, Read, 0}, {Group, Write, 50}, {Mask, Read, 0}, {Other, Write, 0}}
	read, err := Parse(list.Encode())
	if err != nil || !slices.Equal(read, list) {
		t.Fatalf("%v was read as %v: %v", list, read, err)
	}
	if got, want := read.Grants(), []Entry{{User, Read, 1000}, {GroupObj, Read, 0}, {Other, Write, 0}}; !slices.Equal(got, want) {
		t.Errorf("the grants are %v, want %v", got, want)
	}
	if got := (List{{UserObj, Read, 0}, {GroupObj, 0, 0}, {Other, 0, 0}}).Grants(); len(got) > 0 {
		t.Errorf("nobody is granted anything, and yet %v", got)
	}
}

func TestParseRefuses(t *testing.T) {
	list := List{{UserObj, Read, 0}}.Encode()
	for name, raw := range map[string][]byte{
		"nothing": nil, "cut": list[:len(list)-1], "another version": append([]byte{3, 0, 0, 0}, list[4:]...), "another tag": List{{0x40, Read, 0}}.Encode(),
	} {
		if _, err := Parse(raw); !errors.Is(err, ErrForm) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
