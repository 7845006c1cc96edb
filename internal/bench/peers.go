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
func cachedComparisons(w world) ([]comparison, error) {
	small, large := w.small, w.large
	var all []comparison
	for _, s := range []*scene{small, large} {
		of := ""
		goals := struct{ list, get, add float64 }{1, 0.8, 1.25}
		if s == large {
			of = " of 100,000"
			goals.get, goals.add = 1, 1
		}
		age, err := newAge(s)
		if err != nil {
			return nil, err
		}
		again, err := newAgeAgain(s)
		if err != nil {
			return nil, err
		}
		get := s.cached(s.command("get", secretName(s.secrets/2)))
		if _, err := get.run(0); err != nil { // fills the cache
			return nil, err
		}
		one := comparison{name: "add" + of + ", key cached / age -d", a: s.cached(s.add()), b: age, goal: goals.add, fold: 3}
		if s == large { // what age has to do to change a secret
			one = comparison{name: "add" + of + ", key cached / age -d | age -e", a: s.cached(s.add()), b: again, goal: goals.add}
		}
		all = append(all,
			comparison{name: "list" + of + ", key cached / age -d", a: s.cached(s.list()), b: age, goal: goals.list, fold: 3},
			comparison{name: "get" + of + ", key cached / age -d", a: get, b: age, goal: goals.get, fold: 3}, one)
	}
	sops, err := newSops(small)
	if err != nil {
		return nil, err
	}
	adds := small.cached(command{program: "sh", dir: small.dir, args: []string{"-c", fmt.Sprintf(
		`i=0; while [ $i -lt %d ]; do echo "value-$i-$$" | %q add --quiet --name LOOPED; i=$((i+1)); done`, repeats, small.tool)}})
	manyAtOnce := small.cached(command{program: "sh", dir: small.dir, args: []string{"-c", fmt.Sprintf(
		`i=0; while [ $i -lt %d ]; do echo "N$i=value-$i-$$"; i=$((i+1)); done | %q apply --quiet --from dotenv`, repeats, small.tool)}})
	all = append(all,
		comparison{name: "add with a history / without, key cached", a: small.cached(small.add()), b: w.smallOff.cached(w.smallOff.add()), goal: 1.1, fold: 5},
		comparison{name: fmt.Sprintf("apply of %d secrets / %d × sops set", repeats, repeats), a: manyAtOnce, b: sops, goal: 0.05, part: 5})
	return append(all, comparison{
		name: fmt.Sprintf("%d × add, key cached / %d × sops set", repeats, repeats), a: adds, b: sops, goal: 0.3, part: 5}), nil
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

// newAgeAgain is the decryption and encryption anew of the same secrets by age, which has no other way to change one.
func newAgeAgain(s *scene) (command, error) {
	age, err := newAge(s)
	if err != nil || age.program == "" {
		return command{}, err
	}
	identity, recipient, err := newIdentity(s)
	if err != nil || identity == "" {
		return command{}, err
	}
	return command{program: "sh", dir: s.dir, args: []string{"-c",
		fmt.Sprintf("%q -d -i %q secrets.age | %q -r %s -o again.age && mv again.age secrets.age", age.program, identity, age.program, recipient)}}, nil
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
