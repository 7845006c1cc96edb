//go:build unix

package checkup

import (
	"os"
	"os/exec"
	"syscall"

	"github.com/mazevault/vault-tool/internal/owner"
)

// runAsOwner has a command that root runs be run by the owner of a file, without a terminal, by which it could type for root.
func runAsOwner(cmd *exec.Cmd, path string) {
	info, err := os.Lstat(path)
	if err != nil || os.Geteuid() != 0 {
		return
	}
	o, ok := owner.Of(info)
	if !ok || o.UID == 0 {
		return
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: &syscall.Credential{Uid: o.UID, Gid: o.GID}}
	cmd.Env = append(cmd.Env, "HOME=/nonexistent", "XDG_CONFIG_HOME=/nonexistent")
}
