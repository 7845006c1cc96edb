// Package verify proves backups: that each of many files is a vault which one of the keys opens, is well formed and holds what it has to.
//
// Files are looked at by all processors at a time and told in the order in which they were given. No more of them are in memory than there are
// processors, each decrypted where it was read.
package verify

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/mazevault/vault-tool/internal/erase"
	"github.com/mazevault/vault-tool/internal/keyring"
	"github.com/mazevault/vault-tool/vaultfile"
)

// Status says what was found of a file.
type Status string

// The statuses.
const (
	OK         Status = "ok"
	Skipped    Status = "skipped"     // it is no backup, and nobody said that it is
	Missing    Status = "missing"     // there is no such file
	Unreadable Status = "unreadable"  // the system does not let it be read
	NotVault   Status = "not_a_vault" // another kind of file
	CutShort   Status = "cut_short"   // empty, or shorter than the shortest vault
	WrongKey   Status = "wrong_key"   // none of the keys opens it: it has another, or is damaged
	Damaged    Status = "damaged"     // none of the keys opens it, though one opens what has the same salt
	BadContent Status = "bad_content" // it was opened, and is not well formed within
	LacksNames Status = "lacks_names" // a secret is missing that is required
)

// Result is what was found of one file.
type Result struct {
	Path    string
	Status  Status
	Warn    bool   // skipped, but somebody should know
	Key     string // the key that opened it
	Secrets int
	Lacks   []string // what is required and not there
	Reason  string   // why it does not count, or does not pass; "" with OK and LacksNames

	Time       time.Time   // with a live vault: when the backup was made, as its name or else the file says
	Difference *Difference // likewise
}

// Verifier says how files are looked at.
type Verifier struct {
	Keys     *keyring.Keyring
	KeyFiles []fs.FileInfo // of the keys, which may be found among the backups
	Require  []string      // names that each vault has to hold
	Live     *Live         // to compare with, or nil

	salts saltIndex
}

// Run looks at every file, whatever comes out of the others, and tells the results in the order of the files, one at a time. The error is tell's,
// or that of a context that has ended.
func (v *Verifier) Run(ctx context.Context, files []File, tell func(Result) error) error {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()

	workers := min(runtime.GOMAXPROCS(0), len(files))
	jobs, order := make(chan job), make(chan job, ahead*workers)
	v.salts.files = files
	for range workers {
		running.Go(func() {
			erase.Do(func() {
				for j := range jobs {
					j.result <- v.look(ctx, j.file)
				}
			})
		})
	}
	running.Go(func() { deal(ctx, files, order, jobs) })
	for j := range order {
		select {
		case r := <-j.result:
			if ctx.Err() != nil {
				return ctx.Err() // it may say no more than that
			}
			if err := tell(r); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return ctx.Err()
}

// job is a file to be looked at by whoever is free.
type job struct {
	file   File
	result chan Result // takes one without waiting
}

// ahead is how many results for each worker may wait for that of a slower file before them.
const ahead = 16

// deal hands the files out, to who tells of them in their order, and to who looks at them.
func deal(ctx context.Context, files []File, order, jobs chan<- job) {
	defer close(jobs)
	defer close(order)
	for _, f := range files {
		j := job{f, make(chan Result, 1)}
		for _, to := range []chan<- job{order, jobs} {
			select {
			case to <- j:
			case <-ctx.Done():
				return
			}
		}
	}
}

func (v *Verifier) look(ctx context.Context, f File) Result {
	r := Result{Path: f.Path, Reason: f.Skip}
	switch {
	case f.Skip != "":
		r.Status = Skipped
		return r
	case f.Err != nil:
		return failed(r, f.Err)
	}
	vault, key, err := v.Keys.Open(ctx, f.Path)
	if err != nil {
		return v.lookAgain(ctx, f, failed(r, err))
	}
	defer vault.Close()
	r.Status, r.Key, r.Secrets = OK, key, vault.Len()
	for _, name := range v.Require {
		if !vault.Has(name) {
			r.Status, r.Lacks = LacksNames, append(r.Lacks, name)
		}
	}
	if v.Live != nil {
		if r.Difference, err = v.Live.compare(vault); err != nil {
			return failed(r, err)
		}
		r.Time = timeOf(f.Path)
	}
	return r
}

func failed(r Result, err error) Result {
	r.Status = statusOf(err)
	var payload *vaultfile.PayloadError
	switch {
	case r.Status == Missing:
		r.Reason = "there is no such file"
	case r.Status == CutShort:
		r.Reason = "empty or cut short"
	case errors.Is(err, vaultfile.ErrFileTooLarge):
		r.Reason = "not a vault: it is larger than any"
	case r.Status == NotVault:
		r.Reason = "not a vault"
	case r.Status == WrongKey:
		r.Reason = "no key opens it: it has another one, or is damaged"
	case errors.As(err, &payload):
		r.Reason = "opened, but not well formed within: " + payload.Error() // which has no value in it
	default:
		r.Reason = err.Error()
	}
	return r
}

func statusOf(err error) Status {
	for _, row := range []struct {
		err    error
		status Status
	}{
		{fs.ErrNotExist, Missing},
		{vaultfile.ErrTooSmall, CutShort},
		{vaultfile.ErrNotVault, NotVault},
		{vaultfile.ErrFileTooLarge, NotVault},
		{vaultfile.ErrDecryption, WrongKey},
		{vaultfile.ErrPayload, BadContent},
	} {
		if errors.Is(err, row.err) {
			return row.status
		}
	}
	return Unreadable
}

// lookAgain takes a second look at a file that failed: it may be a key that was found among the backups, or something short that never was a
// vault, or show that it is damaged.
func (v *Verifier) lookAgain(ctx context.Context, f File, r Result) Result {
	if r.Status == CutShort && !mayBeVault(f.Path) {
		r = failed(r, vaultfile.ErrNotVault)
	}
	switch {
	case (r.Status == NotVault || r.Status == CutShort) && !f.named:
		if v.isGivenKey(f.Path) {
			return Result{Path: f.Path, Status: Skipped, Reason: "a key that was given"}
		}
		if looksLikeKey(f.Path) {
			return Result{Path: f.Path, Status: Skipped, Warn: true, Reason: "looks like a key; keep keys apart from the vaults that they open"}
		}
	case r.Status == WrongKey && v.damaged(ctx, f.Path):
		r.Status, r.Reason = Damaged, "damaged or cut short: a key opens others with its salt"
	}
	return r
}

// mayBeVault tells of a short file whether it is the beginning of a vault, as far as it goes. It reads no more than that: the rest may be a key.
func mayBeVault(path string) bool {
	const magicBytes = 4
	f, err := os.Open(path)
	if err != nil {
		return true
	}
	defer f.Close() // read-only: nothing to report
	var head [magicBytes]byte
	_, err = io.ReadFull(f, head[:])
	return err != nil || vaultfile.LooksLikeVault(head[:])
}

func (v *Verifier) isGivenKey(path string) bool {
	info, err := os.Stat(path)
	if err != nil {
		return false
	}
	for _, key := range v.KeyFiles {
		if os.SameFile(info, key) {
			return true
		}
	}
	return false
}
