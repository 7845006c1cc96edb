// Package gitobjects reads what a git repository holds, through git itself.
//
// Contents come from git through a pipe into locked memory. Nothing that the repository configures is run: no filter, no
// text conversion, no monitor of the file system; and nothing is fetched.
package gitobjects

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"github.com/mazevault/vault-tool/internal/lockedmem"
)

// ErrGit is wrapped by the errors for what git could not do.
var ErrGit = errors.New("git")

// Object is one of a repository.
type Object struct {
	ID   string // hexadecimal
	Kind string // "blob", "tree", "commit", "tag", or "missing"
	Size int64
}

// Kinds of objects that have no content.
const (
	Tree    = "tree"    // only names
	Missing = "missing" // the repository does not have it
)

// Staged is a file as the next commit would have it.
type Staged struct {
	Path string // from the top of the repository
	ID   string // of its blob
}

// command returns git for a directory, the working directory if that is empty.
func command(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-c", "core.fsmonitor=false", "-c", "diff.relative=false"}, args...)...)
	environment := os.Environ()
	if dir != "" { // the repository of that directory, and not the one that a hook runs for
		cmd.Dir = dir
		environment = slices.DeleteFunc(environment, func(variable string) bool {
			name, _, _ := strings.Cut(variable, "=")
			return slices.Contains(repositoryVariables, name)
		})
	}
	cmd.Env = append(environment, "GIT_NO_REPLACE_OBJECTS=1", "GIT_NO_LAZY_FETCH=1", "GIT_OPTIONAL_LOCKS=0", "LC_ALL=C")
	return cmd
}

// repositoryVariables lead git to another repository than that of its directory.
var repositoryVariables = []string{
	"GIT_DIR", "GIT_COMMON_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES",
}

// failed words what git has said of its failure. None of its messages here has a content in it.
func failed(err error, stderr *bytes.Buffer) error {
	if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("%w is not installed, or not in PATH", ErrGit)
	}
	said, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(stderr.String()), "fatal: "), "\n")
	if said == "" {
		said = err.Error()
	}
	return fmt.Errorf("%w: %s", ErrGit, said)
}

// The fields of a line of `git diff --raw`: two modes, two object names, a status.
const (
	rawFields   = 5
	newModeAt   = 1
	newObjectAt = 3
	gitlinkMode = "160000" // a submodule's commit, which is no object here
)

// StagedFiles returns the files that differ from the last commit in what the next one would have, without removed ones.
func StagedFiles(ctx context.Context) ([]Staged, error) {
	if _, err := output(ctx, "rev-parse", "--git-dir"); err != nil { // outside of a repository diff does something else
		return nil, err
	}
	list, err := output(ctx, "diff", "--cached", "--raw", "-z", "--no-abbrev", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-color",
		"--ignore-submodules=all", "--diff-filter=d")
	if err != nil {
		return nil, err
	}
	var staged []Staged
	parts := strings.Split(strings.TrimSuffix(list, "\x00"), "\x00")
	for pair := range slices.Chunk(parts, 2) {
		fields := strings.Fields(strings.TrimPrefix(pair[0], ":"))
		switch {
		case pair[0] == "":
			return staged, nil
		case len(pair) < 2 || len(fields) < rawFields:
			return nil, fmt.Errorf("%w: its list of staged files is not understood", ErrGit)
		case fields[newModeAt] != gitlinkMode:
			staged = append(staged, Staged{pair[1], fields[newObjectAt]})
		}
	}
	return staged, nil
}

// output runs git in the working directory for what it prints, which is no content.
func output(ctx context.Context, args ...string) (string, error) {
	cmd := command(ctx, "", args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", endOr(ctx, failed(err, &stderr))
	}
	return stdout.String(), nil
}

// endOr is the end of the context, if that was why git failed.
func endOr(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// Each calls f with the objects of the given names, in turn, and their contents, which it need not read.
func Each(ctx context.Context, ids []string, f func(Object, io.Reader) error) error {
	if len(ids) == 0 {
		return nil
	}
	return each(ctx, command(ctx, "", "cat-file", "--batch", "--buffer"), strings.NewReader(strings.Join(ids, "\n")+"\n"), f)
}

// All calls f with all objects of the repository that dir is in, those that no branch leads to as well.
func All(ctx context.Context, dir string, f func(Object, io.Reader) error) error {
	return each(ctx, command(ctx, dir, "cat-file", "--batch", "--buffer", "--batch-all-objects", "--unordered"), nil, f)
}

func each(ctx context.Context, cmd *exec.Cmd, names io.Reader, f func(Object, io.Reader) error) (err error) {
	buf, err := lockedmem.New(pipeBytes)
	if err != nil {
		return err
	}
	defer buf.Destroy()
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = names, &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return endOr(ctx, failed(err, &stderr))
	}
	err = (&stream{in: out, buf: buf.Bytes()}).each(f)
	if err != nil {
		_ = cmd.Process.Kill() // who is not listened to any more waits for ever
	}
	if waitErr := cmd.Wait(); err == nil && waitErr != nil {
		err = failed(waitErr, &stderr)
	}
	if err != nil {
		return endOr(ctx, err)
	}
	return nil
}

