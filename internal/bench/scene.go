package main

import (
	"bufio"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// scene is a directory with a vault of so many secrets, its key, and input for commands.
type scene struct {
	tool    string
	dir     string
	secrets int
	values  [2]string // files with a value each, for `add` to change something every time
}

// The past that a scene's vault has.
const (
	noPast     = 0  // no history
	oneVersion = 1  // the record of the current value
	tenPast    = 10 // nine old values of each secret
)

func newScene(parent, tool string, secrets, versions int) (*scene, error) {
	s := &scene{tool: tool, dir: filepath.Join(parent, fmt.Sprintf("%d-%d", secrets, versions)), secrets: secrets}
	if err := os.Mkdir(s.dir, 0o700); err != nil {
		return nil, err
	}
	for i := range s.values {
		s.values[i] = filepath.Join(s.dir, "value"+strconv.Itoa(i))
		if err := os.WriteFile(s.values[i], []byte(rand.Text()+"\n"), 0o600); err != nil {
			return nil, err
		}
	}
	for i := range 2 {
		if err := s.writeJSON(i); err != nil {
			return nil, err
		}
	}
	if err := s.writeEnv(); err != nil {
		return nil, err
	}
	return s, s.makePast(versions)
}

// makePast makes the vault with so many versions of each secret.
func (s *scene) makePast(versions int) error {
	steps := []command{s.command("init"), s.encrypt()}
	switch versions {
	case noPast:
		steps = append(steps, s.command("history", "--keep", "0"))
	case tenPast:
		steps = append(steps, s.command("history", "--max-bytes", "64MiB"))
	}
	for n, c := range steps {
		if _, err := c.run(0); err != nil {
			return fmt.Errorf("step %d: %w", n, err)
		}
	}
	if err := s.copyVault(); err != nil {
		return err
	}
	for n := 1; n < versions; n++ {
		if _, err := s.apply().run(n); err != nil {
			return err
		}
	}
	return nil
}

func (s *scene) copyVault() error {
	vault, err := os.ReadFile(filepath.Join(s.dir, "secrets.vault"))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(s.dir, formerVault), vault, 0o600)
}

// apply changes all secrets, in turn to the one and the other input's.
func (s *scene) apply() command {
	c := s.command("apply")
	c.stdin = func(run int) string { return s.json(run % 2) }
	return c
}

// bytes is the size of the vault.
func (s *scene) bytes() int64 {
	info, err := os.Stat(filepath.Join(s.dir, "secrets.vault"))
	if err != nil {
		return 0
	}
	return info.Size()
}

// writeJSON writes an input for `encrypt`. It keeps little in memory: what this process has resident
// is the least that the system reports for a child.
func (s *scene) writeJSON(variant int) (err error) {
	f, err := os.OpenFile(s.json(variant), os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := f.Close(); err == nil {
			err = closeErr
		}
	}()
	w := bufio.NewWriter(f)
	separator := "{"
	for i := range s.secrets {
		fmt.Fprintf(w, "%s%q: %q", separator, secretName(i), rand.Text()+rand.Text())
		separator = ",\n "
	}
	fmt.Fprintln(w, "}")
	return w.Flush()
}

func (s *scene) json(variant int) string {
	return filepath.Join(s.dir, fmt.Sprintf("secrets%d.json", variant))
}

// migratedNames are the variables of the .env file for `migrate-env`.
func migratedNames() []string {
	var names []string
	for i := range 27 {
		names = append(names, fmt.Sprintf("MIGRATED_%02d", i))
	}
	return names
}

func (s *scene) writeEnv() error {
	var env []byte
	for _, name := range migratedNames() {
		env = fmt.Appendf(env, "%s=%s\n", name, rand.Text())
	}
	return os.WriteFile(filepath.Join(s.dir, ".env"), env, 0o600)
}

func secretName(i int) string { return fmt.Sprintf("SECRET_%06d", i) }

func (s *scene) command(args ...string) command {
	return command{program: s.tool, args: append(args, "--quiet"), dir: s.dir}
}

func (s *scene) list() command   { return s.command("list") }
func (s *scene) rotate() command { return s.command("rotate-key", "--in-place") }

// formerVault is a copy of the vault as it was made, under its key.
const formerVault = "former.vault"

func (s *scene) diff() command { return s.command("diff", formerVault, "secrets.vault") }

func (s *scene) add() command {
	c := s.command("add", "--name", secretName(s.secrets/2))
	c.stdin = func(run int) string { return s.values[run%len(s.values)] }
	return c
}

func (s *scene) encrypt(flags ...string) command {
	c := s.command(append([]string{"encrypt"}, flags...)...)
	c.stdin = func(run int) string { return s.json(run % 2) }
	return c
}

// encryptFresh makes a vault that is not there: the one of the run before is moved away by the same command.
func (s *scene) encryptFresh() command {
	c := s.encrypt()
	c.args = []string{"-c", fmt.Sprintf("rm -f made.vault && exec %q encrypt --quiet --vault-file made.vault", s.tool)}
	c.program = "sh"
	return c
}
