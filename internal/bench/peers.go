package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// repeats is how many secrets the loops of the last comparison set.
const repeats = 100

// cachedComparisons are those with a derived key in the kernel's keyring, against the programs that
// need no derivation. A program that is not installed leaves its line out.
func cachedComparisons(s *scene) ([]comparison, error) {
	age, err := newAge(s)
	if err != nil {
		return nil, err
	}
	sops, err := newSops(s)
	if err != nil {
		return nil, err
	}
	get := s.cached(s.command("get", secretName(s.secrets/2)))
	add := s.cached(s.add())
	if _, err := get.run(0); err != nil { // fills the cache
		return nil, err
	}
	adds := s.cached(command{program: "sh", dir: s.dir, args: []string{"-c", fmt.Sprintf(
		`i=0; while [ $i -lt %d ]; do echo "value-$i-$$" | %q add --quiet --name LOOPED; i=$((i+1)); done`, repeats, s.tool)}})
	return []comparison{
		{name: "get, key cached / age -d", a: get, b: age, goal: 0.95, fold: 3},
		{name: "add, key cached / age -d", a: add, b: age, goal: 1.25, fold: 3},
		{name: fmt.Sprintf("%d × add, key cached / %d × sops set", repeats, repeats), a: adds, b: sops, goal: 0.3, part: 5},
	}, nil
}

// cached is the command with the key cache turned on.
func (s *scene) cached(c command) command {
	c.env = append(c.env, "VAULT_TOOL_KEY_CACHE=10m")
	return c
}

// newIdentity writes an age identity into the scene and returns its path and its recipient. The path
// is empty where age is not installed.
func newIdentity(s *scene) (path, recipient string, err error) {
	if _, err := exec.LookPath("age-keygen"); err != nil {
		return "", "", nil
	}
	path = filepath.Join(s.dir, "identity")
	if _, err := os.Stat(path); err != nil {
		if out, err := exec.Command("age-keygen", "-o", path).CombinedOutput(); err != nil {
			return "", "", fmt.Errorf("age-keygen: %w: %s", err, out)
		}
	}
	out, err := exec.Command("age-keygen", "-y", path).Output()
	if err != nil {
		return "", "", fmt.Errorf("age-keygen -y: %w", err)
	}
	return path, strings.TrimSpace(string(out)), nil
}

// newAge is the decryption of the same secrets by age with an identity file.
func newAge(s *scene) (command, error) {
	program, err := exec.LookPath("age")
	if err != nil {
		return command{}, nil
	}
	identity, recipient, err := newIdentity(s)
	if err != nil || identity == "" {
		return command{}, err
	}
	encrypted := filepath.Join(s.dir, "secrets.age")
	if out, err := exec.Command(program, "-r", recipient, "-o", encrypted, s.json(0)).CombinedOutput(); err != nil {
		return command{}, fmt.Errorf("age: %w: %s", err, out)
	}
	return command{program: program, args: []string{"-d", "-i", identity, encrypted}}, nil
}

// newSops is a loop that sets secrets in a file of the same secrets with sops and an age identity.
func newSops(s *scene) (command, error) {
	program, err := exec.LookPath("sops")
	if err != nil {
		return command{}, nil
	}
	identity, recipient, err := newIdentity(s)
	if err != nil || identity == "" {
		return command{}, err
	}
	file := filepath.Join(s.dir, "sops.json")
	out, err := exec.Command(program, "encrypt", "--age", recipient, "--output", file, s.json(0)).CombinedOutput()
	if err != nil {
		return command{}, fmt.Errorf("sops: %w: %s", err, out)
	}
	return command{
		program: "sh",
		env:     []string{"SOPS_AGE_KEY_FILE=" + identity},
		args: []string{"-c", fmt.Sprintf(
			`i=0; while [ $i -lt %d ]; do %q set %q '["LOOPED"]' "\"value-$i-$$\""; i=$((i+1)); done`, repeats, program, file)},
	}, nil
}
