package main

import (
	"fmt"
	"io"
	"path/filepath"
	"text/tabwriter"
)

// memoryRuns is how often each command is run for its peak, the largest of which counts.
const memoryRuns = 5

// Goals for the peak of resident memory; 64 MiB of it are Argon2id's.
const (
	smallGoalMiB    = 76
	largeGoalMiB    = 100
	rotationGoalMiB = 142 // two derivations at once
	verifyMoreMiB   = 8   // beyond list: a backup for each processor
)

// step is a command whose memory is measured. Every run leaves the scene fit for the next.
type step struct {
	name    string
	command command
	goalMiB float64  // of whatever size; 0: the general ones
	more    float64  // allowed beyond the general goals
	undo    *command // run after each run, not measured
}

func (s *scene) steps() []step {
	rename := func(from, to string) *command {
		return &command{program: "mv", args: []string{"-f", filepath.Join(s.dir, from), filepath.Join(s.dir, to)}}
	}
	rm := s.command("rm", secretName(s.secrets/2))
	add := s.add()
	fresh := s.encrypt("--vault-file", "fresh.vault")
	generate := s.command("init", "--key-file", "next.key")
	migrate := s.command("migrate-env", "--env-file", ".env", "--all")
	unmigrate := s.command(append([]string{"rm"}, migratedNames()...)...)
	return []step{
		{name: "init", command: generate, undo: rename("next.key", "second.key")},
		{name: "encrypt", command: fresh, undo: rename("fresh.vault", "used.vault")},
		{name: "encrypt --force", command: s.encrypt("--force"), undo: rename("secrets.vault.bak", "used.vault")},
		{name: "list", command: s.list()},
		{name: "verify of backups", command: s.command("verify", backupsDir), more: verifyMoreMiB},
		{name: "decrypt", command: s.command("decrypt")},
		{name: "decrypt --show-values", command: s.command("decrypt", "--show-values")},
		{name: "decrypt --show-values --json", command: s.command("decrypt", "--show-values", "--json")},
		{name: "get", command: s.command("get", secretName(s.secrets/2))},
		{name: "add", command: add},
		{name: "rm", command: rm, undo: &add},
		{name: "migrate-env", command: migrate, undo: &unmigrate},
		{name: "rotate-key --in-place", command: s.rotate(), goalMiB: rotationGoalMiB},
	}
}

// printMemory prints the peak memory of every command.
func printMemory(out io.Writer, small, large *scene, p probes) error {
	floor, err := peak(step{command: p.empty})
	if err != nil || floor == 0 {
		return err // 0: the system does not tell
	}
	fmt.Fprintf(out, "\nPeak resident memory in MiB, the largest of %d runs. What is below %.0f cannot be told.\n\n", memoryRuns, floor)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(table, "command\tof 27\tgoal\t\tof 100,000\tgoal\t\t\n")
	largeSteps := large.steps()
	for i, s := range small.steps() {
		of27, err := peak(s)
		if err != nil {
			return err
		}
		of100000, err := peak(largeSteps[i])
		if err != nil {
			return err
		}
		fmt.Fprintf(table, "%s\t%.0f\t%s\t%s\t%.0f\t%s\t%s\t\n", s.name,
			of27, bound(s.goal(smallGoalMiB)), verdict(of27, s.goal(smallGoalMiB)),
			of100000, bound(s.goal(largeGoalMiB)), verdict(of100000, s.goal(largeGoalMiB)))
	}
	return table.Flush()
}

func (s step) goal(general float64) float64 {
	if s.goalMiB > 0 {
		return s.goalMiB
	}
	return general + s.more
}

func peak(s step) (float64, error) {
	highest := 0.0
	for n := range memoryRuns {
		got, err := s.command.run(n)
		if err != nil {
			return 0, err
		}
		highest = max(highest, got.peakMiB)
		if s.undo == nil {
			continue
		}
		if _, err := s.undo.run(n); err != nil {
			return 0, err
		}
	}
	return highest, nil
}
