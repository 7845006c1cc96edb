package owner

import "io/fs"

func of(fs.FileInfo) (Owner, bool) { return Owner{}, false }

func links(fs.FileInfo) uint64 { return 1 }
