package redact_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/mazevault/vault-tool/internal/redact"
)

type holder struct {
	redact.Value
	secret []byte
}

func TestNoVerbShowsTheSecret(t *testing.T) {
	h := &holder{secret: []byte("canary-7fa2")}
	outputs := map[string]string{"Sprint": fmt.Sprint(h), "Stringer": h.String()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%08v", "%t"} {
		outputs[verb+" pointer"] = fmt.Sprintf(verb, h)
		outputs[verb+" value"] = fmt.Sprintf(verb, *h)
		outputs[verb+" nested"] = fmt.Sprintf(verb, struct{ H *holder }{h})
	}
	j, err := json.Marshal(map[string]any{"h": h})
	if err != nil {
		t.Fatal(err)
	}
	outputs["json"] = string(j)
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "h", h)
	slog.New(slog.NewTextHandler(&log, nil)).Info("m", "h", h)
	outputs["slog"] = log.String()

	for how, got := range outputs {
		// The hexadecimal form counts as a leak too.
		if strings.Contains(got, "canary") || strings.Contains(strings.ToLower(got), "63616e617279") || strings.Contains(got, "99 97 110") {
			t.Errorf("%s shows the secret: %s", how, got)
		}
	}
	if got := fmt.Sprintf("%+v", h); got != "[redacted]" {
		t.Errorf("%%+v = %q, want [redacted]", got)
	}
}
