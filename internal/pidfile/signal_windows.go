package pidfile

import (
	"errors"
	"os"
	"syscall"
)

func openPlain(path string) (*os.File, error) { return os.Open(path) }

// Signal cannot be done here.
func Signal(string, syscall.Signal) error { return errors.ErrUnsupported }
