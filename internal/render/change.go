package render

import (
	"crypto/rand"
	"errors"
	"syscall"
)

// Programs that have read the files are told when they change, by the caller. So that this is not forgotten when the process
// ends in between, whichever it is of those that render to the place, the manifest has the latest change and the one that was
// told: the first is written before the files are touched, the second when the caller says so.

// newChange returns a text that stands for a change. It is drawn at random, for a number would begin anew in a directory that
// was removed and made again.
func newChange() string { return rand.Text() }

// Told records that the programs which read the files know of a change, the one of a [Report]. If there has been another since,
// it does nothing: they have to be told again.
func (t *target) Told(change string) error {
	m, found, err := t.readManifest()
	if err != nil || !found || m.change != change || m.told == change {
		return err
	}
	m.told = change
	return t.writeManifest(m, true)
}

// isFull tells that there is no room for a manifest. Then files may have to be removed before one can be written.
func isFull(err error) bool { return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) }
