package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mazevault/vault-tool/internal/durable"
	"github.com/mazevault/vault-tool/internal/export"
	"github.com/mazevault/vault-tool/internal/followlinks"
	"github.com/mazevault/vault-tool/internal/lockedmem"
	"github.com/mazevault/vault-tool/internal/owner"
	"github.com/mazevault/vault-tool/internal/scope"
	"github.com/mazevault/vault-tool/internal/selection"
	"github.com/mazevault/vault-tool/internal/terminal"
	"github.com/mazevault/vault-tool/vaultfile"
)

type exportOptions struct {
	selection.Selection
	format     string
	out        string
	force      bool
	showValues bool
	secretName string
	revision   string // "": as it is now
}

type exportSummary struct {
	Format  string `json:"format"`
	Out     string `json:"out"`
	Secrets int    `json:"secrets"`
}

// exportMode is the mode of a file that export makes.
const exportMode fs.FileMode = 0o600

// githubEnv is the form whose file is appended to: GitHub makes it, and every step adds to it.
const githubEnv = "github-env"

// formatJSON is the form that encrypt and apply read back: it has everything as the vault has it, references as texts.
const formatJSON = "json"

func newExportCommand(a *app) *cobra.Command {
	var o exportOptions
	cmd := &cobra.Command{
		Use:   "export --format FORM",
		Short: "Write secrets in the form that another program reads",
		Long: `Write secrets, values and all, in the form that another program reads:

  dotenv      lines that godotenv, docker compose and npm's dotenv read alike
  json        an object of names to strings, which encrypt and apply read
  sh          export lines for a shell to source
  docker-env  lines for docker run --env-file
  systemd     lines for EnvironmentFile=
  k8s-secret  a Kubernetes Secret, as YAML
  github-env  commands that hide the values in GitHub's logs, then lines for $GITHUB_ENV

Every value is quoted so that this program gets exactly its bytes. One that the form cannot carry is an
error that names the secret, and nothing is written. Secrets of a scope (with a '/' in the name) are left
out, but from json. For sh, docker-env, systemd and github-env a name that makes common programs run other
code is an error, unless an --only names it, as in exec.

A secret that is a reference to an external store is an error, but in json, which has its text.

Values go to a terminal only with --show-values. --out makes a file of mode 0600; with github-env it
appends the lines to the file, and the commands go to standard output, where GitHub reads them.`,
		Example: `  source <(vault-tool export --format sh --only 'SMTP_*')
  vault-tool export --format k8s-secret --secret-name app | kubectl apply -f -
  vault-tool export --format github-env --out "$GITHUB_ENV"`,
		Args: noArgumentsBut("the form is given with --format, and secrets are chosen with --only"),
	}
	cmd.RunE = a.action(func(ctx context.Context, _ []string) error { return a.runExport(ctx, o) })
	flags := cmd.Flags()
	flags.StringVar(&o.format, "format", "", "the `FORM`: "+strings.Join(export.Names(), ", "))
	flags.StringArrayVar(&o.Only, "only", nil, "only the secrets that match `GLOB` (repeatable)")
	flags.StringArrayVar(&o.Except, "except", nil, "not the secrets that match `GLOB` (repeatable)")
	flags.StringVarP(&o.out, "out", "o", "", "write to `FILE` instead of standard output")
	flags.BoolVar(&o.force, "force", false, "with --out: replace a file that exists")
	flags.BoolVar(&o.showValues, "show-values", false, "write values to a terminal; mind who sees it and what records it")
	flags.StringVar(&o.secretName, "secret-name", "", "with k8s-secret: the `NAME` of the Secret (default: the vault file's)")
	flags.StringVar(&o.revision, "revision", "", "the folder of the scope as it was at revision `N`, which history --json lists")
	_ = cmd.MarkFlagRequired("format") // fails for an unknown flag only
	a.addReadScope(cmd)
	completeFiles(cmd, "out")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(export.Names(), cobra.ShellCompDirectiveNoFileComp)) // likewise
	return cmd
}

