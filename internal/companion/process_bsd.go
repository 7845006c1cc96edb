//go:build unix && !linux

package companion

import (
	"os/exec"
	"syscall"
)

// Name is the file's.
const Name = "vault-tool-net"

// lead makes the program lead a group of processes. It sees the end of its pipe when this process is killed.
func lead(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
