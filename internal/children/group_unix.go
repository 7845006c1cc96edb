//go:build unix

package children

import (
	"os/exec"
	"syscall"
)

// AsGroup makes the end of the context reach all processes of a shell command.
func AsGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
}