func (a *app) runExport(ctx context.Context, o exportOptions) error {
	format, ok := export.Lookup(o.format)
	switch {
	case !ok:
		return badInput("the forms are "+strings.Join(export.Names(), ", "), "--format takes the name of a form")
	case o.out == "" && terminal.Is(a.stdout) && !o.showValues:
		return badInput("write to a file with --out, to a pipe, or show them all the same with --show-values", "values are not written to a terminal")
	case o.secretName != "" && !isKubernetesName(o.secretName):
		return badInput("small letters, digits, '-' and '.', beginning and ending with a letter or a digit", "--secret-name takes the name of a Kubernetes object")
	}
	if err := globError(o.Validate()); err != nil {
		return err
	}
	if err := a.checkExportFile(o); err != nil {
		return err
	}
	return a.withExported(ctx, o, func(v scope.Secrets) error {
		names := v.Names()
		if err := a.checkDelivered(o.Selection, names); err != nil {
			return err
		}
		names = o.Names(names)
		if o.format != formatJSON {
			names = a.withoutScoped(o.Selection, names)
			if err := refuseReferences(v, names); err != nil {
				return err
			}
		}
		secrets := make([]export.Secret, 0, len(names))
		err := eachOf(v, names, func(name string, value []byte) { secrets = append(secrets, export.Secret{Name: name, Value: value}) })
		if err != nil {
			return err
		}
		if err := checkExport(o, format, secrets); err != nil {
			return err
		}
		a.warnOfSteering(o, secrets)
		return a.writeExport(o, format, secrets)
	})
}

// withExported calls f with the secrets of the scope, as they are or as they were.
func (a *app) withExported(ctx context.Context, o exportOptions, f func(scope.Secrets) error) error {
	if o.revision == "" && o.format == formatJSON {
		return a.withSecrets(ctx, f)
	}
	if o.revision == "" {
		return a.withDelivered(ctx, f)
	}
	revision, err := parseVersion("--revision", o.revision)
	if err != nil {
		return err
	}
	if a.scope.Inherit {
		return badInput("leave --inherit out", "--revision is of one folder")
	}
	return a.withHistory(ctx, func(v *vaultfile.Vault) error {
		var memory lockedmem.Arena
		defer memory.Destroy()
		former, err := formerFolder(v, a.scope.Path, revision, &memory)
		if err != nil {
			return revisionError(a.vaultPath(), err)
		}
		if o.format == formatJSON {
			return f(a.scope.Of(former))
		}
		return f(a.scope.Of(formerDeliverable{former, v}))
	})
}

// checkExportFile keeps a slip from replacing what the command reads.
func (a *app) checkExportFile(o exportOptions) error {
	if o.out == "" {
		return nil
	}
	for _, input := range []struct{ path, what string }{{a.vaultPath(), "vault"}, {a.keyPath(), "key file"}} {
		if err := refuseSameFile(o.out, input.path); err != nil {
			return badInput("write to another file", "--out is the %s: %s", input.what, o.out)
		}
	}
	if o.out == stdinName {
		return badInput("leave --out out: then it is written to standard output", "--out takes the path of a file")
	}
	if err := checkExportDirectory(o.out); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if _, err := os.Lstat(o.out); err == nil && !o.force && o.format != githubEnv {
		return existsAlready("write to another file, or replace it with: --force", "%s exists already", o.out)
	}
	return nil
}

// checkExport refuses what the form cannot carry, and what must not reach an environment.
func checkExport(o exportOptions, format export.Format, secrets []export.Secret) error {
	var problems, steered []string
	for _, s := range secrets {
		if problem := format.Problem(s.Name, s.Value); problem != "" {
			problems = append(problems, s.Name+" ("+problem+")")
		} else if format.Variables && o.format != "dotenv" && steers(s.Name) && !o.Named(s.Name) {
			steered = append(steered, s.Name)
		}
	}
	if len(problems) > 0 {
		return badInput("nothing was written; leave them out with --except, or use another form: json carries everything",
			"%s cannot carry: %s", o.format, join(problems))
	}
	if len(steered) > 0 {
		return badInput("nothing was written; leave them out with --except, or name each with --only if they are meant",
			"these variables can make a program run other code: %s", join(steered))
	}
	return nil
}

// warnOfSteering tells of names that do no harm in a file of these forms, and may where it becomes an environment.
func (a *app) warnOfSteering(o exportOptions, secrets []export.Secret) {
	if o.format != "dotenv" && o.format != "k8s-secret" {
		return
	}
	var steered []string
	for _, s := range secrets {
		if steers(s.Name) && !o.Named(s.Name) {
			steered = append(steered, s.Name)
		}
	}
	if len(steered) > 0 {
		a.warn("these variables can make a program run other code that gets them from what is written: %s", join(steered))
	}
}

