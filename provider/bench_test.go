package provider

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"runtime"
	"strings"
	"testing"
)

// benchmarkSizes are the numbers of secrets for which lookups are to cost the same.
var benchmarkSizes = []int{27, 100_000}

func forSizes(b *testing.B, run func(b *testing.B, p *Provider, names []string)) {
	for _, n := range benchmarkSizes {
		b.Run(fmt.Sprintf("secrets=%d", n), func(b *testing.B) {
			p := fromJSON(b, payloadOf(n))
			names := p.Names()
			b.ReportAllocs()
			b.ResetTimer()
			run(b, p, names)
		})
	}
}

func nothing([]byte) error { return nil }

// BenchmarkUse looks up one secret, as a service does that has a few.
func BenchmarkUse(b *testing.B) {
	forSizes(b, func(b *testing.B, p *Provider, names []string) {
		name := names[len(names)/2]
		for b.Loop() {
			if err := p.Use(name, nothing); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkUseAll looks up all secrets in random order. Among 100,000 each lookup waits for the index's
// memory. The names asked for stand in the order of asking, so that the caller's own memory is not measured.
func BenchmarkUseAll(b *testing.B) {
	forSizes(b, func(b *testing.B, p *Provider, names []string) {
		rand.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		names = strings.Fields(strings.Join(names, " "))
		b.ResetTimer()
		for i := 0; b.Loop(); i++ {
			if i == len(names) {
				i = 0
			}
			if err := p.Use(names[i], nothing); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkUseParallel(b *testing.B) {
	forSizes(b, func(b *testing.B, p *Provider, names []string) {
		b.SetParallelism(max(1, 8/runtime.GOMAXPROCS(0)))
		b.RunParallel(func(pb *testing.PB) {
			for i := 0; pb.Next(); i++ {
				if err := p.Use(names[i%27], nothing); err != nil {
					b.Error(err)
					return
				}
			}
		})
	})
}

func BenchmarkGet(b *testing.B) {
	forSizes(b, func(b *testing.B, p *Provider, names []string) {
		name := names[len(names)/2]
		for b.Loop() {
			if p.Get(name) == "" {
				b.Fatal("empty")
			}
		}
	})
}

func BenchmarkGetParallel(b *testing.B) {
	forSizes(b, func(b *testing.B, p *Provider, names []string) {
		b.SetParallelism(max(1, 8/runtime.GOMAXPROCS(0)))
		b.RunParallel(func(pb *testing.PB) {
			for i := 0; pb.Next(); i++ {
				if p.Get(names[i%27]) == "" {
					b.Error("empty")
					return
				}
			}
		})
	})
}

// BenchmarkGetEnvironment is the way through the vault to the environment.
func BenchmarkGetEnvironment(b *testing.B) {
	b.Setenv("PROVIDER_BENCHMARK", "value")
	p := mustOpen(b, Config{})
	b.ReportAllocs()
	for b.Loop() {
		if p.Get("PROVIDER_BENCHMARK") == "" {
			b.Fatal("empty")
		}
	}
}

// BenchmarkReload is what a reload costs, without the opening of the file.
func BenchmarkReload(b *testing.B) {
	forSizes(b, func(b *testing.B, p *Provider, _ []string) {
		for b.Loop() {
			if _, err := p.Reload(context.Background()); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// TestAllocations: Use makes none for the vault and a copy for the environment, Get the string, at any size.
func TestAllocations(t *testing.T) {
	t.Setenv("PROVIDER_TEST_ALLOCATIONS", "of the environment")
	for _, n := range benchmarkSizes {
		p := fromJSON(t, payloadOf(n))
		p.lookupEnv = mustOpen(t, Config{}).lookupEnv
		name := p.Names()[n/2]
		length := 0
		add := func(secret []byte) error { length += len(secret); return nil }
		for what, tt := range map[string]struct {
			want float64
			run  func()
		}{
			"Use":                      {0, func() { _ = p.Use(name, add) }},
			"Use of a closure":         {0, func() { _ = p.Use(name, func(secret []byte) error { length += len(secret); return nil }) }},
			"Use of the environment":   {1, func() { _ = p.Use("PROVIDER_TEST_ALLOCATIONS", add) }},
			"Get":                      {1, func() { length += len(p.Get(name)) }},
			"Get of the environment":   {0, func() { length += len(p.Get("PROVIDER_TEST_ALLOCATIONS")) }},
			"Get of what is not set":   {0, func() { length += len(p.Get("PROVIDER_TEST_NOT_SET")) }},
			"SourceOf":                 {0, func() { _, _ = p.SourceOf(name) }},
			"Require of what is there": {0, func() { _ = p.Require(name, name) }},
		} {
			if got := testing.AllocsPerRun(100, tt.run); got != tt.want {
				t.Errorf("%d secrets, %s: %v allocations, want %v", n, what, got, tt.want)
			}
		}
	}
}

// TestLinksNoCloudSDK: a service that imports the provider has no store's SDK in it.
func TestLinksNoCloudSDK(t *testing.T) {
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("no go tool:", err)
	}
	out, err := exec.Command(goTool, "list", "-deps", ".").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	packages := strings.Fields(string(out))
	if len(packages) < 10 {
		t.Fatalf("only %q", packages)
	}
	for _, path := range packages {
		for _, word := range []string{"azure", "aws", "cloud.google", "hashicorp", "compose-spec"} {
			if strings.Contains(strings.ToLower(path), word) {
				t.Errorf("links %s", path)
			}
		}
	}
}
