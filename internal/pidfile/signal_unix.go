//go:build unix

package pidfile

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/mazevault/vault-tool/internal/followlinks"
)

// openPlain opens a file without waiting for anybody, should it be a named pipe. A link on the way to it counts
// only if root or the user of this process has made it: another could aim it at the number of any process.
func openPlain(path string) (*os.File, error) {
	return followlinks.Open(path, func(link string, info fs.FileInfo) error {
		stat, ok := info.Sys().(*syscall.Stat_t)
		if !ok || stat.Uid == 0 || int(stat.Uid) == os.Geteuid() {
			return nil
		}
		return fmt.Errorf("%s is a link of user %d", link, stat.Uid)
	})
}

// Signal sends a signal to the process whose number a file holds. The process is held on to from before it is looked
// at, where the system can do that, so that no later one of the same number gets the signal.
func Signal(path string, signo syscall.Signal) error {
	pid, info, err := readPID(path)
	if err != nil {
		return err
	}
	process, err := holdProcess(pid)
	if err != nil {
		return fmt.Errorf("%s: process %d: %w", path, pid, err)
	}
	defer process.release()
	if err := mayName(path, info, pid); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := startedBefore(pid, info.ModTime()); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := process.signal(signo); err != nil {
		return fmt.Errorf("%s: process %d: %w", path, pid, err)
	}
	return nil
}

// mayName refuses the process number in a file of another user than root and this one, and in a file that stands in the
// directory of such a user, unless the process is that user's: who can write the file, or put one in its place, could have any
// process signalled otherwise.
func mayName(path string, file fs.FileInfo, pid int) error {
	dir, err := directoryOf(path, file)
	if err != nil {
		return err
	}
	for _, named := range []struct {
		what string
		info fs.FileInfo
	}{{"the file", file}, {"its directory", dir}} {
		stat, ok := named.info.Sys().(*syscall.Stat_t)
		if !ok || stat.Uid == 0 || int(stat.Uid) == os.Geteuid() {
			continue
		}
		uid, err := realUser(pid)
		if err != nil {
			return err
		}
		if uid != strconv.Itoa(int(stat.Uid)) {
			return fmt.Errorf("%s belongs to user %d and process %d does not", named.what, stat.Uid, pid)
		}
	}
	return nil
}

// directoryOf returns the directory that an open file stands in, wherever links have led to it.
func directoryOf(path string, file fs.FileInfo) (fs.FileInfo, error) {
	place, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, err
	}
	now, err := os.Lstat(place)
	if err != nil {
		return nil, err
	}
	if !os.SameFile(now, file) {
		return nil, errors.New("the file was exchanged meanwhile")
	}
	return os.Stat(filepath.Dir(place))
}

// realUser returns the number of the user that a process is of.
func realUser(pid int) (string, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("process %d: %w", pid, syscall.ESRCH)
	}
	if err != nil {
		return "", err
	}
	for line := range bytes.Lines(status) { // "Uid:", then the real, effective, saved and file system user (proc_pid_status(5))
		if fields := bytes.Fields(line); len(fields) > 1 && string(fields[0]) == "Uid:" {
			return string(fields[1]), nil
		}
	}
	return "", fmt.Errorf("process %d: /proc does not tell whose it is", pid)
}
