package provider

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/mazevault/vault-tool/keysource"
	"github.com/mazevault/vault-tool/vaultfile"
)

func TestReload(t *testing.T) {
	s := newSite(t, map[string]string{"A": "1", "B": "2", "C": "3"})
	p := mustOpen(t, s.config())
	c, err := p.Reload(t.Context())
	if wantChange(t, c, nil, nil, nil); err != nil {
		t.Error(err)
	}
	s.update(t, map[string]string{"A": "-", "B": "other", "D": "4", "E": ""})
	c, err = p.Reload(t.Context())
	if wantChange(t, c, []string{"D", "E"}, []string{"B"}, []string{"A"}); err != nil {
		t.Error(err)
	}
	if p.Get("B") != "other" || p.Get("A") != "" || p.Get("D") != "4" || p.Get("C") != "3" {
		t.Error("the reload is not in service")
	}
}

func TestReloadWithoutAVault(t *testing.T) {
	p := mustOpen(t, Config{LookupEnv: envOf(map[string]string{"A": "1"})})
	if c, err := p.Reload(t.Context()); err != nil || c.names() || p.Get("A") != "1" {
		t.Errorf("%+v, %v", c, err)
	}
}

// TestBadVaultKeepsTheLastSnapshot: whatever is wrong with the new file, the old content serves on.
func TestBadVaultKeepsTheLastSnapshot(t *testing.T) {
	s := newSite(t, map[string]string{"A": "1"})
	other := newSite(t, map[string]string{"A": "of another key"})
	p := mustOpen(t, s.config())
	for name, tt := range map[string]struct {
		damage func()
		want   error
	}{
		"vault gone":     {func() { rename(t, s.vault, s.vault+".x") }, vaultfile.ErrNotExist},
		"truncated":      {func() { writeFile(t, s.vault, "MVT1") }, vaultfile.ErrTooSmall},
		"not a vault":    {func() { writeFile(t, s.vault, strings.Repeat("x", 100)) }, vaultfile.ErrNotVault},
		"another key's":  {func() { rename(t, other.vault, s.vault) }, vaultfile.ErrDecryption},
		"key gone":       {func() { rename(t, s.key, s.key+".x") }, keysource.ErrStat},
		"key of another": {func() { rename(t, other.key, s.key) }, vaultfile.ErrDecryption},
		"key empty":      {func() { rename(t, s.key, s.key+".x"); writeFile(t, s.key, "\n") }, keysource.ErrEmpty},
	} {
		t.Run(name, func(t *testing.T) {
			good := readAll(t, s)
			tt.damage()
			for range 2 {
				c, err := p.Reload(t.Context())
				wantError(t, err, tt.want)
				if wantError(t, c.Err, tt.want); c.names() || p.Get("A") != "1" {
					t.Errorf("change %+v, A is %q", c, p.Get("A"))
				}
			}
			good.restore(t, s)
			if c, err := p.Reload(t.Context()); err != nil || c.names() || p.Get("A") != "1" {
				t.Errorf("after the repair: %+v, %v", c, err)
			}
		})
	}
}

// TestDamageThatLeavesTheIdentity: a byte that changes between the header and the tag is told at the next look, and
// again until the file is whole.
func TestDamageThatLeavesTheIdentity(t *testing.T) {
	s := newSite(t, map[string]string{"A": "a value of some length"})
	p := mustOpen(t, s.config())
	good := readAll(t, s)
	before, err := vaultfile.Identify(s.vault)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(s.vault)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)-20] ^= 1 // the tag is the last 16 bytes
	rename(t, s.vault, s.vault+".x")
	writeFile(t, s.vault, string(data))
	if after, err := vaultfile.Identify(s.vault); err != nil || after != before {
		t.Fatalf("the damage shows in the identity, or %v", err)
	}
	for range 2 {
		_, err := p.refresh(t.Context(), false)
		wantError(t, err, vaultfile.ErrDecryption)
		if p.Get("A") != "a value of some length" {
			t.Error("the good snapshot is gone")
		}
	}
	good.restore(t, s)
	if _, err := p.refresh(t.Context(), false); err != nil {
		t.Error(err)
	}
}

// TestReloadDerivesNothing: a vault that was rewritten under the same key opens without the passphrase,
// so without a derivation.
func TestReloadDerivesNothing(t *testing.T) {
	s := newSite(t, map[string]string{"A": "1"})
	source := &countingSource{Source: keysource.NewFile(s.key)}
	c := s.config()
	c.Source = source
	p := mustOpen(t, c)
	opened := source.reads.Load()
	for _, value := range []string{"2", "3", "4"} {
		s.update(t, map[string]string{"A": value})
		if _, err := p.refresh(t.Context(), false); err != nil || p.Get("A") != value {
			t.Fatalf("%q, %v", p.Get("A"), err)
		}
	}
	if reads := source.reads.Load(); opened != 1 || reads != opened {
		t.Errorf("the passphrase was read %d times for the opening and %d times for three reloads", opened, reads-opened)
	}
}

