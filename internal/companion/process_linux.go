package companion

import (
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// Name is the file's.
const Name = "vault-tool-net"

// lead makes the program lead a group of processes, and end when this one is killed.
func lead(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: unix.SIGKILL}
}
