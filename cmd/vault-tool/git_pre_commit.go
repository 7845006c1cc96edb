package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mazevault/vault-tool/internal/credentials"
	"github.com/mazevault/vault-tool/internal/dotenv"
	"github.com/mazevault/vault-tool/internal/erase"
	"github.com/mazevault/vault-tool/internal/gitobjects"
	"github.com/mazevault/vault-tool/internal/keyshape"
	"github.com/mazevault/vault-tool/internal/lockedmem"
	"github.com/mazevault/vault-tool/internal/scan"
	"github.com/mazevault/vault-tool/internal/scope"
)

func newGitPreCommitCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   preCommitHook,
		Short: "Refuse a commit that has what belongs into the vault",
		Args:  argumentsOf(),
	}
	cmd.RunE = a.action(func(ctx context.Context, _ []string) error { return a.runPreCommit(ctx) })
	a.addKeyFiles(cmd)
	return cmd
}

// preCommit looks at what git has staged.
type preCommit struct {
	*app
	report  *scanReport
	scanner *scan.Scanner // nil: values are not looked for
	names   map[string]bool
	refused int
}

func (a *app) runPreCommit(ctx context.Context) error {
	staged, err := gitobjects.StagedFiles(ctx)
	if err != nil {
		return gitError(err)
	}
	if len(staged) == 0 {
		return nil
	}
	p := &preCommit{app: a, report: &scanReport{app: a}}
	learned, err := p.learn(ctx)
	switch {
	case ctx.Err() != nil:
		return err
	case err != nil:
		p.warn("values of the vault are not looked for, nor .env files that set its names: %v", err)
	default:
		defer learned.Destroy()
		if p.scanner, err = scan.NewScanner(learned.Set); err != nil {
			return err
		}
		defer p.scanner.Close()
	}
	if err := p.look(ctx, staged); err != nil {
		return gitError(err)
	}
	return p.end()
}

// learn takes names and values from the vault.
func (p *preCommit) learn(ctx context.Context) (learned *values, err error) {
	quiet := p.quiet
	p.quiet = true // at every commit: which values are too short to be looked for
	defer func() { p.quiet = quiet }()
	err = p.withDelivered(ctx, func(v scope.Secrets) (err error) {
		names := v.Names()
		p.names = make(map[string]bool, len(names))
		for _, name := range names {
			p.names[path.Base(name)] = true // a .env file knows no scopes
		}
		learned, err = p.learnValues(v, names)
		return err
	})
	return learned, err
}

func (p *preCommit) look(ctx context.Context, staged []gitobjects.Staged) error {
	return gitobjects.EachStaged(ctx, staged, func(s gitobjects.Staged, o gitobjects.Object, content io.Reader) error {
		file := s.Path
		if o.Kind == gitobjects.Missing {
			p.report.unreadable(file, errors.New("git does not have its content"))
			return nil
		}
		if o.Size > keyshape.MaxBytes && (!isEnvFile(file) || o.Size > maxEnvFileBytes) {
			return p.scan(ctx, file, content)
		}
		text, err := lockedmem.ReadAll(content, int(o.Size))
		if err != nil {
			return err
		}
		defer text.Destroy()
		if err := p.checkShape(ctx, file, text.Bytes()); err != nil {
			return err
		}
		return p.scan(ctx, file, bytes.NewReader(text.Bytes()))
	})
}

func (p *preCommit) scan(ctx context.Context, file string, content io.Reader) error {
	p.report.files++
	if p.scanner == nil {
		return nil
	}
	return p.report.scanOne(ctx, p.scanner, scanPlace{File: file}, content)
}

// checkShape finds what needs no value to be found.
func (p *preCommit) checkShape(ctx context.Context, file string, content []byte) error {
	if p.isKey(ctx, file, content) {
		return p.refuse("%s: a key file", file)
	}
	if !isEnvFile(file) {
		return nil
	}
	var err error
	erase.Do(func() { err = p.checkEnv(file, content) }) // the parsers make strings of the values
	erase.Flush()
	return err
}

func (p *preCommit) refuse(format string, args ...any) error {
	p.refused++
	return p.print([]byte(printable(fmt.Sprintf(format, args...)) + "\n"))
}

// isKey tells whether a file is a key as init makes it, the key of the command line or named as that is.
func (p *preCommit) isKey(ctx context.Context, file string, content []byte) bool {
	base := path.Base(file)
	switch {
	case len(content) == 0 || len(content) > keyshape.MaxBytes:
		return false
	case keyshape.IsMadeByInit(content) && path.Ext(base) != ".sha256": // which is as long, and public
		return true
	case p.azureURL() != "":
		return false
	}
	for _, key := range append([]string{p.keyPath()}, p.moreKeys...) {
		if name := filepath.Base(key); base == name || strings.HasPrefix(base, name+".") {
			return true
		}
		same := false
		source := p.keyFile(key)
		_ = source.Passphrase(ctx, func(passphrase []byte) error { // one that cannot be read is told where the vault is opened
			same = bytes.Equal(bytes.TrimRight(content, "\r\n"), bytes.TrimRight(passphrase, "\r\n"))
			return nil
		})
		source.Close()
		if same {
			return true
		}
	}
	return false
}

// isEnvFile tells whether a file is named as those that set the variables of a deployment. Examples of them are for everybody.
func isEnvFile(file string) bool {
	base := path.Base(file)
	if base != ".env" && !strings.HasPrefix(base, ".env.") && path.Ext(base) != ".env" {
		return false
	}
	for part := range strings.SplitSeq(base, ".") {
		switch part {
		case "example", "sample", "template", "dist":
			return false
		}
	}
	return true
}

// checkEnv finds the variables that are the vault's, or without it those that vault-tool knows to be secrets.
func (p *preCommit) checkEnv(file string, content []byte) error {
	parsed, err := dotenv.Parse(content, dotenv.Strict)
	if err != nil {
		p.report.unreadable(file, err)
		return nil
	}
	defer parsed.Wipe()
	for e := range parsed.Effective() {
		what := "which is in the vault"
		is := p.names[e.Name]
		if p.scanner == nil {
			what, is = "which is a secret", credentials.IsKnown(e.Name)
		}
		value := e.Value
		if e.Err != nil {
			value = parsed.RawValue(e)
		}
		if !is || e.Stray || e.Bare || len(value) == 0 || credentials.IsPlaceholder(value) || credentials.IsDriver(e.Name, value) {
			continue
		}
		if err := p.refuse("%s:%d: sets %s, %s", file, e.Line, e.Name, what); err != nil {
			return err
		}
	}
	return nil
}

// end refuses the commit if anything was found.
func (p *preCommit) end() error {
	found := p.refused + p.report.findings
	switch {
	case found > 0:
		return &failure{code: exitConflict, kind: kindValueFound, err: fmt.Errorf("the commit is refused: it has what belongs into the vault, or opens it, at %s", count(found, "place")),
			hint: "take each out of the commit: git restore --staged FILE; or commit it all the same: git commit --no-verify"}
	case p.report.notRead > 0:
		return &failure{code: exitFailed, err: fmt.Errorf("the commit is refused: %s could not be looked at", count(p.report.notRead, "file")),
			hint: "the warnings above name them and say why; to commit all the same: git commit --no-verify"}
	}
	return nil
}
