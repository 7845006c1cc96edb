//go:build !linux

package posixacl

import "os"

// OfFile knows no access control lists here: the mode alone counts.
func OfFile(*os.File) (List, error) { return nil, nil }

// OfPath knows none either.
func OfPath(string) (List, error) { return nil, nil }
