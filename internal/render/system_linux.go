package render

import (
	"os"

	"golang.org/x/sys/unix"
)

// mayChown tells whether this process has the capability to change the owner of a file (capabilities(7)).
func mayChown() bool {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData // capabilities 0 to 31 and 32 to 63
	if err := unix.Capget(&header, &data[0]); err != nil {
		return os.Geteuid() == 0
	}
	return data[0].Effective&(1<<unix.CAP_CHOWN) != 0
}
