// Command bench measures vault-tool as a user meets it, in whole processes, and prints each figure as
// a ratio to something else that ran in turn with it: the ratios hold when the speed of the machine
// drifts, the milliseconds beside them do not.
//
//	go run ./internal/bench -tool bin/vault-tool
//
// It prints whether each goal was met and never fails because of one: it is a benchmark, not a test.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
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

// world are the vaults that are measured.
type world struct {
	small    *scene // 27 secrets, with a history as a new vault has it
	smallOff *scene // the same without a history
	thousand *scene
	large    *scene // 100,000 secrets without a history
	recorded *scene // with a record of one version each
	tenfold  *scene // with ten versions each
}

func newWorld(dir, tool string) (w world, err error) {
	for _, s := range []struct {
		place             **scene
		secrets, versions int
	}{
		{&w.small, 27, oneVersion}, {&w.smallOff, 27, noPast}, {&w.thousand, 1000, oneVersion},
		{&w.large, 100_000, noPast}, {&w.recorded, 100_000, oneVersion}, {&w.tenfold, 100_000, tenPast},
	} {
		if *s.place, err = newScene(dir, tool, s.secrets, s.versions); err != nil {
			return w, err
		}
	}
	return w, nil
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
	w, err := newWorld(dir, tool)
	if err != nil {
		return err
	}
	small, large := w.small, w.large
	cached, err := cachedComparisons(w)
	if err != nil {
		return err
	}
	proofs, err := backupComparisons(dir, tool)
	if err != nil {
		return err
	}
	if err := printSpeed(out, slices.Concat(comparisons(w, probes), cached, proofs), runs); err != nil {
		return err
	}
	fmt.Fprintf(out, "\nOf 100,000 secrets a record of one version takes %d bytes, one of ten versions %d.\n",
		(w.recorded.bytes()-large.bytes())/int64(large.secrets), (w.tenfold.bytes()-large.bytes())/int64(large.secrets))
	if err := printSizes(out, tool); err != nil {
		return err
	}
	if err := printSearch(out, small); err != nil {
		return err
	}
	if err := printMillion(out, dir, tool); err != nil {
		return err
	}
	if _, err := small.command("forget").run(0); err != nil {
		return err
	}
	if err := errors.Join(small.backUp(0, 1000), large.backUp(0, 2)); err != nil {
		return err
	}
	if err := printMemory(out, small, large, probes); err != nil {
		return err
	}
	return printLookups(out)
}
