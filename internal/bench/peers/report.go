package main

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

// report is what was measured, by number of secrets and name of the peer.
type report struct {
	measured map[int]map[string]medians
	versions map[string]string
}

func (r *report) markdown() string {
	var out strings.Builder
	fmt.Fprintf(&out, `# Beside other programs

Written by %s on %s: %s, %d cores, %s. Times are medians of whole processes in milliseconds, by way of
%s, all programs in turn within a round; behind each the factor to vault-tool's in the same column. They hold for this machine; the factors
should hold for others.

What is compared is one person's task: to list what there is, to get one value, to change one. Programs that cannot name or change
one secret by themselves do it with grep or sed on the whole. They differ in what they protect: see the README on when to use which.

On a virtual machine that gives free memory back to its host, a command of vault-tool that follows seconds without one takes up to four
times as long as the next: the 64 MiB of its derivation have to come back. Its "list", the first of its actions, shows that.

![time to get one of 27 secrets](benchmarks.svg)
`, "`make bench-peers`", time.Now().Format(time.DateOnly), processor(), runtime.NumCPU(), system(), "`sh -c`")
	for _, s := range sizes {
		fmt.Fprintf(&out, "\n## %s secrets, %d rounds\n\n| | list | get | set |\n|---|---|---|---|\n", thousands(s.secrets), s.rounds)
		base := r.measured[s.secrets][peers[0].name]
		for _, p := range peers {
			m, ok := r.measured[s.secrets][p.name]
			if !ok {
				continue
			}
			fmt.Fprintf(&out, "| %s |", p.name)
			for _, action := range actions {
				fmt.Fprintf(&out, " %s (%s) |", number(m[action]), factor(m[action]/base[action]))
			}
			fmt.Fprintln(&out)
		}
	}
	r.writeFaster(&out)
	fmt.Fprintf(&out, "\n## Versions\n\n| | |\n|---|---|\n")
	for _, p := range peers {
		if version, ok := r.versions[p.name]; ok {
			fmt.Fprintf(&out, "| %s | %s |\n", p.name, version)
		}
	}
	fmt.Fprintf(&out, "\nLeft out where it is not in a table: what was not installed, and above 27 secrets what takes minutes to fill or seconds to read.\n")
	return out.String()
}

// writeFaster says where a peer is faster, and why.
func (r *report) writeFaster(out *strings.Builder) {
	fmt.Fprintf(out, "\n## Where vault-tool is slower\n\n")
	for _, p := range peers[1:] {
		var where []string
		for _, s := range sizes {
			m, ok := r.measured[s.secrets][p.name]
			for _, action := range actions {
				if ok && m[action] < r.measured[s.secrets][peers[0].name][action] {
					where = append(where, fmt.Sprintf("%s of %s", action, thousands(s.secrets)))
				}
			}
		}
		if len(where) == 0 {
			continue
		}
		why := p.faster
		if why == "" {
			why = "not looked into"
		}
		fmt.Fprintf(out, "- **%s** (%s): %s.\n", p.name, strings.Join(where, ", "), why)
	}
}

// plot draws how long each takes to get one secret of the smallest number, on a logarithmic scale.
func (r *report) plot(path string) error {
	p := plot.New()
	p.Title.Text = "one of 27 secrets: get, milliseconds (logarithmic)"
	p.X.Tick.Marker = plot.ConstantTicks{{Value: 0, Label: "1"}, {Value: 1, Label: "10"}, {Value: 2, Label: "100"}, {Value: 3, Label: "1,000"}}
	var names []string
	var values plotter.Values
	for i := len(peers) - 1; i >= 0; i-- {
		if m, ok := r.measured[sizes[0].secrets][peers[i].name]; ok {
			names, values = append(names, peers[i].name), append(values, math.Log10(max(1, m["get"]))) // bars begin at 0, which has no logarithm
		}
	}
	bars, err := plotter.NewBarChart(values, vg.Points(12))
	if err != nil {
		return err
	}
	bars.Horizontal = true
	p.Add(bars)
	p.NominalY(names...)
	p.X.Min, p.X.Max = 0, 3
	return p.Save(18*vg.Centimeter, 10*vg.Centimeter, path)
}

func number(ms float64) string {
	if ms < 100 {
		return fmt.Sprintf("%.1f", ms)
	}
	return thousands(int(math.Round(ms)))
}

func factor(x float64) string {
	if x < 10 {
		return fmt.Sprintf("%.2f×", x)
	}
	return fmt.Sprintf("%.0f×", x)
}

func thousands(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}

func processor() string {
	info, _ := os.ReadFile("/proc/cpuinfo") // where there is none the architecture has to do
	for line := range strings.Lines(string(info)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

func system() string {
	out, err := exec.Command("uname", "-sr").Output()
	if err != nil {
		return runtime.GOOS
	}
	return strings.TrimSpace(string(out))
}
