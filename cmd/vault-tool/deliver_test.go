package main

import (
	"strings"
	"testing"
)

// TestUnknownRecordsAreNotDelivered: where a later version has written down whether a secret is a reference, its text may be no value.
func TestUnknownRecordsAreNotDelivered(t *testing.T) {
	t.Parallel()
	f := newFolder(t, true)
	f.mustRun("", "init")
	f.mustRun(`{"A":"1","B":"2"}`, "encrypt")
	payload := map[string]string{"A": "akv://corp/a", "B": "hunter2", ".refs/A": `{"later":true,"v":2}`, ".stores/corp": `{"type":"later","v":1}`}
	f.sealPayload(payload)
	for _, args := range [][]string{
		{"get", "A"}, {"exec", "--", "env"}, {"render", "--dir", "out", "--allow-disk"}, {"render", "--watch", "--dir", "out", "--allow-disk"},
		{"export", "--format", "sh"}, {"list", "--refs"}, {"unlink", "A"}, {"copy", "A", "C"}, {"store", "show", "corp"},
	} {
		r := f.run("", append([]string{args[0], "--json"}, args[1:]...)...)
		if r.code != exitFailed || r.stdout != "" || !strings.Contains(r.stderr, `"kind":"`+kindLaterVersion+`"`) {
			t.Errorf("vault-tool %q: exit %d, %s%s", args, r.code, r.stdout, r.stderr)
		}
	}
	f.wantKept(payload)

	if r := f.run("", "get", "B"); r.stdout != "hunter2" { // of the others it is known
		t.Errorf("exit %d, %s%s", r.code, r.stdout, r.stderr)
	}
}
