package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"runtime/debug"
	"slices"

	"github.com/spf13/cobra"

	"github.com/mazevault/vault-tool/internal/descriptor"
	"github.com/mazevault/vault-tool/internal/gitobjects"
	"github.com/mazevault/vault-tool/internal/scan"
	"github.com/mazevault/vault-tool/internal/selection"
	"github.com/mazevault/vault-tool/internal/terminal"
)

type searchOptions struct {
	selection.Selection
	staged  bool
	history bool
}

func newScanCommand(a *app) *cobra.Command {
	var o searchOptions
	cmd := &cobra.Command{
		Use:   "scan PATH… | --staged | -",
		Short: "Find values of the vault in files, and name them",
		Long: `Find values of the vault in files, in the directories that are named and below, in what git has staged, or
in standard input (-). Each is told as FILE:LINE:COLUMN: NAME, never with the value; the column counts bytes.

A value is found as it is, and escaped for JSON, URLs and shells, in hexadecimal and in base64, also where
it is a part of what was encoded; a private key in PEM line by line. Values of fewer than 8 bytes are not
looked for, and named on standard error.

Binary files are scanned too. Left out are the vault, its lock and its key file, symbolic links that are
found in a directory, and .git; with --history every object of the repositories that the directories are
in is scanned as well, and told as OBJECT:LINE:COLUMN: NAME (PATH).

It ends with 6 if any value was found, else with 1 if anything could not be read.`,
		Example: `  vault-tool scan .
  vault-tool scan --staged                      # in a pre-commit hook
  vault-tool scan --history --json . | jq -r .object
  docker save app | vault-tool scan -`,
		Args: func(_ *cobra.Command, paths []string) error { return o.checkPaths(paths) },
		RunE: a.action(func(ctx context.Context, paths []string) error { return a.runScan(ctx, o, paths) }),
	}
	flags := cmd.Flags()
	flags.BoolVar(&o.staged, "staged", false, "what the next commit of the git repository would change")
	flags.BoolVar(&o.history, "history", false, "also all objects of the git repositories that the directories are in")
	flags.StringArrayVar(&o.Only, "only", nil, "only the secrets that match `GLOB` (repeatable)")
	flags.StringArrayVar(&o.Except, "except", nil, "not the secrets that match `GLOB` (repeatable)")
	a.addReadScope(cmd)
	return cmd
}

// checkPaths refuses arguments that do not say what to scan, or say it twice.
func (o searchOptions) checkPaths(paths []string) error {
	switch {
	case o.staged && o.history:
		return errors.New("give --staged or --history, not both")
	case o.staged && len(paths) > 0:
		return errors.New("--staged takes no path")
	case !o.staged && len(paths) == 0:
		return badInput("vault-tool scan . for the working directory, --staged for what git has staged, - for standard input", "give the files or directories to scan")
	case slices.Contains(paths, ""):
		return errors.New("a path is empty")
	case slices.Contains(paths, stdinName) && (len(paths) > 1 || o.history):
		return errors.New("- stands alone")
	}
	return nil
}

func (a *app) runScan(ctx context.Context, o searchOptions, paths []string) error {
	values, err := a.openValues(ctx, o.Selection)
	if err != nil {
		return err
	}
	defer values.Destroy()
	debug.SetGCPercent(100) // the runtime's default: this command may last
	r := &scanReport{app: a, notSearched: values.short}
	switch {
	case o.staged:
		err = r.scanStaged(ctx, values)
	case paths[0] == stdinName:
		err = r.scanStdin(ctx, values)
	default:
		err = r.scanFiles(ctx, values, paths)
		for _, path := range paths {
			if err == nil && o.history {
				err = r.scanRepository(ctx, values, path)
			}
		}
	}
	if err != nil {
		return gitError(err)
	}
	return r.end()
}

// gitError adds the exit code to what git could not do.
func gitError(err error) error {
	if errors.Is(err, gitobjects.ErrGit) {
		return badInput("--staged and --history are for git repositories; the message is git's own", "%w", err)
	}
	return err
}

