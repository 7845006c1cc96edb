// Package whoami names who runs the process, for records.
package whoami

import (
	"os"
	"os/user"
	"strconv"
)

// Name is user@host as the system tells it; where it has no name for the user, the number, and without a host's name the user alone.
//
// It may be called inside [runtime/secret.Do], where a call of C ends the process (Go 1.26): the lookup, which is one in a build with cgo,
// is in a goroutine of its own.
func Name() string {
	name := make(chan string, 1)
	go func() { name <- lookUp() }()
	return <-name
}

func lookUp() string {
	name := strconv.Itoa(os.Getuid())
	if u, err := user.Current(); err == nil && u.Username != "" {
		name = u.Username
	}
	if host, err := os.Hostname(); err == nil && host != "" {
		name += "@" + host
	}
	return name
}
