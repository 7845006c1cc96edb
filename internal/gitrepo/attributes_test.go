package gitrepo

import "testing"

func TestAttributeLine(t *testing.T) {
	for path, want := range map[string]string{
		"secrets.vault":        "/secrets.vault x",
		"deploy/secrets.vault": "/deploy/secrets.vault x",
		"#odd!.vault":          "/#odd!.vault x",
		"a b.vault":            `"/a b.vault" x`,
		"a*?[b].vault":         `/a\*\?\[b].vault x`,
		`a"b\c`:                `"/a\"b\\\\c" x`,
		"a\tb":                 `"/a\011b" x`,
		"täg.vault":            "/täg.vault x",
	} {
		if got := AttributeLine(path, "x"); got != want {
			t.Errorf("%q: %s, want %s", path, got, want)
		}
	}
}

func TestLines(t *testing.T) {
	const line = "/secrets.vault diff=x"
	for _, text := range []string{"", "a\n", "a", "a\n\n", "a\r\nb\r\n", "/secrets.vault diff=xy\n", "# /secrets.vault diff=x\n"} {
		added, changed := AddLine([]byte(text), line)
		if !changed || lineAt(added, line) < 0 {
			t.Errorf("%q: %q", text, added)
		}
		if again, changed := AddLine(added, line); changed || string(again) != string(added) {
			t.Errorf("%q: added twice: %q", text, again)
		}
		if left, changed := RemoveLine(added, line); !changed || string(left) != text {
			t.Errorf("%q is %q when the line was added and removed", text, left)
		}
		if left, changed := RemoveLine([]byte(text), line); changed || string(left) != text {
			t.Errorf("%q is %q without a line", text, left)
		}
	}
	for text, want := range map[string]string{
		"a\n" + line + "\nb\n": "a\nb\n", line + "\r\nb\r\n": "b\r\n", line: "", "a\n" + line: "a",
	} {
		if left, _ := RemoveLine([]byte(text), line); string(left) != want {
			t.Errorf("%q becomes %q", text, left)
		}
	}
}
