// Package pidfile sends signals to the process whose number is in a file, and to no other.
package pidfile

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// maxPIDFileBytes is longer than any process number with its newline.
const maxPIDFileBytes = 32

// readPID reads the number of a process from a file, anew each time, because the process may be another one by now.
func readPID(path string) (pid int, info os.FileInfo, err error) {
	f, err := openPlain(path)
	if err != nil {
		return 0, nil, err
	}
	defer f.Close() // read-only: nothing to report
	if info, err = f.Stat(); err != nil {
		return 0, nil, err
	}
	if !info.Mode().IsRegular() {
		return 0, nil, fmt.Errorf("%s is not a file", path)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxPIDFileBytes+1))
	if err != nil {
		return 0, nil, err
	}
	pid, err = strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || len(text) > maxPIDFileBytes || pid <= 1 {
		return 0, nil, fmt.Errorf("%s does not hold the number of a process", path)
	}
	if pid == os.Getpid() {
		return 0, nil, fmt.Errorf("%s holds the number of vault-tool itself", path)
	}
	return pid, info, nil
}
