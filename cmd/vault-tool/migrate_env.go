package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mazevault/vault-tool/internal/credentials"
	"github.com/mazevault/vault-tool/internal/durable"
	"github.com/mazevault/vault-tool/internal/lockedmem"
	"github.com/mazevault/vault-tool/vaultfile"
)

type migrateOptions struct {
	envFile   string
	include   []string
	exclude   []string
	all       bool
	overwrite bool
	keep      bool
	dryRun    bool
	prune     bool
	dialect   string
	listKeys  bool
}

func newMigrateEnvCommand(a *app) *cobra.Command {
	var o migrateOptions
	cmd := &cobra.Command{
		Use:   "migrate-env",
		Short: "Extract sensitive keys from .env into a vault",
		Long: `Copy the known sensitive variables of a .env file into the vault, which is created if there is none.
Everything else stays where it is. What looks like a secret but is not known is reported, with the
--include that takes it. Variables that are set to nothing are skipped. With --prune the lines that
went to the vault are removed from the file, once the vault is safe on disk and holds their values;
every other byte of the file stays.

Some variables are taken only if an --include names them in full: those that say where the vault
and its key are, those that belong to the host or steer how programs run (PATH, LD_PRELOAD), and
placeholders such as changeme, null, or DB_CONNECTION=mysql. They are reported.

Values are read as godotenv reads them. A line that dotenv readers understand differently is an
error, unless --dialect says whose reading counts. A line that is no assignment is reported by its
number; with --all it is an error. After such an error the report still tells what would be done,
and nothing is changed.`,
		Example: `  vault-tool migrate-env --dry-run
  vault-tool migrate-env --env-file .env --include 'STRIPE_*' --prune
  vault-tool migrate-env --env-file - --all < settings
  vault-tool migrate-env --list-keys`,
		Args: noArgumentsBut("the .env file is given with --env-file"),
		RunE: a.flushedAction(func(ctx context.Context, _ []string) error { return a.runMigrateEnv(ctx, o) }),
	}
	flags := cmd.Flags()
	flags.StringVar(&o.envFile, "env-file", ".env", "the .env `FILE`; - is standard input")
	flags.StringArrayVar(&o.include, "include", nil, "also take names that match `GLOB` (repeatable)")
	flags.StringArrayVar(&o.exclude, "exclude", nil, "do not take names that match `GLOB` (repeatable)")
	flags.BoolVar(&o.all, "all", false, "take every variable that is not excluded")
	flags.BoolVar(&o.overwrite, "overwrite", false, "where the vault holds another value, the file's counts")
	flags.BoolVar(&o.keep, "keep", false, "where the vault holds another value, the vault's counts")
	flags.BoolVar(&o.dryRun, "dry-run", false, "only report what would be done")
	flags.BoolVar(&o.prune, "prune", false, "remove the moved lines from the file")
	flags.StringVar(&o.dialect, "dialect", "", "whose reading counts for doubtful lines: godotenv, compose or literal")
	flags.BoolVar(&o.listKeys, "list-keys", false, "print the known sensitive names")
	cmd.MarkFlagsMutuallyExclusive("env-file", "list-keys")
	cmd.MarkFlagsMutuallyExclusive("overwrite", "keep")
	a.addIfMatch(cmd)
	completeFiles(cmd, "env-file")
	_ = cmd.RegisterFlagCompletionFunc("dialect", cobra.FixedCompletions([]string{"godotenv", "compose", "literal"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (a *app) runMigrateEnv(ctx context.Context, o migrateOptions) error {
	if o.listKeys {
		return a.printKnownKeys()
	}
	m, err := a.readMigration(ctx, o)
	if err != nil {
		return err
	}
	defer m.close()
	err = a.withUnlocker(ctx, func(u *vaultfile.Unlocker) error { return m.run(ctx, u) })
	if err = m.refuse(err); err != nil && !m.refused {
		return err
	}
	return errors.Join(err, a.reportMigration(m))
}

func (a *app) printKnownKeys() error {
	known := credentials.Known()
	if a.json {
		byCategory := make(map[string][]string, len(known))
		for _, category := range known {
			byCategory[category.Name] = category.Names
		}
		return a.printJSON(byCategory)
	}
	var out bytes.Buffer
	for _, category := range known {
		for _, name := range category.Names {
			fmt.Fprintf(&out, "%-15s %s\n", category.Name, name)
		}
	}
	return a.print(out.Bytes())
}

// run does the migration: the vault first, and when that is durable and read back, the file.
func (m *migration) run(ctx context.Context, u *vaultfile.Unlocker) error {
	if m.rehearses() {
		return m.rehearse(ctx, u)
	}
	// A run that was killed while it pruned may have left the old file, secrets and all, under a temporary name, and
	// nothing for this one to do.
	if m.options.envFile != stdinName {
		_ = durable.Sweep(m.options.envFile)
	}
	_ = durable.Sweep(m.vaultPath)
	if len(m.chosen) > 0 {
		update := vaultfile.UpdateOptions{WriteOptions: m.a.writeOptions("migrate-env"), CreateMissing: true}
		var err error
		if m.written, err = vaultfile.Update(ctx, m.vaultPath, u, update, m.apply); err != nil {
			return leftUnchanged(err)
		}
	}
	if m.pruned == nil {
		return nil
	}
	if err := m.replaceEnvFile(ctx, u); err != nil {
		return m.notPruned(err)
	}
	return nil
}

// notPruned is the failure of a migration whose secrets are in the vault already.
func (m *migration) notPruned(err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	o := describe(err)
	stands := fmt.Sprintf("the secrets are in %s, and their lines still in %s", m.vaultPath, m.fileName())
	if durable.InPlace(err) {
		stands = fmt.Sprintf("the secrets are in %s; %s is pruned, but a power cut may undo that", m.vaultPath, m.fileName())
	}
	if errors.Is(err, durable.ErrLeftBehind) {
		stands = fmt.Sprintf("the secrets are in %s and %s is pruned; the file that the message names has the lines still: run the command again to finish, or remove it", m.vaultPath, m.fileName())
		return &failure{code: o.code, kind: kindUnfinished, err: err, hint: stands}
	}
	if o.hint != "" && o.code != exitConflict { // whose hint is to run the command again as well
		stands += "; " + o.hint
	}
	if o.code == exitUsage {
		o.code = exitFailed // the command line was right; what it met was not
	}
	return &failure{code: o.code, kind: kindUnfinished, err: err, hint: stands + "; run the command again to finish"}
}

// rehearses tells whether nothing is to be changed: it is a dry run, or there are lines that cannot be read.
func (m *migration) rehearses() bool { return m.options.dryRun || len(m.problems) > 0 }

// rehearse works out the report of a run that changes nothing.
func (m *migration) rehearse(ctx context.Context, u *vaultfile.Unlocker) error {
	if _, err := os.Stat(m.vaultPath); errors.Is(err, fs.ErrNotExist) {
		return m.plan(emptyVault{})
	}
	v, err := vaultfile.Open(ctx, m.vaultPath, u)
	if err != nil {
		return err
	}
	defer v.Close()
	return m.plan(v)
}

// apply is the change to the vault. Whatever can go wrong with the .env file goes wrong here, before
// the vault is written.
func (m *migration) apply(d *vaultfile.Draft) error {
	m.created = d.New()
	if err := m.plan(d); err != nil {
		return err
	}
	for _, s := range m.chosen {
		if s.fate != moved {
			continue
		}
		if _, err := d.Set(s.name, s.value); err != nil {
			return err
		}
	}
	return nil
}

// replaceEnvFile puts the pruned content in the file's place, after a look at the vault as it is on
// disk: every value whose line goes must be there.
func (m *migration) replaceEnvFile(ctx context.Context, u *vaultfile.Unlocker) error {
	v, err := vaultfile.Open(ctx, m.vaultPath, u)
	if err != nil {
		return err
	}
	defer v.Close()
	for _, s := range m.chosen {
		if !s.fate.prunes() {
			continue
		}
		if same, _ := holds(v, s.name, s.value); !same {
			return conflict("", "%s changed in %s meanwhile, so %s was not pruned", s.name, m.vaultPath, m.fileName())
		}
	}
	return durable.Replace(m.options.envFile, m.pruned.Bytes(), durable.ReplaceOptions{Check: m.checkUnchanged, NoWriters: true, Remove: true})
}

// checkUnchanged refuses to overwrite what an editor saved since the file was read, or another file that
// the path has come to lead to.
func (m *migration) checkUnchanged(old *os.File) error {
	now, err := lockedmem.ReadAll(old, maxEnvFileBytes)
	if err != nil && !errors.Is(err, lockedmem.ErrTooLarge) {
		return err
	}
	defer now.Destroy()
	if err != nil || !bytes.Equal(now.Bytes(), m.source.Bytes()) {
		return conflict("", "%s changed while it was being migrated", m.options.envFile)
	}
	return nil
}

// secretReader is what a plan asks of the vault: an open one, a draft, or none.
type secretReader interface {
	Use(name string, f func(value []byte) error) error
}

// emptyVault stands for a vault that does not exist.
type emptyVault struct{}

func (emptyVault) Use(string, func([]byte) error) error { return vaultfile.ErrNotFound }

// holds tells whether the vault has the secret with that value, and whether it has it at all.
func holds(v secretReader, name string, value []byte) (same, there bool) {
	err := v.Use(name, func(held []byte) error {
		same = bytes.Equal(held, value)
		return nil
	})
	return same, err == nil
}

// join writes names for a message.
func join(names []string) string { return strings.Join(names, ", ") }
