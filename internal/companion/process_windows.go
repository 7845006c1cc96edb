package companion

import "os/exec"

// Name is the file's.
const Name = "vault-tool-net.exe"

// lead has nothing to do: the program sees the end of its pipe when this process is killed.
func lead(*exec.Cmd) {}

func kill(cmd *exec.Cmd) { _ = cmd.Process.Kill() }