// scanFiles scans files, and those in directories.
func (r *scanReport) scanFiles(ctx context.Context, values *values, paths []string) error {
	read, err := scan.Files(ctx, values.Set, scan.Walk(paths, r.ownFiles()), func(result scan.Result) error {
		if result.Err != nil {
			r.unreadable(result.Path, result.Err)
			return nil
		}
		return r.found(scanPlace{File: result.Path}, result.Finding)
	})
	r.files += read
	return err
}

// ownFiles are the vault, its lock and its key, as far as they are there.
func (a *app) ownFiles() []fs.FileInfo {
	paths := []string{a.vaultPath(), a.vaultPath() + lockSuffix}
	if a.azureURL() == "" && !descriptor.Named(a.keyPath()) {
		paths = append(paths, a.keyPath())
	}
	var own []fs.FileInfo
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil {
			own = append(own, info)
		}
	}
	return own
}

// lockSuffix ends the name of a vault's lock file (docs/design.md, "Format and store").
const lockSuffix = ".lock"

func (r *scanReport) scanStdin(ctx context.Context, values *values) error {
	if terminal.Is(r.stdin) {
		r.ask("Reading from the terminal; end with Ctrl-D.")
	}
	s, err := scan.NewScanner(values.Set)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := r.scanOne(ctx, s, scanPlace{File: stdinName}, descriptor.Reader(ctx, r.stdin)); err != nil {
		return err
	}
	r.files++
	return nil
}

// scanOne scans a stream and prints what it finds as it finds it.
func (r *scanReport) scanOne(ctx context.Context, s *scan.Scanner, place scanPlace, in io.Reader) error {
	var printErr error
	err := s.Scan(ctx, in, func(f scan.Finding) {
		if printErr == nil {
			printErr = r.found(place, f)
		}
	})
	return errors.Join(printErr, err)
}

// scanStaged scans files as the next commit would have them.
func (r *scanReport) scanStaged(ctx context.Context, values *values) error {
	staged, err := gitobjects.StagedFiles(ctx)
	if err != nil {
		return err
	}
	s, err := scan.NewScanner(values.Set)
	if err != nil {
		return err
	}
	defer s.Close()
	return gitobjects.EachStaged(ctx, staged, func(file gitobjects.Staged, o gitobjects.Object, content io.Reader) error {
		path := file.Path
		if o.Kind == gitobjects.Missing {
			r.unreadable(path, errors.New("git does not have its content"))
			return nil
		}
		r.files++
		return r.scanOne(ctx, s, scanPlace{File: path}, content)
	})
}

// scanRepository scans all objects of a repository. Trees hold names and no content.
func (r *scanReport) scanRepository(ctx context.Context, values *values, dir string) error {
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return badInput("give the directory of a repository", "--history is for directories, which %s is not", dir)
	}
	s, err := scan.NewScanner(values.Set)
	if err != nil {
		return err
	}
	defer s.Close()
	findings, ids := []objectFinding(nil), make(map[string]bool)
	err = gitobjects.All(ctx, dir, func(o gitobjects.Object, content io.Reader) error {
		if o.Kind == gitobjects.Tree || o.Kind == gitobjects.Missing {
			return nil
		}
		r.objects++
		return s.Scan(ctx, content, func(f scan.Finding) {
			findings, ids[o.ID] = append(findings, objectFinding{o.ID, f}), true
		})
	})
	if err != nil || len(findings) == 0 {
		return err
	}
	paths, err := gitobjects.Paths(ctx, dir, ids)
	if err != nil {
		return err
	}
	slices.SortStableFunc(findings, compareObjects) // git gives them in the order of its packs
	for _, f := range findings {
		if err := r.found(scanPlace{Object: f.id, Path: paths[f.id]}, f.Finding); err != nil {
			return err
		}
	}
	return nil
}

type objectFinding struct {
	id string
	scan.Finding
}
