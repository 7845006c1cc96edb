package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// backupsDir is where a scene has backups of its vault.
const backupsDir = "backups"

// backUp makes so many copies of the vault, numbered from a number on.
func (s *scene) backUp(from, copies int) error {
	content, err := os.ReadFile(filepath.Join(s.dir, "secrets.vault"))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(s.dir, backupsDir), 0o700); err != nil {
		return err
	}
	for n := range copies {
		path := filepath.Join(s.dir, backupsDir, fmt.Sprintf("secrets.vault.%04d", from+n))
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// backupComparisons measure verify.
func backupComparisons(dir, tool string) ([]comparison, error) {
	const (
		many = 1000
		each = 15 // of two keys
	)
	year, err := newScene(dir, tool, 27, oneVersion+1)
	if err != nil {
		return nil, err
	}
	if err := year.backUp(0, many); err != nil {
		return nil, err
	}
	rotated, err := newScene(dir, tool, 27, oneVersion+2)
	if err != nil {
		return nil, err
	}
	if err := rotated.backUp(0, each); err != nil {
		return nil, err
	}
	if _, err := rotated.rotate().run(0); err != nil {
		return nil, err
	}
	if err := rotated.backUp(each, each); err != nil {
		return nil, err
	}
	twice := year.list()
	twice.args = []string{"-c", fmt.Sprintf("%q list --quiet && %q list --quiet && cat %s/*", tool, tool, backupsDir)}
	twice.program = "sh"
	return []comparison{
		{name: "verify of 1,000 backups / list twice and cat of them", a: year.command("verify", backupsDir), b: twice, goal: 1},
		{name: "verify of 30 backups under two keys / list", b: rotated.list(), goal: 3.3,
			a: rotated.command("verify", backupsDir, "--key-file", "vault.key", "--key-file", "vault.key.old")},
	}, nil
}
