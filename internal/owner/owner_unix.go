//go:build unix

package owner

import (
	"io/fs"
	"syscall"
)

func of(info fs.FileInfo) (o Owner, ok bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return Owner{}, false
	}
	return Owner{stat.Uid, stat.Gid}, true
}

func links(info fs.FileInfo) uint64 {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(stat.Nlink)
	}
	return 1
}
