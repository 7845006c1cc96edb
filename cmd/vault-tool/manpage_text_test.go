package main

// What the manual page has beside the help texts. Lines of two columns are tables; other lines that begin with blanks are examples.

const manualDate = "2026-11-26"

const manualEnvironment = `
  MAZEVAULT_VAULT_FILE  the vault, where --vault-file is not given
  MAZEVAULT_VAULT_KEY_FILE  the key file, where neither --key-file is given nor a Key Vault named
  MAZEVAULT_VAULT_AKV_URL  the Azure Key Vault with the key, where --akv-url is not given
  MAZEVAULT_VAULT_AKV_SECRET  the name of the secret there, where --akv-secret is not given
  VAULT_TOOL_KEY_CACHE  as --key-cache
  VAULT_TOOL_ARGON2  the code that derives keys, for support: avx512, avx2 or generic
  VISUAL, EDITOR  the editor of edit, the first that is set
  NO_COLOR  if it is not empty, no colour on a terminal; TERM=dumb means the same
  NOTIFY_SOCKET  where render --watch says that it is ready; systemd sets it
  AZURE_CLIENT_ID, AZURE_TENANT_ID, AZURE_FEDERATED_TOKEN_FILE  which identity asks the Key Vault
  HTTPS_PROXY, NO_PROXY  how it is reached

A variable that is set to nothing counts as not set. No variable holds a secret or a passphrase.
`

const manualFiles = `
  secrets.vault  the vault: one encrypted file, mode 0600. To copy it is to back it up.
  vault.key  the key: 64 hexadecimal digits as init writes it, or any passphrase; one newline at its
             end does not count. Mode 0400; one that group or others may touch is refused.
  vault.key.new  the key of a rotation that has begun: tried where vault.key does not open the vault
  vault.key.old, vault.key.old.1 ...  keys that rotate-key has replaced; old backups need them
  vault-tool-net  beside vault-tool, or in /usr/local/libexec/vault-tool: the program that fetches a key from Azure Key
             Vault; it and its directory belong to root or to you, and nobody else may write to them
  secrets.vault.lock  the lock of those who write; it stays, and is empty
  secrets.vault.bak, secrets.vault.bak.1 ...  what encrypt --force or restore has replaced
  secrets.vault.displaced-...  the vault from before, where another program put a file in its place while it was
             being replaced; the error at that time names it
  .secrets.vault.*.vault-tmp  a new vault that is being written; the next command removes one that a killed
             command has left
  .vault-tool-render.json  in a directory of render: what it has written there
`

const manualExamples = `
A vault for a host, from its .env:

  vault-tool init
  vault-tool migrate-env --dry-run
  vault-tool migrate-env --prune
  vault-tool exec -- ./server

A secret for a CI job, and one that is drawn at random:

  printf %s "$TOKEN" | vault-tool add DEPLOY_TOKEN
  vault-tool add SESSION_SECRET --generate --if-absent

Does a backup open, and does it hold what it should?

  vault-tool list --vault-file backup/secrets.vault DATABASE_URL

A new key:

  vault-tool rotate-key --in-place
`

const manualSecurity = `
The vault is encrypted with AES-256-GCM under a key derived from the passphrase with Argon2id (64 MiB, 3 passes, 4 lanes).
Whoever has the vault and its key has the secrets: keep the two apart, in backups and in git above all. There is no way
back from a lost key.

Secrets stand in locked memory while a command runs, and are wiped at its end; a process is not dumpable. Root on the host can
read them all the same. What get, exec, render and decrypt --show-values hand out is in the hands of who receives it: a
program's environment can be read by root and by the same user.

Values are never arguments, and no message shows one.
`

const manualSeeAlso = `
README.md, docs/format.md (the vault's format), docs/json.md (what --json prints) and docs/threat-model.md in the source.

systemd.exec(5), systemd-creds(1), keyrings(7), credentials(7)
`
