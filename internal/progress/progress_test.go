package progress

import (
	"strings"
	"testing"
	"time"
)

func TestBar(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	now := time.Unix(0, 0)
	drawn := func() string {
		defer out.Reset()
		return out.String()
	}
	b := start(&out, "verifying", 4, func() time.Time { return now })
	if got, want := drawn(), "\r\x1b[Kverifying ["+strings.Repeat("-", 40)+"] 0/4"; got != want {
		t.Errorf("it begins with %q, want %q", got, want)
	}
	b.Step()
	if got := drawn(); got != "" {
		t.Errorf("it is drawn again at once: %q", got)
	}
	now = now.Add(interval)
	b.Step()
	if got, want := drawn(), "\r\x1b[Kverifying ["+strings.Repeat("=", 20)+strings.Repeat("-", 20)+"] 2/4"; got != want {
		t.Errorf("half way it is %q, want %q", got, want)
	}
	for range 3 { // one more than there are
		now = now.Add(interval)
		b.Step()
	}
	if got := drawn(); !strings.HasSuffix(got, strings.Repeat("=", 40)+"] 5/4") {
		t.Errorf("beyond the end it is %q", got)
	}
	b.Remove()
	b.Remove()
	now = now.Add(interval)
	b.Step()
	if got := drawn(); got != "\r\x1b[K" {
		t.Errorf("it ends with %q", got)
	}
}

func TestNoBar(t *testing.T) {
	t.Parallel()
	var b *Bar
	b.Step()
	b.Remove()
	var out strings.Builder
	start(&out, "nothing", 0, time.Now)
	if !strings.HasSuffix(out.String(), "] 0/0") {
		t.Errorf("of nothing it is %q", &out)
	}
}
