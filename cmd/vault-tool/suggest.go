package main

import (
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/mazevault/vault-tool/internal/similar"
)

// meanings are the words of other programs for what a command here does.
var meanings = map[string]string{
	"ls": "list", "names": "list", "keys": "list",
	"show": "get", "cat": "get", "read": "get", "print": "get", "view": "get",
	"modify": "edit", "vi": "edit", "set": "add", "put": "add", "insert": "add", "update": "add", "write": "add", "create": "add",
	"delete": "rm", "del": "rm", "unset": "rm",
	"run": "exec", "env": "exec",
	"dump": "decrypt", "open": "decrypt",
	"import": "apply", "patch": "apply", "merge": "apply", "migrate": "migrate-env",
	"compare": "diff", "cmp": "diff", "versions": "history", "log": "history", "revert": "rollback", "undo": "rollback", "undrop": "undelete",
	"drop": "seal", "submit": "seal", "accept": "collect", "purge": "destroy", "shred": "destroy", "erase": "destroy",
	"move": "rename", "duplicate": "copy",
	"keygen": "init", "new": "init", "generate": "init",
	"rotate": "rotate-key", "rekey": "rotate-key", "updatekeys": "rotate-key",
	"grep": "scan", "search": "scan", "leaks": "scan", "mask": "redact", "filter": "redact",
	"template": "render", "inject": "render",
	"logout": "forget", "info": "inspect", "stat": "inspect", "status": "inspect", "filestatus": "inspect",
	"diagnose": "doctor", "health": "doctor", "lint": "doctor", "audit": "doctor",
	"check": "verify", "snapshot": "backup", "save": "backup", "test": "verify", "validate": "verify",
}

// harmful are the commands that no slip of the keyboard may lead to: they are suggested by meaning only.
var harmful = []string{"rm", "remove", "rotate-key", "destroy", "rollback", "restore"}

// similarCommands are the commands that may have been meant.
func similarCommands(root *cobra.Command, word string) []string {
	if meant, ok := meanings[word]; ok {
		return []string{meant}
	}
	var names []string
	for _, cmd := range root.Commands() {
		if cmd.IsAvailableCommand() && !slices.Contains(harmful, cmd.Name()) && similar.Word(word, cmd.Name()) {
			names = append(names, cmd.Name())
		}
	}
	return names
}

// flagMeanings are the words of other programs for flags here.
var flagMeanings = map[string]string{
	"file": "vault-file", "vault": "vault-file", "f": "vault-file", "key": "key-file", "k": "key-file", "identity": "key-file",
	"output-json": "json", "format": "json", "silent": "quiet", "debug": "verbose", "v": "verbose", "timeout": "lock-timeout",
	"key-name": "name", "n": "name", "id": "name", "filter": "only", "exclude": "except", "include": "only",
}

// harmlessFlags are those that a slip may lead to. The others change what is kept or given away.
var harmlessFlags = []string{
	"vault-file", "key-file", "json", "quiet", "verbose", "lock-timeout", "key-cache", "name", "env-file", "include", "exclude",
	"only", "except", "require", "prefix", "dry-run", "dir", "template", "output", "watch", "dialect", "list-keys", "new-key-file", "in-place", "staged",
	"fail-on", "older-than", "expires-within", "long", "scope", "inherit", "version", "at", "revision", "with-scope", "exit-code", "recursive", "against",
	"require-from", "null", "on-change", "signal", "owner", "mode", "format", "secret-name", "pristine", "if-match", "history",
}

// similarFlag is the flag of the command that may have been meant, or "".
func similarFlag(flags *pflag.FlagSet, word string) string {
	if meant := flagMeanings[word]; meant != "" && flags.Lookup(meant) != nil {
		return meant
	}
	for _, name := range harmlessFlags {
		if flags.Lookup(name) != nil && similar.Word(word, name) {
			return name
		}
	}
	return ""
}
