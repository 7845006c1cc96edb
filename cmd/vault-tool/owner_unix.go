//go:build unix

package main

import (
	"io/fs"
	"syscall"
)

// ownerOf returns the uid of a file.
func ownerOf(info fs.FileInfo) (uid uint32, ok bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return stat.Uid, true
}
