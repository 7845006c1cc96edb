// Package render writes secrets as files for programs that read files: one file a secret into a directory
// ([Directory]), or a template filled with them ([Template]) into one file ([File]).
//
// # Guarantees
//
// Every file is whole at every instant, in the old content or the new, and never readable to more than its mode says. A
// file that need not change is not touched. No symbolic link below the directory is followed. A directory's files are
// written from the memory the secrets stand in, without a copy on the heap; the values in a template become strings.
//
// Only a memory file system is written to, unless that is waived.
//
// In a directory nothing is removed or replaced that this package has not written: a manifest beside the files,
// [ManifestName], has their names, and is ahead of the files at every instant. After a kill the next run finishes and
// leaves nothing stray. A lock beside the manifest keeps two from working at once.
//
// A change of the files is on record from before it until [Directory.Told] or [File.Told] is called for it, so that whoever
// tells programs of changes can make up for what an earlier process, or another, has left untold.
//
// # No guarantees
//
// Each file changes at once, not all of them together. A memory file system can be swapped out, as any memory that is not
// locked. Whoever owns the directory can exchange what is in it.
package render

import (
	"errors"

	"github.com/mazevault/vault-tool/internal/durable"
)

// Secrets are what is rendered; a vault is one. A value is valid for the length of the call of f. Use is called for names that
// Names returned.
type Secrets interface {
	Names() []string
	Use(name string, f func(value []byte) error) error
}

// Errors to branch on with errors.Is. What a function returns wraps them and names the file.
var (
	// ErrDisk: the directory is on no memory file system.
	ErrDisk = errors.New("not on a memory file system")

	// ErrOpenToAll: every user may write to the directory, and exchange the files in it.
	ErrOpenToAll = errors.New("every user may exchange files in it")

	// ErrForeignOwner: a directory belongs to somebody who could exchange the files, or the manifest to somebody who could
	// have any file there removed.
	ErrForeignOwner = durable.ErrForeignOwner

	// ErrConflict: something stands where a file is to be written, and this package has not written it.
	ErrConflict = errors.New("in the way, and not written by this command")

	// ErrManifest: the manifest is damaged.
	ErrManifest = errors.New("not a manifest of rendered files")

	// ErrFileName: the name of a secret that cannot be the name of a file.
	ErrFileName = errors.New("cannot be names of files")

	// ErrMode: a mode that opens a secret to all, or its owner not even to read.
	ErrMode = errors.New("invalid mode")

	// ErrOwner: an owner that does not exist.
	ErrOwner = errors.New("invalid owner")

	// ErrGiveAway: an owner that this process cannot give a file to.
	ErrGiveAway = errors.New("only root can give files to another user")

	// ErrTemplate: a template that cannot be parsed or filled.
	ErrTemplate = errors.New("template")

	// ErrMissing: a template asks for a secret that there is not.
	ErrMissing = errors.New("secret not found")

	// ErrBusy: another process held the lock for the whole time.
	ErrBusy = durable.ErrLockTimeout
)
