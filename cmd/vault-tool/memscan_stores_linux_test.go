package main

// connectStores keeps connections whose credentials are searched for.
func (w *scanWorld) connectStores() {
	token := func(name string) string { return `{"vaultUrl": "https://v", "token": "` + w.canary(name) + `"}` }
	w.clean(exitOK, token("STORE_TOKEN"), "store", "add", "vault", "hc")
	w.clean(exitConflict, token("STORE_TOKEN_AGAIN"), "store", "add", "vault", "hc", "--json")
	w.clean(exitUsage, `{"vaultUrl": "http://v", "token": "`+w.canary("STORE_TOKEN_HTTP")+`"}`, "store", "add", "vault", "other")
	w.clean(exitUsage, `{"token": "`+w.canary("STORE_TOKEN_BROKEN")+`\n"}`, "store", "edit", "hc")
	w.clean(exitOK, `{"namespace": "n", "token": "`+w.canary("STORE_TOKEN_EDIT")+`"}`, "store", "edit", "hc")
	w.clean(exitOK, `{"projectId": "p", "serviceAccountJson": "{\"private_key\": \"`+w.canary("STORE_ACCOUNT")+`\\n\"}"}`, "store", "add", "gcp-sm", "gcp")
	w.clean(exitOK, "", "store", "show", "hc")
	w.clean(exitOK, "", "store", "list", "--json")
	w.clean(exitOK, "", "link", "LINKED", "vault://hc/secret/x")
	w.clean(exitFailed, "", "get", "LINKED")
	w.clean(exitFailed, "", "exec", "--", "true")
	w.clean(exitOK, `{"LINKED_2": {"ref": "vault://hc/secret/y"}, "ADDED_BESIDE": "`+w.canary("ADDED_BESIDE")+`"}`, "apply")
	w.clean(exitOK, "", "list", "--refs")
	w.clean(exitOK, "", "unlink", "LINKED")
	w.clean(exitOK, "", "unlink", "LINKED_2")
	w.clean(exitOK, "", "get", "ADDED_BESIDE")
	w.clean(exitOK, "", "inspect")
	w.clean(exitOK, "", "store", "rm", "gcp")
}
