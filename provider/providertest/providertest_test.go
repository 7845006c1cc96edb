package providertest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/mazevault/vault-tool/provider"
	"github.com/mazevault/vault-tool/provider/providertest"
)

func TestNew(t *testing.T) {
	t.Setenv("PROVIDERTEST_ENV", "not seen")
	content := map[string]string{"A": "1", "EMPTY": "", "LINES": "x\n\"y\"\u2028"}
	s := providertest.New(t, content)
	content["A"] = "changed behind its back"
	for name, want := range map[string]string{"A": "1", "EMPTY": "", "LINES": "x\n\"y\"\u2028"} {
		if value, source, err := s.Lookup(name); value != want || source != provider.FromVault || err != nil {
			t.Errorf("%s: %q, %v, %v", name, value, source, err)
		}
	}
	if _, source, _ := s.Lookup("PROVIDERTEST_ENV"); source != provider.FromNone {
		t.Errorf("the environment is seen: %v", source)
	}
	if got := providertest.New(t, nil).Names(); len(got) != 0 {
		t.Errorf("names of nothing: %q", got)
	}
	env := provider.WithLookupEnv(func(name string) (string, bool) { return "e", name == "E" })
	if got := providertest.New(t, nil, env).Get("E"); got != "e" {
		t.Errorf("E is %q", got)
	}
}

func TestSetAndFail(t *testing.T) {
	s := providertest.New(t, map[string]string{"A": "1", "B": "1"})
	changes := make(chan provider.Change, 10)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- s.Watch(ctx, func(c provider.Change) { changes <- c }) }()
	defer func() { cancel(); <-done }()

	s.Set(map[string]string{"A": "2", "C": "1"})
	if s.Get("A") != "2" || s.Get("B") != "" {
		t.Error("Set is not in service when it returns")
	}
	for { // the watcher may have come too late for the first
		s.Set(map[string]string{"A": time.Now().String()})
		select {
		case <-changes:
		case <-time.After(10 * time.Millisecond):
			continue
		}
		break
	}
	failure := errors.New("of the test")
	s.Fail(failure)
	s.Fail(failure)
	for c := range changes {
		if c.Err == nil {
			continue
		}
		if !errors.Is(c.Err, failure) {
			t.Errorf("%+v", c)
		}
		break
	}
	if s.Get("A") == "" {
		t.Error("the last snapshot is gone after a failure")
	}
}

// TestPrintsRedacted: the map it is made of does not show either.
func TestPrintsRedacted(t *testing.T) {
	s := providertest.New(t, map[string]string{"NAME_IN_IT": "value in it"})
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		if got := fmt.Sprintf(verb, s); got != "[redacted]" {
			t.Errorf("%s prints %s", verb, got)
		}
	}
	if encoded, err := json.Marshal(s); err != nil || string(encoded) != `"[redacted]"` {
		t.Errorf("as JSON %s, %v", encoded, err)
	}
}

func TestPrepare(t *testing.T) {
	s := providertest.New(t, map[string]string{"PASSWORD": "old"})
	s.Prepare(map[string]string{"PASSWORD": "new"})
	var tried []string
	err := s.WithRotation(t.Context(), "PASSWORD", func(_ context.Context, secret []byte) error {
		tried = append(tried, string(secret))
		if string(secret) != "new" {
			return errors.New("denied")
		}
		return nil
	}, nil)
	if err != nil || !slices.Equal(tried, []string{"old", "new"}) {
		t.Errorf("%q, %v", tried, err)
	}
}