func (a *app) writeExport(o exportOptions, format export.Format, secrets []export.Secret) error {
	options := export.Options{SecretName: o.secretName, Masks: true, Lines: o.out == ""}
	if options.SecretName == "" {
		options.SecretName = kubernetesName(a.vaultPath())
	}
	if o.out == "" || o.format == githubEnv {
		text := format.Text(secrets, options)
		if err := a.printSecret(text.Len(), text.Append); err != nil || o.out == "" {
			return err
		}
		options.Masks, options.Lines = false, true
	}
	text := format.Text(secrets, options)
	buf, err := lockedmem.New(text.Len())
	if err != nil {
		return err
	}
	defer buf.Destroy()
	if err := leftUnchanged(writeExportFile(o, text.Append(buf.Bytes()[:0]))); err != nil {
		return err
	}
	a.note("wrote %s to %s", count(len(secrets), "secret"), o.out)
	if a.json {
		return a.printJSON(exportSummary{o.format, o.out, len(secrets)})
	}
	return nil
}

// checkExportDirectory refuses a directory where somebody else could put a file in the place of the one that is written, or have it
// written elsewhere.
func checkExportDirectory(out string) error {
	dir, err := followlinks.Open(filepath.Dir(out), func(link string, info fs.FileInfo) error {
		if o, ok := owner.Of(info); ok && o.UID != 0 && !owner.IsCaller(info) {
			return &failure{code: exitInsecure, err: fmt.Errorf("%s is a link of another user (uid %d)", link, o.UID), hint: nothingChanged + "; give the path that it leads to, if that is right"}
		}
		return nil
	})
	if err != nil {
		return err
	}
	info, err := dir.Stat()
	if closeErr := dir.Close(); err == nil {
		err = closeErr
	}
	if err == nil && owner.EverybodyMayReplace(info) {
		return &failure{code: exitInsecure, err: fmt.Errorf("%s can be written to by every user", filepath.Dir(out)), hint: nothingChanged + "; write to a directory of your own"}
	}
	return err
}

// writeExportFile makes the file or, where that is wanted, replaces it or appends to it.
func writeExportFile(o exportOptions, content []byte) error {
	if o.format == githubEnv {
		return appendTo(o.out, content)
	}
	if info, err := os.Stat(o.out); err == nil && o.force {
		return replaceExportFile(o.out, info, content)
	}
	err := durable.Create(o.out, content, durable.CreateOptions{Mode: exportMode})
	if errors.Is(err, fs.ErrExist) {
		return existsAlready("write to another file, or replace it with: --force", "%s exists already", o.out)
	}
	return err
}

// replaceExportFile replaces a file of the caller's, which nobody else may read then.
func replaceExportFile(path string, info fs.FileInfo, content []byte) error {
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s: %w", path, durable.ErrNotRegular)
	}
	if !owner.IsCaller(info) { // a file that is replaced keeps its owner, who could read the secrets
		return &failure{code: exitInsecure, err: fmt.Errorf("%s belongs to another user", path), hint: nothingChanged + "; write to another file"}
	}
	if err := os.Chmod(path, exportMode); err != nil { // before the values are in it: it keeps its mode
		return err
	}
	return durable.Replace(path, content, durable.ReplaceOptions{})
}

// appendTo appends lines, behind a line that has no end as well.
func appendTo(path string, content []byte) (err error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() { // a pipe would be waited for
		return fmt.Errorf("%s: %w", path, durable.ErrNotRegular)
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, exportMode)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := endLine(path, f); err != nil {
		return err
	}
	if _, err := f.Write(content); err != nil {
		return err
	}
	return f.Sync()
}

// kubernetesName makes the name of a Kubernetes object of a vault's path.
func kubernetesName(path string) string {
	base := strings.ToLower(strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)))
	name := strings.Trim(strings.Map(func(c rune) rune {
		if isKubernetesByte(c) {
			return c
		}
		return '-'
	}, base), "-.")
	if !isKubernetesName(name) {
		return "secrets"
	}
	return name
}

// isKubernetesName tells whether a name is a DNS subdomain (RFC 1123), as that of an object has to be.
func isKubernetesName(name string) bool {
	const most = 253
	if name == "" || len(name) > most {
		return false
	}
	for part := range strings.SplitSeq(name, ".") {
		if part == "" || part[0] == '-' || part[len(part)-1] == '-' {
			return false
		}
	}
	return !slices.ContainsFunc([]rune(name), func(c rune) bool { return !isKubernetesByte(c) })
}

func isKubernetesByte(c rune) bool {
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '.'
}

// endLine ends the last line of a file that is appended to.
func endLine(path string, f *os.File) error {
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return err
	}
	reader, err := os.Open(path)
	if err != nil {
		return nil // it may be written to only, and so its end is nobody's to know
	}
	defer reader.Close() // opened for reading only
	var last [1]byte
	if _, err := reader.ReadAt(last[:], info.Size()-1); err != nil || last[0] == '\n' {
		return err
	}
	_, err = f.Write([]byte{'\n'})
	return err
}
