//go:build !linux

package keycache

import "time"

func readEntry(string, []byte) (bool, error) { return false, ErrUnavailable }

func writeEntry(string, []byte, time.Duration) error { return ErrUnavailable }

func removeEntries(func(string) bool) (int, error) { return 0, ErrUnavailable }
