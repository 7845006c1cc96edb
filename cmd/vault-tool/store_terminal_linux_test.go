package main

import (
	"testing"
)

// TestTerminalStoreAsks for every field, and shows what is typed unless it is a credential.
func TestTerminalStoreAsks(t *testing.T) {
	t.Parallel()
	dir := newVaultDir(t, "{}")
	r := onTerminal(t, dir, nil, "store", "add", "vault", "hc")
	for _, answer := range []struct{ prompt, keys string }{
		{"Vault URL (https://vault.example.com): ", "\r"}, // it is required
		{"Vault URL (https://vault.example.com): \r\nVault URL", "https://w\x7fv\r"},
		{"Vault Token (", "hunter2-token\r"}, {"Namespace (", "team/a\r"}, {"KV Version (", "\r"}, {"Mount (", "\r"}, {"Login (", "\r"}, {"Token File (", "\r"},
		{"Role ID (", "\r"}, {"Secret ID (", "\r"}, {"Role (", "\r"}, {"Login Mount (", "\r"}, {"Description (", "ours\r"},
	} {
		r.await(answer.prompt)
		r.keys(answer.keys)
	}
	r.exits(exitOK)
	r.shows("hunter2", false)
	r.shows("added the connection hc", true)
	if got, _ := runTool(t, dir, "", exitOK, "store", "show", "hc", "--json"); got != `{"name":"hc","type":"vault","config":{"description":"ours","namespace":"team/a","token":"••••••••","vaultUrl":"https://v"}}`+"\n" {
		t.Errorf("the connection is %s", got)
	}

	r = onTerminal(t, dir, nil, "store", "add", "vault", "hc")
	r.exits(exitConflict)
	r.shows("Vault URL", false)

	r = onTerminal(t, dir, nil, "store", "edit", "hc")
	for _, answer := range []struct{ prompt, keys string }{
		{"Vault URL [https://v] (https://vault.example.com; Enter keeps it): ", "https://w\r"},
		{"Vault Token [••••••••] (", "\r"}, {"Namespace [team/a] (", "-\r"}, {"KV Version (", "1\r"}, {"Mount (", "\r"}, {"Login (", "\r"}, {"Token File (", "\r"},
		{"Role ID (", "\r"}, {"Secret ID (", "\r"}, {"Role (", "\r"}, {"Login Mount (", "\r"}, {"Description [ours] (", "\r"},
	} {
		r.await(answer.prompt)
		r.keys(answer.keys)
	}
	r.exits(exitOK)
	if got, _ := runTool(t, dir, "", exitOK, "store", "show", "hc", "--json"); got != `{"name":"hc","type":"vault","config":{"description":"ours","kv":"1","token":"••••••••","vaultUrl":"https://w"}}`+"\n" {
		t.Errorf("the connection is %s", got)
	}

	for _, test := range []struct {
		keys, message string
		code          int
	}{
		{"http://evil\r", "without https, only an address of this host", exitUsage},
		{"one\rtwo\r", "goes in as JSON", exitUsage},
		{ctrlC, "interrupted", exitInterrupted},
	} {
		r = onTerminal(t, dir, nil, "store", "edit", "hc")
		r.await("Vault URL [https://w]")
		r.keys(test.keys)
		r.exits(test.code)
		r.shows(test.message, true)
	}
}
