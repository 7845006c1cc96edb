// Command peers measures vault-tool beside other programs that keep secrets, in one interleaved run of whole processes, and
// writes docs/benchmarks.md with a plot beside it. `make bench-peers` runs it.
//
// It is a module of its own, so that the library that draws is none of vault-tool's.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// size is a number of secrets and how often everything is measured with it.
type size struct{ secrets, rounds int }

var sizes = []size{{27, 9}, {10_000, 5}, {100_000, 3}}

// actions are what is measured, in the order of the columns.
var actions = []string{"list", "get", "set"}

// medians are the milliseconds of a peer by action; none where it was not measured.
type medians map[string]float64

func main() {
	tool := flag.String("tool", "bin/vault-tool", "the `program` to measure")
	out := flag.String("out", "docs/benchmarks.md", "the `file` to write; the plot goes beside it")
	flag.Parse()
	if err := run(*tool, *out); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func run(tool, out string) error {
	tool, err := filepath.Abs(tool)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "peers")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	r := report{measured: make(map[int]map[string]medians), versions: make(map[string]string)}
	for _, s := range sizes {
		if err := r.measure(filepath.Join(dir, strconv.Itoa(s.secrets)), tool, s); err != nil {
			return err
		}
	}
	if err := r.plot(strings.TrimSuffix(out, filepath.Ext(out)) + ".svg"); err != nil {
		return err
	}
	return os.WriteFile(out, []byte(r.markdown()), 0o644)
}

// stage is a peer with its directory.
type stage struct {
	peer
	dir, tool string
	secrets   int
}

// measure prepares all peers and runs them in turn.
func (r *report) measure(dir, tool string, s size) error {
	var stages []*stage
	for _, p := range peers {
		st := &stage{peer: p, dir: filepath.Join(dir, strings.ReplaceAll(p.name, " ", "-")), tool: tool, secrets: s.secrets}
		if p.most > 0 && s.secrets > p.most {
			continue
		}
		if missing := firstMissing(p.needs); missing != "" {
			fmt.Fprintf(os.Stderr, "%s is left out: %s is not installed\n", p.name, missing)
			continue
		}
		if err := st.prepareInput(); err != nil {
			return err
		}
		if _, err := st.run(p.prepare, 0); err != nil {
			fmt.Fprintf(os.Stderr, "%s is left out: %v\n", p.name, err)
			continue
		}
		version, err := st.output(p.version)
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s is left out: %v\n", p.name, err)
			continue
		}
		r.versions[p.name] = version
		stages = append(stages, st)
	}
	samples := make(map[string]map[string][]time.Duration)
	for n := range s.rounds + 1 { // the first is not counted
		for i := range stages {
			st := stages[(n+i)%len(stages)] // each follows another one in turn, as what ran before leaves its traces in the memory
			for _, action := range actions {
				took, err := st.run(map[string]string{"list": st.list, "get": st.get, "set": st.set}[action], n)
				if err != nil {
					return fmt.Errorf("%s, %s: %w", st.name, action, err)
				}
				if n == 0 {
					continue
				}
				if samples[st.name] == nil {
					samples[st.name] = make(map[string][]time.Duration)
				}
				samples[st.name][action] = append(samples[st.name][action], took)
			}
		}
	}
	r.measured[s.secrets] = make(map[string]medians)
	for name, byAction := range samples {
		m := make(medians)
		for action, took := range byAction {
			slices.Sort(took)
			m[action] = float64(took[len(took)/2]) / float64(time.Millisecond)
		}
		r.measured[s.secrets][name] = m
	}
	return nil
}

func firstMissing(programs []string) string {
	for _, program := range programs {
		if _, err := exec.LookPath(program); err != nil {
			return program
		}
	}
	return ""
}

func (s *stage) prepareInput() error {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	return writeInput(s.dir, s.secrets)
}

func (s *stage) command(line string, n int) *exec.Cmd {
	cmd := exec.Command("sh", "-c", line)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "TOOL="+s.tool, "N="+strconv.Itoa(n), "NAME="+secretName(s.secrets/2))
	return cmd
}

// run runs a line and returns how long it took.
func (s *stage) run(line string, n int) (time.Duration, error) {
	if line == "" {
		return 0, nil
	}
	cmd := s.command(line, n)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	start := time.Now()
	err := cmd.Run()
	took := time.Since(start)
	if err != nil {
		err = fmt.Errorf("%q: %w: %s", line, err, strings.TrimSpace(stderr.String()))
	}
	return took, err
}

func (s *stage) output(line string) (string, error) {
	out, err := s.command(line, 0).Output()
	first, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return first, err
}
