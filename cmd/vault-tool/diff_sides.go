package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/mazevault/vault-tool/internal/descriptor"
	"github.com/mazevault/vault-tool/internal/difference"
	"github.com/mazevault/vault-tool/internal/erase"
	"github.com/mazevault/vault-tool/internal/keyring"
	"github.com/mazevault/vault-tool/internal/lockedmem"
	"github.com/mazevault/vault-tool/internal/scope"
	"github.com/mazevault/vault-tool/vaultfile"
)

// The forms of files that are compared.
const (
	formVault  = "vault"
	formDotenv = "dotenv"
)

// diffSide is one of the two that are compared, as --json tells it.
type diffSide struct {
	File     string `json:"file"`
	Form     string `json:"form"`
	Key      string `json:"key,omitempty"`      // which one opened the vault
	Scope    string `json:"scope,omitempty"`    // "": all secrets
	At       string `json:"at,omitempty"`       // the time at which the vault was so; "": now
	Revision uint64 `json:"revision,omitempty"` // likewise of its folder
}

// name names the side in a sentence.
func (s diffSide) name() string {
	name := inputName(s.File)
	if s.Scope != "" {
		name += ", " + s.Scope + "/"
	}
	switch {
	case s.At != "":
		name += " at " + s.At
	case s.Revision != 0:
		name += fmt.Sprintf(" at revision %d", s.Revision)
	}
	return name
}

// side is one of the two with its secrets.
type side struct {
	diffSide
	scope   scope.Scope
	secrets difference.Secrets
}

// moment is a time in the past of a vault. The zero value is none.
type moment struct {
	at       time.Time
	revision uint64
}

func (m moment) isPast() bool { return !m.at.IsZero() || m.revision != 0 }

// comparing is a comparison under way.
type comparing struct {
	*app
	past     moment // of the first side
	from, to side
	unknown  []string // names, as the sides have them, of which the history cannot tell what they were

	vaults []*vaultfile.Vault
	memory lockedmem.Arena // for what is in no vault that is open
}

func (c *comparing) close() {
	for _, v := range c.vaults {
		v.Close()
	}
	c.memory.Destroy()
}

// choose says which files are compared, and what is in them.
func (c *comparing) choose(args []string, withScope string) error {
	files := []string{c.vaultPath(), c.vaultPath()}
	copy(files, args)
	if c.past.isPast() {
		files[1] = files[0]
	}
	c.from.scope, c.to.scope = c.scope, c.scope
	if withScope != "" {
		c.to.scope.Path = withScope
	}
	for i, s := range []*side{&c.from, &c.to} {
		s.File, s.Form = files[i], formVault
		if i < len(args) {
			var err error
			if s.Form, err = formOf(s.File); err != nil {
				return err
			}
		}
		if s.Form == formDotenv {
			s.scope = scope.Scope{}
		}
		s.Scope = s.scope.Path
	}
	switch {
	case c.past.isPast() && c.from.Form != formVault:
		return badInput("name a vault, or none for the one of the command line", "%s is no vault, and has no history", inputName(c.from.File))
	case c.past.isPast():
		c.to.Form = formVault
	case c.from.Form == formDotenv && c.to.Form == formDotenv && withScope != "":
		return badInput("", "--%s is for vaults", withScopeFlag)
	}
	return nil
}

// formOf tells a vault from a .env file: by its beginning, and a file that is empty or named as vaults are is to be told of as one.
func formOf(path string) (string, error) {
	if path == stdinName || descriptor.Named(path) {
		return formDotenv, nil
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return "", inputFileError(path, err)
	case info.IsDir():
		return "", badInput("give the path of a file", "%s is a directory", path)
	case !info.Mode().IsRegular():
		return formDotenv, nil
	case info.Size() == 0 || filepath.Ext(path) == filepath.Ext(defaultVaultFile):
		return formVault, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close() // opened for reading only
	var head [8]byte
	n, err := io.ReadFull(f, head[:])
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return "", err
	}
	if vaultfile.LooksLikeVault(head[:n]) {
		return formVault, nil
	}
	return formDotenv, nil
}

