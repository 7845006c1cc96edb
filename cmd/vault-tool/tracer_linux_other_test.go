//go:build linux && !amd64

package main

import (
	"errors"
	"syscall"
)

// canFailCalls says that skipCall and setCallResult work on this processor.
const canFailCalls = false

func skipCall(int) error { return errors.ErrUnsupported }

func setCallResult(int, syscall.Errno) error { return errors.ErrUnsupported }
