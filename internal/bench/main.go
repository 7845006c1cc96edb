// Command bench measures vault-tool as a user meets it, in whole processes, and prints each figure as
// a ratio to something else that ran in turn with it: the ratios hold when the speed of the machine
// drifts, the milliseconds beside them do not.
//
//	go run ./internal/bench -tool bin/vault-tool
//
// It prints whether each goal was met and never fails because of one: it is a benchmark, not a test.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

func main() {
	tool := flag.String("tool", "bin/vault-tool", "the `program` to measure")
	runs := flag.Int("runs", 15, "how often each comparison is made")
	flag.Parse()
	if err := run(os.Stdout, *tool, *runs); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run measures and prints. The error is of something that could not be measured.
func run(out io.Writer, tool string, runs int) (err error) {
	if runs < 1 {
		return fmt.Errorf("%d runs, the least is 1", runs)
	}
	if tool, err = filepath.Abs(tool); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "vault-tool-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	probes, err := buildProbes(dir)
	if err != nil {
		return err
	}
	small, err := newScene(dir, tool, 27)
	if err != nil {
		return err
	}
	large, err := newScene(dir, tool, 100_000)
	if err != nil {
		return err
	}
	cached, err := cachedComparisons(small, large)
	if err != nil {
		return err
	}
	if err := printSpeed(out, append(comparisons(small, large, probes), cached...), runs); err != nil {
		return err
	}
	if _, err := small.command("forget").run(0); err != nil {
		return err
	}
	if err := printMemory(out, small, large, probes); err != nil {
		return err
	}
	return printLookups(out)
}
