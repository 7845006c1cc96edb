//go:build unix

package companion

import (
	"os/exec"

	"golang.org/x/sys/unix"
)

// kill kills the program and what it has started. It is called before the program is waited for: until then the
// number is nobody else's.
func kill(cmd *exec.Cmd) { _ = unix.Kill(-cmd.Process.Pid, unix.SIGKILL) }
