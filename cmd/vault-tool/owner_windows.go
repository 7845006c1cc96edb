package main

import "io/fs"

// ownerOf knows no owner: files have no uid on Windows.
func ownerOf(fs.FileInfo) (uid uint32, ok bool) { return 0, false }