func (c *comparing) needsKey() bool { return c.from.Form == formVault || c.to.Form == formVault }

// readEnvFiles reads the sides that are .env files.
func (c *comparing) readEnvFiles(ctx context.Context) error {
	for _, s := range []*side{&c.from, &c.to} {
		if s.Form != formDotenv {
			continue
		}
		if err := c.readEnvFile(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

func (c *comparing) readEnvFile(ctx context.Context, s *side) error {
	source, err := c.readFile(ctx, s.File, ".env file", maxEnvFileBytes)
	if err != nil {
		return err
	}
	defer source.Destroy()
	if vaultfile.LooksLikeVault(source.Bytes()) {
		return badInput("write it to a file, and give its path", "%s is a vault; it can be read from a file only", inputName(s.File))
	}
	if isBinary(source.Bytes()) { // its lines are not worth telling
		return fmt.Errorf("%s: %w, nor a .env file", inputName(s.File), vaultfile.ErrNotVault)
	}
	var read changes
	defer read.close()
	erase.Do(func() { err = read.parseDotenv(inputName(s.File), source.Bytes()) }) // the parsers make strings of the values
	erase.Flush()
	if err != nil {
		return err
	}
	secrets := make(formerSecrets, len(read.all))
	for _, v := range read.all {
		if secrets[v.name], err = c.memory.Copy(v.value); err != nil {
			return err
		}
	}
	s.secrets = secrets
	return nil
}

// isBinary tells what is no text, but for UTF-16, which is told of elsewhere.
func isBinary(content []byte) bool {
	utf16 := bytes.HasPrefix(content, []byte("\xff\xfe")) || bytes.HasPrefix(content, []byte("\xfe\xff"))
	return !utf16 && bytes.IndexByte(content, 0) >= 0
}

// openVaults opens the sides that are vaults. One that is both sides is opened once.
func (c *comparing) openVaults(ctx context.Context, keys *keyring.Keyring) error {
	open := keys.Open
	if c.past.isPast() {
		open = keys.OpenHistory
	}
	var first *vaultfile.Vault
	for _, s := range []*side{&c.from, &c.to} {
		if s.Form != formVault {
			continue
		}
		v := first
		if v == nil || s.File != c.from.File {
			var err error
			if v, s.Key, err = open(ctx, s.File); err != nil {
				return err
			}
			c.vaults = append(c.vaults, v)
			first = v
		} else {
			s.Key = c.from.Key
		}
		s.secrets = s.scope.Of(v)
	}
	if !c.past.isPast() {
		return nil
	}
	if first.Keeps().Keep == 0 {
		return fmt.Errorf("%s: %w", c.from.File, vaultfile.ErrNoHistory)
	}
	return c.goBack(first)
}

// goBack makes the first side what the vault was.
func (c *comparing) goBack(v *vaultfile.Vault) error {
	if c.past.revision != 0 {
		former, err := formerFolder(v, c.scope.Path, c.past.revision, &c.memory)
		if err != nil {
			return revisionError(c.from.File, err)
		}
		c.from.secrets, c.from.Revision = c.scope.Of(former), c.past.revision
		c.to.secrets = folderOnly{c.to.secrets}
		return nil
	}
	former := make(formerSecrets)
	unknown, err := eachAt(v, c.past.at, func(name string, value []byte, existed bool) (err error) {
		if existed {
			former[name], err = c.memory.Copy(value)
		}
		return err
	})
	if err != nil {
		return err
	}
	// What the scope shows of names without values is what it would show of secrets.
	all := make(formerSecrets, len(unknown))
	for _, name := range unknown {
		all[name] = nil
	}
	c.unknown = c.scope.Of(all).Names()
	c.from.secrets, c.from.At = c.scope.Of(former), c.past.at.UTC().Format(time.RFC3339)
	return nil
}

// folderOnly are the secrets of a scope's own folder, without those of the folders in it.
type folderOnly struct{ difference.Secrets }

func (f folderOnly) Names() []string {
	return slices.DeleteFunc(f.Secrets.Names(), func(name string) bool { return strings.Contains(name, "/") })
}
