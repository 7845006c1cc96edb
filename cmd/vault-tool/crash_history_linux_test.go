package main

import (
	"maps"
	"strings"
)

// withoutSecret returns a copy of secrets without one.
func withoutSecret(secrets map[string]string, name string) map[string]string {
	c := maps.Clone(secrets)
	delete(c, name)
	return c
}

// historyCrashCases are the commands that go by the history, change several secrets at once, or take them in and give them out.
func historyCrashCases() []crashCase {
	old := someSecrets
	less := withoutSecret(old, "A")
	renamed := withSecrets(less, "Z", old["A"])
	update := func(f *folder) { f.mustRun("another", "add", "A") }
	updated := withSecrets(old, "A", "another")
	public := "secrets.vault.drop.pub"
	return []crashCase{
		{name: "apply", oneFault: true, args: []string{"apply"}, stdin: `{"A":null,"C":"new","B":"2b"}`, before: old, after: withSecrets(less, "C", "new", "B", "2b")},
		{name: "rename", asApply: true, args: []string{"rename", "A", "Z"}, before: old, after: renamed, again: []int{exitNotFound}},
		{name: "copy", asApply: true, args: []string{"copy", "A", "Z", "--force"}, before: old, after: withSecrets(old, "Z", old["A"])},
		{name: "rollback", asApply: true, args: []string{"rollback", "A", "--to", "1"}, initial: old, before: updated, after: old, prepare: update},
		{name: "rollback --all", asApply: true, args: []string{"rollback", "--all", "--to", "24h"}, before: old, after: map[string]string{}},
		{name: "undelete", asApply: true, args: []string{"undelete", "A"}, initial: old, before: less, after: old, prepare: func(f *folder) { f.mustRun("", "rm", "A") }, again: []int{exitConflict}},
		{name: "destroy", asApply: true, args: []string{"destroy", "A"}, before: old, after: less},
		{name: "history --keep", asApply: true, args: []string{"history", "--keep", "0"}, before: old, after: old},
		{name: "rotate-key --drop-history", asApply: true, args: []string{"rotate-key", "--in-place", "--drop-history"}, before: old, after: old, leaves: []string{"vault.key.old", "vault.key.old.1"}},
		{name: "drop-key", oneFault: true, args: []string{"drop-key"}, before: old, after: old, leaves: []string{public}, again: []int{exitConflict}, checkEnd: func(f *folder) {
			if f.run("", "drop-key", "--show").stdout != f.read(public) {
				f.t.Error("the public half in the file is not the vault's")
			}
		}},
		{name: "collect", oneFault: true, args: []string{"collect", "c.drop"}, before: old, after: withSecrets(old, "C", "new"), prepare: func(f *folder) {
			f.mustRun("", "drop-key")
			f.mustRun("new", "seal", "--to", public, "--out", "c.drop", "C")
		}},
		{name: "store add", asApply: true, args: []string{"store", "add", "vault", "hc"}, stdin: `{"vaultUrl":"https://v"}`, before: old, after: old, again: []int{exitConflict}},
		{name: "store edit", asApply: true, args: []string{"store", "edit", "hc"}, stdin: `{"vaultUrl":"https://w"}`, before: old, after: old, prepare: addConnection, checkEnd: func(f *folder) {
			if shown := f.run("", "store", "show", "hc").stdout; !strings.Contains(shown, "https://w") {
				f.t.Errorf("the connection is %s", shown)
			}
		}},
		{name: "link", asApply: true, args: []string{"link", "A", "vault://hc/secret/a"}, initial: old, before: old, after: withSecrets(old, "A", "vault://hc/secret/a"), prepare: addConnection, checkEnd: func(f *folder) {
			if r := f.run("", "get", "A"); r.code != exitFailed || r.stdout != "" {
				f.t.Errorf("a reference is delivered: exit %d, %q", r.code, r.stdout)
			}
		}},
		{name: "unlink", asApply: true, args: []string{"unlink", "A"}, initial: old, before: withSecrets(old, "A", "vault://hc/secret/a"), after: less, again: []int{exitNotFound}, prepare: func(f *folder) {
			addConnection(f)
			f.mustRun("", "link", "A", "vault://hc/secret/a")
		}},
		{name: "store rm", asApply: true, args: []string{"store", "rm", "hc"}, before: old, after: old, prepare: addConnection, again: []int{exitNotFound}},
		{name: "git merge", oneFault: true, args: []string{"git", "merge", "base", "secrets.vault", "theirs", "secrets.vault"}, before: old, after: withSecrets(less, "C", "new"),
			prepare: func(f *folder) {
				f.write("base", f.read("secrets.vault"), 0o600)
				f.write("theirs", f.read("secrets.vault"), 0o600)
				f.mustRun("new", "add", "C", "--vault-file", "theirs")
				f.mustRun("", "rm", "A", "--vault-file", "theirs")
				remove(f, "theirs.lock")
			}},
		{name: "export --out", oneFault: true, args: []string{"export", "--format", "json", "--out", "out.json"}, before: old, after: old, leaves: []string{"out.json"}, again: []int{exitConflict}},
	}
}

// addConnection adds one that needs no credentials.
func addConnection(f *folder) { f.mustRun(`{"vaultUrl":"https://v"}`, "store", "add", "vault", "hc") }
