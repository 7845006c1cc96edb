//go:build !unix

package vaultfile

const openNonblock = 0
