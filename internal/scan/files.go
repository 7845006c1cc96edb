package scan

import (
	"context"
	"io"
	"io/fs"
	"iter"
	"runtime"
	"sync"

	"github.com/mazevault/vault-tool/internal/descriptor"
	"github.com/mazevault/vault-tool/internal/erase"
	"github.com/mazevault/vault-tool/internal/matcher"
)

// Result is what is told of a file: a finding, or why it could not be read, or could not be read to its end.
type Result struct {
	Path string
	Finding
	Err error
}

// job is one file. Its worker sends what is found, and closes the channel when it is done with the file.
type job struct {
	file    File
	results chan Result
}

// Files scans files, on all processors, and calls report with what is found, in the order of the files. It returns how many
// were read to their end, and an error only where it could not go on.
func Files(ctx context.Context, set *matcher.Set, files iter.Seq[File], report func(Result) error) (read int, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	scanners, err := newScanners(set, runtime.GOMAXPROCS(0))
	if err != nil {
		return 0, err
	}
	jobs := make(chan *job)
	inOrder := make(chan *job, 4*len(scanners)) // a large file lets the others get so far ahead
	var running sync.WaitGroup
	defer running.Wait()
	for _, scanner := range scanners {
		running.Go(func() {
			defer scanner.Close()
			erase.Do(func() { // which does not reach into a goroutine from outside
				for j := range jobs {
					j.scan(ctx, scanner)
				}
			})
		})
	}
	running.Go(func() { hand(ctx, files, jobs, inOrder) })
	for j := range inOrder {
		whole := true
		for r := range j.results {
			whole = whole && r.Err == nil
			if err == nil {
				err = report(r)
			}
			if err != nil {
				cancel()
			}
		}
		if whole && ctx.Err() == nil {
			read++
		}
	}
	if err == nil {
		err = ctx.Err()
	}
	return read, err
}

func newScanners(set *matcher.Set, count int) ([]*Scanner, error) {
	var scanners []*Scanner
	for range count {
		s, err := NewScanner(set)
		if err != nil {
			for _, s := range scanners {
				s.Close()
			}
			return nil, err
		}
		scanners = append(scanners, s)
	}
	return scanners, nil
}

// hand gives the files to the workers, and in the same order to who reports.
func hand(ctx context.Context, files iter.Seq[File], jobs, inOrder chan<- *job) {
	defer close(inOrder)
	defer close(jobs)
	for file := range files {
		if ctx.Err() != nil {
			return
		}
		j := &job{file, make(chan Result, 16)}
		inOrder <- j // whose results are taken as long as there are any
		jobs <- j
	}
}

func (j *job) scan(ctx context.Context, scanner *Scanner) {
	defer close(j.results)
	err := j.file.Err
	if err == nil {
		err = j.file.read(ctx, func(r io.Reader) error {
			return scanner.Scan(ctx, r, func(f Finding) { j.results <- Result{Path: j.file.Path, Finding: f} })
		})
	}
	if err != nil && ctx.Err() == nil {
		j.results <- Result{Path: j.file.Path, Err: err}
	}
}

// read calls f with the content of the file.
func (f File) read(ctx context.Context, use func(io.Reader) error) error {
	file, err := descriptor.Open(f.Path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // nothing was written
	info, err := file.Stat()
	switch {
	case err != nil:
		return err
	case info.Mode().IsRegular():
		return use(file)
	case f.Walked:
		return nil // exchanged since its directory was read
	case info.IsDir():
		return &fs.PathError{Op: "read", Path: f.Path, Err: fs.ErrInvalid}
	}
	return use(descriptor.Reader(ctx, file))
}