// Paths returns a path for each of the given objects that some commit has a file of.
func Paths(ctx context.Context, dir string, ids map[string]bool) (map[string]string, error) {
	cmd := command(ctx, dir, "rev-list", "--objects", "--all", "--reflog")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, endOr(ctx, failed(err, &stderr))
	}
	paths := make(map[string]string)
	for lines := bufio.NewReader(out); err == nil; {
		var line string
		line, err = lines.ReadString('\n')
		id, path, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if ids[id] && path != "" {
			paths[id] = path
		}
	}
	if err := cmd.Wait(); err != nil {
		return nil, endOr(ctx, failed(err, &stderr))
	}
	return paths, nil
}

// pipeBytes is how much is read from git at a time.
const pipeBytes = 64 << 10

// stream is the output of `git cat-file --batch`: for each object a line with name, kind and size, the content, and a newline.
type stream struct {
	in    io.Reader
	buf   []byte
	ready []byte // of buf
	left  int64  // of the object's content
}

func (s *stream) each(f func(Object, io.Reader) error) error {
	for {
		object, err := s.header()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		s.left = object.Size
		if err := f(object, s); err != nil {
			return err
		}
		for s.left > 0 { // what f did not read
			if err := s.fill(); err != nil {
				return err
			}
			s.take(len(s.ready))
		}
		if object.Kind == Missing {
			continue
		}
		if err := s.fill(); err != nil {
			return err
		}
		s.ready = s.ready[1:]
	}
}

// header reads the line of an object. io.EOF is the end of the list.
func (s *stream) header() (Object, error) {
	const mostBytes = 256 // of such a line
	var line []byte       // no content
	for {
		if len(s.ready) == 0 {
			n, err := s.in.Read(s.buf)
			if s.ready = s.buf[:n]; n == 0 && err != nil {
				if errors.Is(err, io.EOF) && len(line) > 0 {
					err = errCutShort
				}
				return Object{}, err
			}
		}
		at := bytes.IndexByte(s.ready, '\n')
		if at >= 0 && len(line)+at <= mostBytes {
			line = append(line, s.ready[:at]...)
			s.ready = s.ready[at+1:]
			return parseHeader(string(line))
		}
		if len(line)+len(s.ready) > mostBytes {
			return Object{}, errNotUnderstood
		}
		line = append(line, s.ready...)
		s.ready = nil
	}
}

var (
	errCutShort      = fmt.Errorf("%w: its output ends too early", ErrGit)
	errNotUnderstood = fmt.Errorf("%w: its output is not understood", ErrGit)
)

func parseHeader(line string) (Object, error) {
	fields := strings.Fields(line)
	if len(fields) == 2 && fields[1] == Missing {
		return Object{ID: fields[0], Kind: Missing}, nil
	}
	if len(fields) != 3 {
		return Object{}, errNotUnderstood
	}
	size, err := strconv.ParseInt(fields[2], 10, 64)
	if err != nil || size < 0 {
		return Object{}, errNotUnderstood
	}
	return Object{fields[0], fields[1], size}, nil
}

// fill makes sure that something is ready.
func (s *stream) fill() error {
	for len(s.ready) == 0 {
		n, err := s.in.Read(s.buf)
		s.ready = s.buf[:n]
		if n == 0 && err != nil {
			if errors.Is(err, io.EOF) {
				return errCutShort
			}
			return err
		}
	}
	return nil
}

// take takes up to n bytes of what is ready of the object.
func (s *stream) take(n int) []byte {
	n = int(min(int64(n), int64(len(s.ready)), s.left))
	taken := s.ready[:n]
	s.ready, s.left = s.ready[n:], s.left-int64(n)
	return taken
}

// Read reads the content of the present object.
func (s *stream) Read(p []byte) (int, error) {
	if s.left == 0 {
		return 0, io.EOF
	}
	if err := s.fill(); err != nil {
		return 0, err
	}
	return copy(p, s.take(len(p))), nil
}

// EachStaged is Each for the contents of staged files.
func EachStaged(ctx context.Context, staged []Staged, f func(Staged, Object, io.Reader) error) error {
	ids := make([]string, len(staged))
	for i, file := range staged {
		ids[i] = file.ID
	}
	next := 0 // they come in the order in which they were asked for
	return Each(ctx, ids, func(o Object, content io.Reader) error {
		file := staged[next]
		next++
		return f(file, o, content)
	})
}
