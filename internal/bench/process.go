package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// command is a process to be run and measured, any number of times.
type command struct {
	program string
	args    []string
	dir     string
	env     []string // beyond the inherited
	// stdin returns the file that is the standard input of a run, which are numbered from 0; nil for
	// none. Files, because a pipe would have this process take part.
	stdin func(run int) string
}

// with returns the command with more variables in its environment.
func (c command) with(env ...string) command {
	c.env = append(slices.Clone(c.env), env...)
	return c
}

// sample is what one run of a command took.
type sample struct {
	wall    time.Duration
	cpu     time.Duration // user and system, of the process and those it waited for
	peakMiB float64       // of resident memory
}

// run runs the command to its end. A failure of the command is an error.
func (c command) run(n int) (sample, error) {
	cmd := exec.Command(c.program, c.args...)
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), c.env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if c.stdin != nil {
		f, err := os.Open(c.stdin(n))
		if err != nil {
			return sample{}, err
		}
		defer f.Close()
		cmd.Stdin = f
	}
	start := time.Now()
	err := cmd.Run()
	wall := time.Since(start)
	if err != nil {
		return sample{}, fmt.Errorf("%s %q: %w: %s", filepath.Base(c.program), c.args, err, &stderr)
	}
	cpu := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return sample{wall: wall, cpu: cpu}, nil
	}
	return sample{wall: wall, cpu: cpu, peakMiB: maxRSSMiB(usage)}, nil
}

// probes are the programs that the tool is compared with.
type probes struct {
	empty  command
	plain  command
	argon2 command // without program where the reference implementation is not installed
}

// buildProbes builds the programs of the folder probe into dir.
func buildProbes(dir string) (probes, error) {
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", dir+string(filepath.Separator),
		"github.com/mazevault/vault-tool/internal/bench/probe/...")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return probes{}, fmt.Errorf("build the programs to compare with: %w\n%s", err, out)
	}
	p := probes{
		empty: command{program: filepath.Join(dir, "empty")},
		plain: command{program: filepath.Join(dir, "plain")},
	}
	reference, err := exec.LookPath("argon2")
	if err != nil {
		return p, nil
	}
	passphrase := filepath.Join(dir, "passphrase")
	if err := os.WriteFile(passphrase, []byte("correct horse battery staple"), 0o600); err != nil {
		return probes{}, err
	}
	p.argon2 = command{
		program: reference,
		args:    []string{"0123456789abcdef", "-id", "-t", "3", "-k", "65536", "-p", "4", "-l", "32", "-r"}, // MVT1
		stdin:   func(int) string { return passphrase },
	}
	return p, nil
}
