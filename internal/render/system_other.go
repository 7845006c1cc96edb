//go:build !linux

package render

import "os"

func mayChown() bool { return os.Geteuid() == 0 }
