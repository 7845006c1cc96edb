package vaultfile

import "testing"

func TestFromJSON(t *testing.T) {
	src := []byte(`{"B":"x\ny","A":""}`)
	v, err := FromJSON(src)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	if got := content(t, v); len(got) != 2 || got["B"] != "x\ny" || got["A"] != "" {
		t.Errorf("content %q", got)
	}
	if string(src) != `{"B":"x\ny","A":""}` {
		t.Errorf("the source was changed to %q", src)
	}
	for _, bad := range []string{"", "[]", `{"A":1}`, `{"A":"1","A":"2"}`, `{"-":""}`} {
		_, err := FromJSON([]byte(bad))
		wantError(t, err, ErrPayload)
	}
}