// TestProblemOfTheSourceLasts: what Reload found out about a key that is in no file is not over because
// the next look, which is cheaper, does not ask.
func TestProblemOfTheSourceLasts(t *testing.T) {
	s := newSite(t, map[string]string{"A": "1"})
	source := &failingSource{Source: keysource.NewFile(s.key)}
	c := s.config()
	c.Source = source
	p := mustOpen(t, c)
	source.failure = errors.New("access denied")
	_, err := p.Reload(t.Context())
	wantError(t, err, source.failure)
	_, err = p.refresh(t.Context(), false)
	if wantError(t, err, source.failure); p.Get("A") != "1" {
		t.Errorf("A is %q", p.Get("A"))
	}
	source.failure = nil
	for range 2 {
		if _, err = p.refresh(t.Context(), false); err != nil {
			t.Error(err)
		}
	}
}

type failingSource struct {
	keysource.Source
	failure error
}

func (s *failingSource) Passphrase(ctx context.Context, use func([]byte) error) error {
	if s.failure != nil {
		return s.failure
	}
	return s.Source.Passphrase(ctx, use)
}

// TestReloadDuringARotation: between the re-encryption of the vault and the renaming of its new key, as in
// the manual rotation with vault.key.new, a reload works, and a start too.
func TestReloadDuringARotation(t *testing.T) {
	s := newSite(t, map[string]string{"A": "1"})
	p := mustOpen(t, s.config())
	next := vaultfile.NewUnlocker(keysource.NewFile(s.key + keysource.SuccessorSuffix))
	defer next.Close()
	_, err := vaultfile.Rekey(t.Context(), s.vault, s.unlocker, next, vaultfile.RekeyOptions{
		Prepare: func() error { return keysource.GenerateSuccessor(s.key) },
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, rename := range []func(){func() {}, func() { rename(t, s.key+keysource.SuccessorSuffix, s.key) }} {
		rename()
		if _, err := p.Reload(t.Context()); err != nil || p.Get("A") != "1" {
			t.Errorf("%q, %v", p.Get("A"), err)
		}
		if started, err := Open(t.Context(), s.config()); err != nil {
			t.Error(err)
		} else if err := started.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestReloadForgetsTheKeyBefore: after a rotation nothing opens that only the old key opens, though it
// once did. Whoever has got hold of the old key would otherwise go on writing vaults for the service.
func TestReloadForgetsTheKeyBefore(t *testing.T) {
	s := newSite(t, map[string]string{"A": "1"})
	source := &countingSource{Source: keysource.NewFile(s.key)}
	c := s.config()
	c.Source = source
	p := mustOpen(t, c)
	before, err := os.ReadFile(s.vault)
	if err != nil {
		t.Fatal(err)
	}
	s.rotate(t)
	s.update(t, map[string]string{"A": "2"})
	if _, err := p.refresh(t.Context(), false); err != nil || p.Get("A") != "2" {
		t.Fatalf("after the rotation: %q, %v", p.Get("A"), err)
	}
	after := readAll(t, s)
	writeFile(t, s.vault+".before", string(before))
	rename(t, s.vault+".before", s.vault)
	for range 2 {
		_, err = p.refresh(t.Context(), false)
		if wantError(t, err, vaultfile.ErrDecryption); p.Get("A") != "2" {
			t.Errorf("A is %q, of a vault that only the old key opens", p.Get("A"))
		}
	}
	reads := source.reads.Load()
	after.restore(t, s)
	s.update(t, map[string]string{"A": "3"})
	if _, err := p.refresh(t.Context(), true); err != nil || p.Get("A") != "3" {
		t.Errorf("after the repair: %q, %v", p.Get("A"), err)
	}
	if n := source.reads.Load() - reads; n != 1 { // of the thorough refresh, which checks
		t.Errorf("the passphrase was read %d times for the repaired vault, want once", n)
	}
}

type countingSource struct {
	keysource.Source
	reads atomic.Int64
}

func (s *countingSource) Passphrase(ctx context.Context, use func([]byte) error) error {
	s.reads.Add(1)
	return s.Source.Passphrase(ctx, use)
}

// TestReloadEndsWithItsContext: one that waits for another, and one whose source hangs.
func TestReloadEndsWithItsContext(t *testing.T) {
	s := newSite(t, map[string]string{"A": "1"})
	hanging := &hangingSource{Source: keysource.NewFile(s.key), entered: make(chan struct{}, 1)}
	c := s.config()
	c.Source = hanging
	p := mustOpen(t, c)
	hanging.hang.Store(true)

	hung := make(chan error, 1)
	reload := func(ctx context.Context) {
		_, err := p.Reload(ctx)
		hung <- err
	}
	ctx, cancel := context.WithCancel(t.Context())
	go reload(ctx)
	<-hanging.entered
	cancel()
	wantError(t, <-hung, context.Canceled)

	go reload(context.Background())
	<-hanging.entered
	_, err := p.Reload(ctx)
	wantError(t, err, context.Canceled)
	if status, err := p.Status(); err != nil || status.Problem != nil {
		t.Errorf("a context that ended is taken for a problem of the vault: %v, %v", status.Problem, err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	wantError(t, <-hung, ErrClosed)
}

type hangingSource struct {
	keysource.Source
	hang    atomic.Bool
	entered chan struct{}
}

func (s *hangingSource) Passphrase(ctx context.Context, use func([]byte) error) error {
	if s.hang.Load() {
		s.entered <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	}
	return s.Source.Passphrase(ctx, use)
}

func TestWithRotation(t *testing.T) {
	denied, broken := errors.New("access denied"), errors.New("connection refused")
	isDenied := func(err error) bool { return errors.Is(err, denied) }
	for name, tt := range map[string]struct {
		change    map[string]string // made to the vault while use runs for the first time
		away      bool              // the vault is gone then
		accepts   string            // the value for which use has no error
		fails     error             // its error for others
		isAuth    func(error) bool
		wantCalls int
		want      error
	}{
		"works":                   {accepts: "1", isAuth: isDenied, wantCalls: 1},
		"changed":                 {change: map[string]string{"A": "2"}, accepts: "2", fails: denied, isAuth: isDenied, wantCalls: 2},
		"any error counts":        {change: map[string]string{"A": "2"}, accepts: "2", fails: broken, wantCalls: 2},
		"changed, and not right":  {change: map[string]string{"A": "2"}, accepts: "3", fails: denied, isAuth: isDenied, wantCalls: 2, want: denied},
		"not changed":             {accepts: "2", fails: denied, isAuth: isDenied, wantCalls: 1, want: denied},
		"another one changed":     {change: map[string]string{"B": "2"}, accepts: "2", fails: denied, isAuth: isDenied, wantCalls: 1, want: denied},
		"not of authentication":   {change: map[string]string{"A": "2"}, accepts: "2", fails: broken, isAuth: isDenied, wantCalls: 1, want: broken},
		"removed":                 {change: map[string]string{"A": "-"}, accepts: "2", fails: denied, isAuth: isDenied, wantCalls: 1, want: denied},
		"vault cannot be read":    {away: true, accepts: "2", fails: denied, isAuth: isDenied, wantCalls: 1, want: denied},
		"which the error tells":   {away: true, accepts: "2", fails: denied, isAuth: isDenied, wantCalls: 1, want: vaultfile.ErrNotExist},
		"right, and nobody asked": {change: map[string]string{"A": "2"}, accepts: "1", isAuth: isDenied, wantCalls: 1},
	} {
		t.Run(name, func(t *testing.T) {
			content := map[string]string{"A": "1", "B": "1"}
			var failure error
			p := mustOpen(t, Config{LookupEnv: noEnv, Load: func(context.Context) (*vaultfile.Vault, error) {
				if failure != nil {
					return nil, failure
				}
				payload, err := json.Marshal(content)
				if err != nil {
					return nil, err
				}
				return vaultfile.FromJSON(payload)
			}})
			calls := 0
			err := p.WithRotation(t.Context(), "A", func(_ context.Context, secret []byte) error {
				if calls++; calls == 1 {
					maps.Copy(content, tt.change)
					maps.DeleteFunc(content, func(_, value string) bool { return value == "-" })
					if tt.away {
						failure = vaultfile.ErrNotExist
					}
				}
				if string(secret) == tt.accepts {
					return nil
				}
				return tt.fails
			}, tt.isAuth)
			if !errors.Is(err, tt.want) || tt.want == nil && err != nil || calls != tt.wantCalls {
				t.Errorf("%d calls, error %v; want %d, %v", calls, err, tt.wantCalls, tt.want)
			}
		})
	}
}

// TestWithRotationReadsTheFile: the same with a vault file, which nobody watches.
func TestWithRotationReadsTheFile(t *testing.T) {
	s := newSite(t, map[string]string{"A": "1"})
	p := mustOpen(t, s.config())
	s.update(t, map[string]string{"A": "2"})
	calls := 0
	err := p.WithRotation(t.Context(), "A", func(_ context.Context, secret []byte) error {
		if calls++; string(secret) != "2" {
			return errors.New("denied")
		}
		return nil
	}, nil)
	if err != nil || calls != 2 {
		t.Errorf("%d calls, %v", calls, err)
	}
}

func TestWithRotationOfTheEnvironment(t *testing.T) {
	env := map[string]string{"A": "1"}
	p := mustOpen(t, Config{LookupEnv: envOf(env)})
	var seen []string
	err := p.WithRotation(t.Context(), "A", func(_ context.Context, secret []byte) error {
		seen = append(seen, string(secret))
		env["A"] = "2"
		if string(secret) == "2" {
			return nil
		}
		return errors.New("denied")
	}, nil)
	if err != nil || strings.Join(seen, " ") != "1 2" {
		t.Errorf("%q, %v", seen, err)
	}
	wantError(t, p.WithRotation(t.Context(), "B", nil, nil), ErrNotFound)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	wantError(t, p.WithRotation(ctx, "A", nil, nil), context.Canceled)
}
