package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/mazevault/vault-tool/internal/lockedmem"
	"github.com/mazevault/vault-tool/internal/terminal"
	"github.com/mazevault/vault-tool/vaultfile"
)

type addOptions struct {
	name          string
	ifAbsent      bool
	raw           bool
	generate      bool // instead of reading the value from standard input
	generateBytes int
	allowEmpty    bool
	create        bool
}

type addSummary struct {
	VaultFile string            `json:"vault_file"`
	Name      string            `json:"name"`
	Outcome   vaultfile.Outcome `json:"outcome"`
	Created   bool              `json:"vault_created"`
}

// Random bytes of a generated value: the default, and the bounds of what makes sense.
const (
	defaultGenerateBytes = 32
	minGenerateBytes     = 8
	maxGenerateBytes     = 4096
)

func newAddCommand(a *app) *cobra.Command {
	var o addOptions
	cmd := &cobra.Command{
		Use:   "add --name NAME",
		Short: "Add or update a single secret",
		Long: `Add a secret, or overwrite it if it exists. The value comes from standard input and loses one trailing
newline, the one that echo adds; --raw keeps it. On a terminal the value is asked for and not shown.`,
		Example: `  echo "my-new-token" | vault-tool add --name DYNATRACE_TOKEN
  vault-tool add --name TLS_KEY --raw < tls.key
  vault-tool add --name SESSION_SECRET --generate --if-absent`,
		Args: noAddArguments,
	}
	flags := cmd.Flags()
	cmd.RunE = a.action(func(ctx context.Context, _ []string) error {
		o.generate = flags.Changed("generate")
		return a.runAdd(ctx, o)
	})
	flags.StringVar(&o.name, "name", "", "the secret's name: letters, digits, '_', '.', '-', parts separated by '/'")
	flags.BoolVar(&o.ifAbsent, "if-absent", false, "leave a secret that exists as it is")
	flags.BoolVar(&o.raw, "raw", false, "keep a trailing newline")
	flags.IntVar(&o.generateBytes, "generate", 0, "draw a random value of so many `BYTES` instead of reading one, in hexadecimal digits (default 32)")
	flags.Lookup("generate").NoOptDefVal = strconv.Itoa(defaultGenerateBytes)
	flags.BoolVar(&o.allowEmpty, "allow-empty", false, "accept an empty value")
	flags.BoolVar(&o.create, "create", false, "create the vault if there is none")
	cmd.MarkFlagsMutuallyExclusive("generate", "raw")
	cmd.MarkFlagsMutuallyExclusive("generate", "allow-empty")
	_ = cmd.MarkFlagRequired("name")                                        // fails for an unknown flag only
	_ = cmd.RegisterFlagCompletionFunc("name", a.completeNames)             // likewise
	_ = cmd.RegisterFlagCompletionFunc("generate", cobra.NoFileCompletions) // likewise
	return cmd
}

// noAddArguments is noArguments, with help for who writes "--generate 64".
func noAddArguments(cmd *cobra.Command, args []string) error {
	err := noArguments(cmd, args)
	if err == nil || !cmd.Flags().Changed("generate") || len(args) != 1 {
		return err
	}
	if size, sizeErr := strconv.ParseUint(args[0], 10, 16); sizeErr == nil {
		return badInput(fmt.Sprintf("the size is joined to the flag: --generate=%d", size), "%w", err)
	}
	return err
}

func (a *app) runAdd(ctx context.Context, o addOptions) error {
	if err := checkName(o.name); err != nil {
		return err
	}
	if o.generate && (o.generateBytes < minGenerateBytes || o.generateBytes > maxGenerateBytes) {
		return badInput("32 is a good choice", "--generate takes %d to %d bytes", minGenerateBytes, maxGenerateBytes)
	}
	if err := refuseSameFile(a.vaultPath(), a.keyPath()); err != nil {
		return err
	}
	value, err := a.newValue(ctx, o)
	if err != nil {
		return err
	}
	defer value.Destroy()

	s := addSummary{VaultFile: a.vaultPath(), Name: o.name}
	err = a.withUnlocker(ctx, func(u *vaultfile.Unlocker) error {
		update := vaultfile.UpdateOptions{WriteOptions: a.writeOptions(), CreateMissing: o.create}
		return vaultfile.Update(ctx, s.VaultFile, u, update, func(d *vaultfile.Draft) (err error) {
			s.Created = d.New()
			if o.ifAbsent && d.Has(o.name) {
				s.Outcome = vaultfile.Unchanged
				return nil
			}
			s.Outcome, err = d.Set(o.name, value.Bytes())
			return err
		})
	})
	err = leftUnchanged(err)
	if errors.Is(err, vaultfile.ErrNotExist) {
		return &failure{code: exitNotFound, err: err, hint: "check --vault-file and " + vaultFileEnv + ", or make a new vault with: --create"}
	}
	if err != nil {
		return err
	}
	return a.reportAdd(s, o)
}

func (a *app) reportAdd(s addSummary, o addOptions) error {
	if s.Created {
		a.note("created %s", s.VaultFile)
	}
	switch {
	case s.Outcome == vaultfile.Added:
		a.note("added %s to %s", s.Name, s.VaultFile)
	case s.Outcome == vaultfile.Updated:
		a.note("updated %s in %s", s.Name, s.VaultFile)
	case o.ifAbsent:
		a.note("%s is in %s already; left as it is", s.Name, s.VaultFile)
	default:
		a.note("%s has that value in %s already", s.Name, s.VaultFile)
	}
	if a.json {
		return a.printJSON(s)
	}
	return nil
}

// newValue reads or draws the value, and refuses an empty one unless it is wanted.
func (a *app) newValue(ctx context.Context, o addOptions) (*lockedmem.Buffer, error) {
	if o.generate {
		return generateValue(o.generateBytes)
	}
	value, err := a.readValue(ctx, o)
	if err != nil {
		return nil, err
	}
	if value.Len() == 0 && !o.allowEmpty {
		value.Destroy()
		return nil, badInput("nothing was changed; an empty value is stored with --allow-empty", "the value for %s is empty", o.name)
	}
	return value, nil
}

func (a *app) readValue(ctx context.Context, o addOptions) (*lockedmem.Buffer, error) {
	if terminal.Is(a.stdin) {
		a.interrupts.catch() // a process that ends at once leaves the terminal without echo
		return terminal.ReadHidden(ctx, a.stdin, a.stderr, "Value for "+o.name+" (not shown): ")
	}
	// Room for the newline that a value of the largest size may be followed by.
	value, err := a.readInput(ctx, a.stdin, "the value for "+o.name, vaultfile.MaxValueBytes+len("\r\n"))
	if err != nil {
		return nil, err
	}
	if !o.raw {
		dropNewline(value)
	}
	return value, nil
}

func generateValue(size int) (*lockedmem.Buffer, error) {
	random, err := lockedmem.New(size)
	if err != nil {
		return nil, err
	}
	defer random.Destroy()
	_, _ = rand.Read(random.Bytes()) // never fails: crypto/rand ends the process instead
	text, err := lockedmem.New(hex.EncodedLen(size))
	if err != nil {
		return nil, err
	}
	hex.Encode(text.Bytes(), random.Bytes())
	return text, nil
}
