package owner

import (
	"fmt"
	"os"
	"strings"
	"sync"
)

// IsOverflow tells whether uid stands for every user that the user namespace of this process does not know.
// In the first namespace, which knows all of them, it is an ordinary uid.
func IsOverflow(uid uint32) bool {
	overflow, inNamespace := namespace()
	return inNamespace && uid == overflow
}

// namespace returns the overflow uid, and whether this process is in a user namespace that does not know
// every user. A process does not change its namespace once it has threads.
var namespace = sync.OnceValues(func() (overflow uint32, inNamespace bool) {
	const whole = "0 0 4294967295" // user_namespaces(7)
	uidMap, err := os.ReadFile("/proc/self/uid_map")
	if err != nil || strings.Join(strings.Fields(string(uidMap)), " ") == whole {
		return 0, false
	}
	overflow = 65534
	if text, err := os.ReadFile("/proc/sys/kernel/overflowuid"); err == nil {
		_, _ = fmt.Sscan(string(text), &overflow) // else the kernel's default stands
	}
	return overflow, true
})
