package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"
)

const (
	searchedFiles   = 256
	searchedBytes   = 1 << 20 // of each
	searchRuns      = 7
	searchGoalSpeed = 80 // MB a second of processor time
)

// search is a command that reads all of the searched files.
type search struct {
	name    string
	command command
	goal    float64
}

// printSearch prints how fast values are found, beside programs that read the same files. Processor time is what counts: it does
// not depend on how many cores there are.
func printSearch(out io.Writer, s *scene) error {
	dir, err := s.makeSearched()
	if err != nil {
		return err
	}
	whole := filepath.Join(s.dir, "searched.whole")
	searches := []search{
		{"scan", s.command("scan", dir), searchGoalSpeed},
		{"scan on one thread", s.command("scan", dir).with("GOMAXPROCS=1"), searchGoalSpeed},
		{"redact", s.shell(fmt.Sprintf("exec %q redact --quiet < %q > /dev/null", s.tool, whole)), searchGoalSpeed},
		{"grep -F of the values as they are", s.shell(fmt.Sprintf("! grep -rqF -f values %q", dir)), 0},
		{"sha256sum", s.shell(fmt.Sprintf("cat %q/* | sha256sum > /dev/null", dir)), 0},
	}
	fmt.Fprintf(out, "\nValues of %d secrets sought in %d MiB of text; medians of %d interleaved runs, the derivation of the key included.\n\n",
		s.secrets, searchedFiles*searchedBytes>>20, searchRuns)
	samples := make([][]sample, len(searches))
	for n := range searchRuns + 1 {
		for i, search := range searches {
			got, err := search.command.run(n)
			if err != nil {
				return err
			}
			if n > 0 { // the first reads from the disk
				samples[i] = append(samples[i], got)
			}
		}
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "command\tms\tMB/s a core\tgoal\t\tpeak MiB\t")
	for i, search := range searches {
		slices.SortFunc(samples[i], func(a, b sample) int { return int(a.cpu - b.cpu) })
		median := samples[i][searchRuns/2]
		speed := searchedFiles * searchedBytes / 1e6 / median.cpu.Seconds()
		goal, said := "", ""
		if search.goal > 0 {
			goal, said = fmt.Sprintf("≥ %g", search.goal), verdict(search.goal, speed) // at the most what was reached
		}
		fmt.Fprintf(table, "%s\t%.0f\t%.0f\t%s\t%s\t%.0f\t\n", search.name, milliseconds(median.wall), speed, goal, said, median.peakMiB)
	}
	return table.Flush()
}

func (s *scene) shell(line string) command {
	return command{program: "sh", args: []string{"-c", line}, dir: s.dir}
}

// makeSearched makes files of log lines in a directory, all of them in one file too, and a file of the values of the scene's secrets.
func (s *scene) makeSearched() (dir string, err error) {
	dir = filepath.Join(s.dir, "searched")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", err
	}
	whole, err := os.Create(filepath.Join(s.dir, "searched.whole"))
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, whole.Close()) }()
	for i := range searchedFiles {
		f, err := os.Create(filepath.Join(dir, fmt.Sprintf("%03d.log", i)))
		if err != nil {
			return "", err
		}
		err = writeLog(io.MultiWriter(f, whole), uint64(i))
		if err := errors.Join(err, f.Close()); err != nil {
			return "", err
		}
	}
	return dir, s.writeValues(filepath.Join(s.dir, "values"))
}

// writeLog writes lines as services do, with numbers that look like those of the values.
func writeLog(w io.Writer, seed uint64) error {
	r := rand.New(rand.NewPCG(seed, 0))
	out := bufio.NewWriter(w)
	for left := searchedBytes; left > 0; {
		line := fmt.Sprintf("2026-11-26T07:00:%02dZ INFO request served path=/api/v1/things/%d status=200 duration=%dms trace=%016x%016x\n",
			r.IntN(60), r.IntN(1000), r.IntN(100), r.Uint64(), r.Uint64())
		line = line[:min(len(line), left)]
		left -= len(line)
		if _, err := out.WriteString(line); err != nil {
			return err
		}
	}
	return out.Flush()
}

// writeValues writes the values of both inputs, a line each.
func (s *scene) writeValues(path string) error {
	var values []byte
	for variant := range 2 {
		text, err := os.ReadFile(s.json(variant))
		if err != nil {
			return err
		}
		var secrets map[string]string
		if err := json.Unmarshal(text, &secrets); err != nil {
			return err
		}
		for _, value := range secrets {
			values = append(append(values, value...), '\n')
		}
	}
	return os.WriteFile(path, values, 0o600)
}
