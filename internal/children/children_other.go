//go:build !linux

// Package children runs commands of a process that lasts, and waits for those that are left to it.
package children

import (
	"context"
	"os/exec"
)

// Keeper has the children of a process. The zero value is ready to use.
type Keeper struct{}

// Run is cmd.Run.
func (*Keeper) Run(_ context.Context, cmd *exec.Cmd) error { return cmd.Run() }

// Adopt has nothing to do: containers, in which a command is process number 1, are Linux's.
func (*Keeper) Adopt(context.Context) {}
