package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

const (
	million         = 1_000_000
	millionRuns     = 7
	millionGoalMiB  = 250
	millionGoalList = 110 * time.Millisecond
	millionGoalGet  = 90 * time.Millisecond
	millionGoalAdd  = 350 * time.Millisecond
)

// printMillion prints what a vault of a million secrets costs, with the key cached. These goals are times of one machine: nothing else
// that runs here does the same.
func printMillion(out io.Writer, dir, tool string) error {
	s, err := newScene(dir, tool, million, noPast)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\nA vault of 1,000,000 secrets (%d MiB) without a history, key cached; medians of %d runs.\n\n", s.bytes()>>20, millionRuns)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "command\tms\tgoal\t\tpeak MiB\tgoal\t\t")
	for _, row := range []struct {
		name    string
		command command
		goal    time.Duration
	}{
		{"list", s.cached(s.list()), millionGoalList},
		{"get", s.cached(s.command("get", secretName(s.secrets/2))), millionGoalGet},
		{"add", s.cached(s.add()), millionGoalAdd},
	} {
		var walls []time.Duration
		highest := 0.0
		for n := range millionRuns + 1 {
			got, err := row.command.run(n)
			if err != nil {
				return err
			}
			if highest = max(highest, got.peakMiB); n > 0 { // the first fills the cache
				walls = append(walls, got.wall)
			}
		}
		slices.Sort(walls)
		wall := milliseconds(walls[len(walls)/2])
		fmt.Fprintf(table, "%s\t%.0f\t%s\t%s\t%.0f\t%s\t%s\t\n", row.name,
			wall, bound(milliseconds(row.goal)), verdict(wall, milliseconds(row.goal)), highest, bound(millionGoalMiB), verdict(highest, millionGoalMiB))
	}
	return table.Flush()
}
