package main

import (
	"maps"
	"strings"
	"testing"
)

// TestExaminationListsWhatOthersHide: names that an earlier version allowed, and entries of a later one, without their values.
func TestExaminationListsWhatOthersHide(t *testing.T) {
	t.Parallel()
	f := newFolder(t, true)
	f.mustRun("", "init")
	f.mustRun(`{"A":"1"}`, "encrypt")
	payload := maps.Clone(theToolsOwn)
	payload["A"], payload[".later/x"] = "1", `{"kind":2,"v":7}`
	f.sealPayload(payload)

	r := f.run("", "inspect")
	for _, want := range []string{"not allowed  .a-later-kind/x/y, .pulled/SMTP_PASSWORD:", "unknown      .history/A, .later/x:", "history      none is kept"} {
		if r.code != exitOK || !strings.Contains(r.stdout, want) {
			t.Errorf("inspect does not say %q: exit %d\n%s%s", want, r.code, r.stdout, r.stderr)
		}
	}
	if strings.Contains(r.stdout, "hunter2") {
		t.Error("inspect prints a value")
	}
	r = f.run("", "doctor")
	for _, want := range []string{"warn   name-not-allowed: .a-later-kind/x/y, .pulled/SMTP_PASSWORD\n", "info   entry-unknown: .history/A, .later/x\n"} {
		if !strings.Contains(r.stdout, want) || strings.Contains(r.stdout, "hunter2") {
			t.Errorf("doctor does not say %q: exit %d\n%s%s", want, r.code, r.stdout, r.stderr)
		}
	}

	payload["../x"] = "1"
	f.sealPayload(payload)
	r = f.run("", "inspect")
	if want := `name "../x"`; r.code != exitOK || !strings.Contains(r.stdout, want) {
		t.Errorf("inspect does not say %q of a content that is not valid: exit %d\n%s%s", want, r.code, r.stdout, r.stderr)
	}
	r = f.run("", "doctor")
	if want := "error  bad-content: secrets.vault\n"; r.code == exitOK || !strings.Contains(r.stdout, want) {
		t.Errorf("doctor does not say %q: exit %d\n%s%s", want, r.code, r.stdout, r.stderr)
	}
}
