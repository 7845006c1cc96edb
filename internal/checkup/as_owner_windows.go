package checkup

import "os/exec"

// runAsOwner has nothing to do: there is no root.
func runAsOwner(*exec.Cmd, string) {}
