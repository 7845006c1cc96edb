package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

// lookup is a Go benchmark of package provider and the goals for it.
type lookup struct {
	benchmark   string
	what        string
	nanoseconds float64 // the most; 0: no goal
	allocations float64
}

var lookups = []lookup{
	{"BenchmarkUse", "Use, one name again and again", 100, 0},
	{"BenchmarkUseAll", "Use, all names in random order", 100, 0},
	{"BenchmarkUseParallel", "Use, eight goroutines", 100, 0},
	{"BenchmarkGet", "Get, one name again and again", 0, 1},
}

// lookupRuns is how often each is measured; the median counts.
const lookupRuns = 5

// lookupSizes are the numbers of secrets that the benchmarks have.
var lookupSizes = []int{27, 100_000}

// printLookups runs the benchmarks and prints a line for each.
func printLookups(out io.Writer) error {
	var names []string
	for _, l := range lookups {
		names = append(names, l.benchmark)
	}
	test := exec.Command("go", "test", "-run", "^$", "-bench", "^("+strings.Join(names, "|")+")$",
		"-benchtime", "200ms", "-count", strconv.Itoa(lookupRuns), "github.com/mazevault/vault-tool/provider")
	printed, err := test.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", test, err, printed)
	}
	measured := parseBenchmarks(printed)
	fmt.Fprintf(out, "\nLookups in an open provider, Go benchmarks, medians of %d runs.\n\n", lookupRuns)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "\tsecrets\tns\tgoal\tallocations\tgoal\t\t")
	for _, l := range lookups {
		for _, size := range lookupSizes {
			m, ok := measured[fmt.Sprintf("%s/secrets=%d", l.benchmark, size)]
			if !ok {
				return fmt.Errorf("%s: no figures of %s", test, l.benchmark)
			}
			ns, allocations := median(m.nanoseconds), median(m.allocations)
			reached := "ok"
			if l.nanoseconds > 0 && ns > l.nanoseconds || allocations > l.allocations {
				reached = "over"
			}
			fmt.Fprintf(table, "%s\t%d\t%.0f\t%s\t%.0f\t≤ %g\t%s\t\n", l.what, size, ns, bound(l.nanoseconds), allocations, l.allocations, reached)
		}
	}
	return table.Flush()
}

// figures are what a benchmark gave, run by run.
type figures struct{ nanoseconds, allocations []float64 }

// parseBenchmarks reads the output of go test -bench, where "-2" behind a name is the number of processors.
func parseBenchmarks(printed []byte) map[string]*figures {
	all := make(map[string]*figures)
	lines := bufio.NewScanner(bytes.NewReader(printed))
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		name := fields[0]
		if i := strings.LastIndexByte(name, '-'); i > 0 {
			name = name[:i]
		}
		if all[name] == nil {
			all[name] = &figures{}
		}
		for i := 2; i+1 < len(fields); i += 2 {
			value, err := strconv.ParseFloat(fields[i], 64)
			switch {
			case err != nil:
			case fields[i+1] == "ns/op":
				all[name].nanoseconds = append(all[name].nanoseconds, value)
			case fields[i+1] == "allocs/op":
				all[name].allocations = append(all[name].allocations, value)
			}
		}
	}
	return all
}

// median returns the middle value; the absence of values counts as a goal missed.
func median(values []float64) float64 {
	if len(values) == 0 {
		return math.Inf(1)
	}
	slices.Sort(values)
	return values[len(values)/2]
}
