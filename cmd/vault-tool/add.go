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
	"github.com/mazevault/vault-tool/internal/pendinginput"
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
	ETag      string            `json:"etag"`

	written vaultfile.Written
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
		Use:   "add NAME",
		Short: "Add or update a single secret",
		Long: `Add a secret, or overwrite it if it exists. The value comes from standard input and loses one trailing
newline, the one that echo adds; --raw keeps it. On a terminal the value is asked for and not shown.

With --generate standard input is not read; where a value waits there, that is an error. A loop over names
is not disturbed: while read -r n; do vault-tool add "$n" --generate; done < LIST`,
		Example: `  echo "my-new-token" | vault-tool add DYNATRACE_TOKEN
  vault-tool add --name TLS_KEY --raw < tls.key
  vault-tool add SESSION_SECRET --generate --if-absent`,
		Args:              oneNewName,
		ValidArgsFunction: a.completeOneName,
	}
	flags := cmd.Flags()
	cmd.RunE = a.action(func(ctx context.Context, args []string) error {
		o.generate = flags.Changed("generate")
		if len(args) > 0 {
			o.name = args[0]
		}
		return a.runAdd(ctx, o)
	})
	flags.StringVar(&o.name, "name", "", "the secret's name, if it is no argument: letters, digits, '_', '.', '-', parts separated by '/'")
	flags.BoolVar(&o.ifAbsent, "if-absent", false, "leave a secret that exists as it is")
	flags.BoolVar(&o.raw, "raw", false, "keep a trailing newline")
	flags.IntVar(&o.generateBytes, "generate", 0, "draw a random value of so many `BYTES` instead of reading one, in hexadecimal digits (default 32)")
	flags.Lookup("generate").NoOptDefVal = strconv.Itoa(defaultGenerateBytes)
	flags.BoolVar(&o.allowEmpty, "allow-empty", false, "accept an empty value")
	flags.BoolVar(&o.create, "create", false, "create the vault if there is none")
	cmd.MarkFlagsMutuallyExclusive("generate", "raw")
	cmd.MarkFlagsMutuallyExclusive("generate", "allow-empty")
	a.addIfMatch(cmd)
	a.addScope(cmd)
	_ = cmd.RegisterFlagCompletionFunc("name", a.completeNames)             // fails for an unknown flag only
	_ = cmd.RegisterFlagCompletionFunc("generate", cobra.NoFileCompletions) // likewise
	return cmd
}

// oneNewName wants the name of one secret, as an argument or with --name. It has help for who writes
// "--generate 64".
func oneNewName(cmd *cobra.Command, args []string) error {
	flags := cmd.Flags()
	if n := len(args); n > 0 && flags.Changed("generate") {
		if size, err := strconv.ParseUint(args[n-1], 10, 16); err == nil {
			return badInput(fmt.Sprintf("the size is joined to the flag: --generate=%d", size), "unexpected argument")
		}
	}
	switch named := flags.Changed("name"); {
	case named:
		return noArguments(cmd, args)
	case len(args) == 0:
		return errors.New("missing: --name")
	}
	return noArguments(cmd, args[1:])
}

func (a *app) runAdd(ctx context.Context, o addOptions) error {
	full, err := a.fullNames([]string{o.name})
	if err != nil {
		return err
	}
	o.name = full[0]
	if o.generate && (o.generateBytes < minGenerateBytes || o.generateBytes > maxGenerateBytes) {
		return badInput("32 is a good choice", "--generate takes %d to %d bytes", minGenerateBytes, maxGenerateBytes)
	}
	if err := refuseSameFile(a.vaultPath(), a.keyPath()); err != nil {
		return err
	}
	if err := a.refuseUnreadValue(o); err != nil {
		return err
	}
	s := addSummary{VaultFile: a.vaultPath(), Name: o.name}
	err = leftUnchanged(a.withKey(ctx, func(key vaultKey, u *vaultfile.Unlocker) error { return a.add(ctx, key, u, o, &s) }))
	if errors.Is(err, vaultfile.ErrNotExist) {
		return withCreateHint(err)
	}
	if err != nil {
		return err
	}
	return a.reportAdd(s, o)
}

// refuseUnreadValue refuses to lose a value that waits on standard input while another one is generated.
func (a *app) refuseUnreadValue(o addOptions) error {
	if o.generate && pendinginput.Waiting(a.stdin) {
		return badInput(nothingChanged+"; leave --generate away to store it, or give no input: < /dev/null",
			"--generate makes a value for %s, but one is on standard input", o.name)
	}
	return nil
}

// add stores the value under the name. On a terminal it opens the vault before it asks, so that nobody types a
// value in vain.
func (a *app) add(ctx context.Context, key vaultKey, u *vaultfile.Unlocker, o addOptions, s *addSummary) error {
	if !o.generate && terminal.Is(a.stdin) {
		there, err := a.lookBeforeAsking(ctx, key, u, o)
		if err != nil {
			return err
		}
		if there && o.ifAbsent {
			s.Outcome = vaultfile.Unchanged
			s.ETag, err = vaultfile.ETag(s.VaultFile)
			return err
		}
	}
	value, err := a.newValue(ctx, o)
	if err != nil {
		return err
	}
	defer value.Destroy()
	update := vaultfile.UpdateOptions{WriteOptions: a.writeOptions("add"), CreateMissing: o.create}
	s.written, err = vaultfile.Update(ctx, s.VaultFile, u, update, func(d *vaultfile.Draft) (err error) {
		if err := a.refuseUnreadValue(o); err != nil { // it may have come while the key was derived
			return err
		}
		s.Created = d.New()
		if o.ifAbsent && d.Has(o.name) {
			s.Outcome = vaultfile.Unchanged
			return nil
		}
		s.Outcome, err = d.Set(o.name, value.Bytes())
		return err
	})
	s.ETag = s.written.ETag
	return err
}

// lookBeforeAsking opens the vault, or where one is to be created reads its key. It tells whether the name is there.
func (a *app) lookBeforeAsking(ctx context.Context, key vaultKey, u *vaultfile.Unlocker, o addOptions) (bool, error) {
	a.interrupts.catch()
	v, err := vaultfile.Open(ctx, a.vaultPath(), u)
	if errors.Is(err, vaultfile.ErrNotExist) && o.create {
		return false, key.Passphrase(ctx, func([]byte) error { return nil })
	}
	if err != nil {
		return false, err
	}
	defer v.Close()
	return v.Has(o.name), nil
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
	a.noteHistory(s.written, "the old value is kept: vault-tool history "+s.Name)
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
