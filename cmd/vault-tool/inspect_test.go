package main

import (
	"maps"
	"strings"
	"testing"
)

// TestInspectListsWhatOthersHide: names that an earlier version allowed, and entries of a later one, without their values.
func TestInspectListsWhatOthersHide(t *testing.T) {
	t.Parallel()
	f := newFolder(t, true)
	f.mustRun("", "init")
	f.mustRun(`{"A":"1"}`, "encrypt")
	payload := maps.Clone(theToolsOwn)
	payload["A"], payload[".later/x"] = "1", `{"kind":2,"v":7}`
	f.sealPayload(payload)

	r := f.run("", "inspect")
	for _, want := range []string{"not allowed  .a-later-kind/x/y, .refs/SMTP_PASSWORD:", "unknown      .history/A, .later/x:", "history      none is kept"} {
		if r.code != exitOK || !strings.Contains(r.stdout, want) {
			t.Errorf("inspect does not say %q: exit %d\n%s%s", want, r.code, r.stdout, r.stderr)
		}
	}
	if strings.Contains(r.stdout, "hunter2") {
		t.Error("inspect prints a value")
	}

	payload["../x"] = "1"
	f.sealPayload(payload)
	r = f.run("", "inspect")
	if want := `name "../x"`; r.code != exitOK || !strings.Contains(r.stdout, want) {
		t.Errorf("inspect does not say %q of a content that is not valid: exit %d\n%s%s", want, r.code, r.stdout, r.stderr)
	}
}
