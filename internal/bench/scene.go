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

func newScene(parent, tool string, secrets int) (*scene, error) {
	s := &scene{tool: tool, dir: filepath.Join(parent, strconv.Itoa(secrets)), secrets: secrets}
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
	for _, c := range []command{s.command("init"), s.encrypt()} {
		if _, err := c.run(0); err != nil {
			return nil, err
		}
	}
	return s, nil
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
