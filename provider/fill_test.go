package provider

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestFill(t *testing.T) {
	p := mustOpen(t, Config{
		Load: fromJSON(t, []byte(`{}`)).origin.(loadOrigin), LookupEnv: envOf(map[string]string{
			"DSN": "postgres://x", "USER": "u", "RAW": "bytes", "PORT": "8081", "TTL": "90s", "ON": "true", "RATIO": "0.5",
			"ADDRESS": "192.0.2.1", "SMALL": "200", "EMPTY": "", "POINTER": "7",
		}),
	})
	type level uint8
	var cfg struct {
		DSN     Secret        `vault:"DSN,required"`
		User    string        `vault:"USER"`
		Raw     []byte        `vault:"RAW"`
		Port    int           `vault:"PORT"`
		TTL     time.Duration `vault:"TTL"`
		On      bool          `vault:"ON"`
		Ratio   float32       `vault:"RATIO"`
		Address netip.Addr    `vault:"ADDRESS"`
		Small   level         `vault:"SMALL"`
		Pointer *int64        `vault:"POINTER"`
		Absent  string        `vault:"ABSENT"`
		None    *string       `vault:"ABSENT"`
		Empty   string        `vault:"EMPTY"`
		Kept    int           `vault:"EMPTY"`
		Nested  struct {
			User string `vault:"USER,required"`
		}
		untagged int
		Other    time.Time
	}
	cfg.Absent, cfg.Empty, cfg.Kept, cfg.untagged = "default", "default", 7, 3
	if err := p.Fill(t.Context(), &cfg); err != nil {
		t.Fatal(err)
	}
	if cfg.DSN.Reveal() != "postgres://x" || cfg.User != "u" || string(cfg.Raw) != "bytes" || cfg.Port != 8081 || cfg.TTL != 90*time.Second ||
		!cfg.On || cfg.Ratio != 0.5 || cfg.Address.String() != "192.0.2.1" || cfg.Small != 200 || cfg.Pointer == nil || *cfg.Pointer != 7 {
		t.Errorf("%+v", cfg)
	}
	if cfg.Absent != "default" || cfg.None != nil || cfg.Empty != "" || cfg.Kept != 7 || cfg.Nested.User != "u" || cfg.untagged != 3 {
		t.Errorf("%+v", cfg)
	}
}

// TestFillFaults: all are told at once, by field and name, none by value, and nothing is set.
func TestFillFaults(t *testing.T) {
	const canary = "CANARY-71"
	p := mustOpen(t, Config{LookupEnv: envOf(map[string]string{"A": canary, "B": canary, "E": "", "BIG": "300"})})
	var cfg struct {
		Good    string            `vault:"A"`
		Number  int               `vault:"A"`
		Address netip.Addr        `vault:"B"`
		Wait    time.Duration     `vault:"B"`
		Big     int8              `vault:"BIG"`
		Missing string            `vault:"MISSING,required"`
		Empty   string            `vault:"E,required"`
		Option  string            `vault:"A,requird"`
		Map     map[string]string `vault:"A"`
		Unnamed string            `vault:",required"`
		Deep    struct {
			private string `vault:"A"`
		}
	}
	err := p.Fill(t.Context(), &cfg)
	var missing *MissingError
	if !errors.As(err, &missing) || len(missing.Unset) != 1 || len(missing.Empty) != 1 || !errors.Is(err, ErrFill) {
		t.Fatal(err)
	}
	for _, want := range []string{"Number (A)", "Address (B)", "Wait (B)", "Big (BIG)", "MISSING", "E", "Option (A)", "requird", "Map (A)", "Unnamed", "Deep.private"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
	if strings.Contains(err.Error(), canary) || strings.Contains(err.Error(), "300") {
		t.Errorf("it shows a value: %v", err)
	}
	if cfg.Good != "" || cfg.Deep.private != "" {
		t.Error("something was set in spite of the faults")
	}
	for _, into := range []any{nil, cfg, (*struct{})(nil), new(int)} {
		wantError(t, p.Fill(t.Context(), into), ErrFill)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	wantError(t, p.Fill(ended, &cfg), context.Canceled)
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	wantError(t, p.Fill(t.Context(), &struct{}{}), ErrClosed)
}

// TestFillFromOneSnapshot with the bytes of a vault, which are read-only: a copy is handed out.
func TestFillFromOneSnapshot(t *testing.T) {
	p := fromJSON(t, []byte(`{"RAW":"bytes","N":"5"}`))
	var cfg struct {
		Raw []byte `vault:"RAW"`
		N   uint   `vault:"N"`
	}
	if err := p.View(func(v *View) error { return v.Fill(&cfg) }); err != nil {
		t.Fatal(err)
	}
	cfg.Raw[0] = 'B'
	if string(cfg.Raw) != "Bytes" || cfg.N != 5 || p.Get("RAW") != "bytes" {
		t.Errorf("%+v, %q", cfg, p.Get("RAW"))
	}
}

func TestSecretShowsNothing(t *testing.T) {
	const value = "CANARY-55"
	cfg := struct {
		DSN     Secret
		Pointer *Secret
		Map     map[string]Secret
	}{DSN: value, Map: map[string]Secret{"a": value}}
	cfg.Pointer = &cfg.DSN
	var logged bytes.Buffer
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", "secret", cfg.DSN, "cfg", cfg)
	slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "secret", cfg.DSN, "cfg", cfg)
	texts := []string{logged.String(), cfg.DSN.String(), fmt.Sprint(cfg.DSN), fmt.Errorf("%w %v", errors.New("x"), cfg.DSN).Error()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "% x", "%T-%v"} {
		texts = append(texts, fmt.Sprintf(verb, cfg.DSN), fmt.Sprintf(verb, cfg), fmt.Sprintf(verb, &cfg))
	}
	encoded, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	texts = append(texts, string(encoded))
	for _, text := range texts {
		if strings.Contains(text, value) || strings.Contains(text, fmt.Sprintf("%x", value)) {
			t.Errorf("shown as %s", text)
		}
	}
	if cfg.DSN.Reveal() != value || string(cfg.DSN) != value {
		t.Error("it cannot be taken out")
	}
}
