package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/mazevault/vault-tool/kdf"
)

// comparison is a ratio to be measured: the time of a to that of b.
type comparison struct {
	name string
	a, b command
	goal float64 // 0: none
	cpu  bool    // the processor's time counts, not the clock's
	fold int     // measured so many times as often as others, because it takes so little
	part int     // measured one in so many times, because it takes so much
}

func comparisons(w world, p probes) []comparison {
	small, large := w.small, w.large
	return []comparison{
		{name: "list / argon2 program", a: small.list(), b: p.argon2, goal: 0.33},
		{name: "list on one thread / argon2 program", a: small.list().with("GOMAXPROCS=1"), b: p.argon2, goal: 0.6},
		{name: "processor time of list / argon2 program", a: small.list(), b: p.argon2, goal: 0.32, cpu: true},
		{name: "list without our Argon2id / argon2 program", a: small.list().with("VAULT_TOOL_ARGON2=generic"), b: p.argon2},
		{name: "list / plain x/crypto", a: small.list(), b: p.plain},
		{name: "add / list", a: small.add(), b: small.list(), goal: 1.15},
		{name: "rotate-key --in-place / list", a: small.rotate(), b: small.list(), goal: 1.8},
		{name: "list of 100,000 / list", a: large.list(), b: small.list(), goal: 1.4},
		{name: "add to 100,000 / add", a: large.add(), b: small.add(), goal: 2},
		{name: "list of 100,000 with records / list", a: w.recorded.list(), b: small.list(), goal: 2},
		{name: "list of 100,000 with ten versions each / list", a: w.tenfold.list(), b: small.list(), goal: 5},
		{name: "apply of 1,000 changes / list", a: w.thousand.apply(), b: small.list(), goal: 1.3},
		{name: "diff of two vaults / list", a: w.smallOff.diff(), b: w.smallOff.list(), goal: 1.1},
		{name: "encrypt of 100,000 / list of 100,000", a: large.encryptFresh(), b: large.list(), goal: 3},
		{name: "version / empty Go program", a: small.command("version"), b: p.empty, goal: 2, fold: 10},
	}
}

// printSpeed makes the comparisons and prints a line for each.
func printSpeed(out io.Writer, all []comparison, runs int) error {
	fmt.Fprintf(out, "%s, %d cores, Argon2id with %s.\n", processor(), runtime.NumCPU(), kdf.Default().Implementation())
	fmt.Fprintf(out, "Wall time of whole processes, %d interleaved runs, vaults of 27 secrets where nothing else is said.\n", runs)
	fmt.Fprintf(out, "The ratio is the median of the ratios of neighbouring runs.\n\n")
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "A / B\tA ms\tB ms\tratio\tquartiles\tgoal\t\t")
	for _, c := range all {
		if c.b.program == "" {
			fmt.Fprintf(table, "%s\t\t\t\t\t%s\tskipped: not installed\t\n", c.name, bound(c.goal))
			continue
		}
		r, err := c.measure(max(1, runs*max(1, c.fold)/max(1, c.part)))
		if err != nil {
			return err
		}
		fmt.Fprintf(table, "%s\t%.1f\t%.1f\t%.2f\t%.2f–%.2f\t%s\t%s\t\n",
			c.name, milliseconds(r.a), milliseconds(r.b), r.ratio[1], r.ratio[0], r.ratio[2], bound(c.goal), verdict(r.ratio[1], c.goal))
	}
	return table.Flush()
}

// result is what a comparison came to: medians of the times, quartiles of the ratios.
type result struct {
	a, b  time.Duration
	ratio [3]float64
}

// measure runs the two commands in turn, the first pair uncounted.
func (c comparison) measure(runs int) (result, error) {
	var a, b []time.Duration
	var ratios []float64
	for n := range runs + 1 {
		sampleA, err := c.a.run(n)
		if err != nil {
			return result{}, err
		}
		sampleB, err := c.b.run(n)
		if err != nil {
			return result{}, err
		}
		if n == 0 {
			continue
		}
		a, b = append(a, c.time(sampleA)), append(b, c.time(sampleB))
		ratios = append(ratios, float64(c.time(sampleA))/float64(c.time(sampleB)))
	}
	slices.Sort(a)
	slices.Sort(b)
	slices.Sort(ratios)
	return result{
		a:     a[len(a)/2],
		b:     b[len(b)/2],
		ratio: [3]float64{ratios[len(ratios)/4], ratios[len(ratios)/2], ratios[len(ratios)*3/4]},
	}, nil
}

func (c comparison) time(s sample) time.Duration {
	if c.cpu {
		return s.cpu
	}
	return s.wall
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// bound writes a goal, verdict whether it was met; for no goal both say so by silence.
func bound(goal float64) string {
	if goal == 0 {
		return ""
	}
	return fmt.Sprintf("≤ %g", goal)
}

func verdict(got, goal float64) string {
	switch {
	case goal == 0:
		return ""
	case got <= goal:
		return "ok"
	}
	return "over"
}

// processor names the machine's, as far as the system tells.
func processor() string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err == nil {
		for line := range strings.Lines(string(info)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				return strings.TrimSpace(value)
			}
		}
	}
	return runtime.GOARCH
}
