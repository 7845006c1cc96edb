package main

// peer is a program that keeps secrets, and how it is used as vault-tool is. All lines are run by sh in a directory of
// the peer's own, with what input.go has put there: secrets.json, secrets.env, secrets.xml, and $N and $NAME in the
// environment, the number of the run and the name of a secret.
type peer struct {
	name    string
	needs   []string // programs; where one is missing the peer is left out
	version string   // prints its version
	prepare string
	list    string // all names, or all there is where the peer cannot give names alone
	get     string // one value
	set     string // one value, changed
	most    int    // secrets; with more it is left out, because it takes too long to prepare or to measure; 0: no limit
	faster  string // why it may be faster
}

const (
	vaultPrepare = `"$TOOL" init --quiet && "$TOOL" encrypt --quiet < secrets.json`
	editJSON     = `sed "s/\"$NAME\": \"[^\"]*\"/\"$NAME\": \"value-$N\"/"`
	gpg          = `gpg --homedir . --batch --quiet --yes --no-tty --pinentry-mode loopback --passphrase-file passphrase`
	keepass      = `keepassxc-cli`
)

// peers are in the order of the tables. The first is what the others are compared with.
var peers = []peer{
	{
		name: "vault-tool", version: `"$TOOL" version`, prepare: vaultPrepare,
		list: `"$TOOL" list`, get: `"$TOOL" get "$NAME"`, set: `echo "value-$N" | "$TOOL" add --quiet "$NAME"`,
	},
	{
		name: "vault-tool --key-cache", version: `"$TOOL" version`,
		prepare: vaultPrepare + ` && "$TOOL" list --key-cache 10m`,
		list:    `"$TOOL" list --key-cache 10m`, get: `"$TOOL" get "$NAME" --key-cache 10m`,
		set:    `echo "value-$N" | "$TOOL" add --quiet "$NAME" --key-cache 10m`,
		faster: "the same file, with the derived key in the kernel's keyring: no derivation",
	},
	{
		name: "argon2 program", needs: []string{"argon2"}, version: `dpkg-query -W -f '${Version}' argon2 2>/dev/null || echo unknown`,
		list:   `printf passphrase | argon2 0123456789abcdef -id -t 3 -k 65536 -p 4 -l 32 -r`,
		get:    `printf passphrase | argon2 0123456789abcdef -id -t 3 -k 65536 -p 4 -l 32 -r`,
		set:    `printf passphrase | argon2 0123456789abcdef -id -t 3 -k 65536 -p 4 -l 32 -r`,
		faster: "it derives a key and does nothing else",
	},
	{
		name: "age, identity file", needs: []string{"age", "age-keygen"}, version: `age --version`,
		prepare: `age-keygen -o identity 2>/dev/null && age-keygen -y identity > recipient && age -e -R recipient -o s.age secrets.json`,
		list:    `age -d -i identity s.age`, get: `age -d -i identity s.age | grep "\"$NAME\""`,
		set:    `age -d -i identity s.age | ` + editJSON + ` | age -e -R recipient -o t.age && mv t.age s.age`,
		faster: "its key is a file that needs no derivation, it waits for no disk, and it neither checks nor locks anything",
	},
	{
		name: "age -p (scrypt)", needs: []string{"age", "age-plugin-batchpass"}, version: `age --version`, most: 27,
		prepare: `export AGE_PASSPHRASE=passphrase; age -e -j batchpass -o s.age secrets.json`,
		list:    `AGE_PASSPHRASE=passphrase age -d -j batchpass s.age`,
		get:     `AGE_PASSPHRASE=passphrase age -d -j batchpass s.age | grep "\"$NAME\""`,
		set:     `export AGE_PASSPHRASE=passphrase; age -d -j batchpass s.age | ` + editJSON + ` | age -e -j batchpass -o t.age && mv t.age s.age`,
	},
	{
		name: "sops, age identity", needs: []string{"sops", "age-keygen"}, version: `sops --version --disable-version-check | head -n 1`, most: 10_000,
		prepare: `age-keygen -o identity 2>/dev/null && sops encrypt --age "$(age-keygen -y identity)" --output s.json secrets.json`,
		list:    `SOPS_AGE_KEY_FILE=identity sops decrypt s.json`,
		get:     `SOPS_AGE_KEY_FILE=identity sops decrypt --extract "[\"$NAME\"]" s.json`,
		set:     `SOPS_AGE_KEY_FILE=identity sops set s.json "[\"$NAME\"]" "\"value-$N\""`,
		faster:  "its key is a file that needs no derivation",
	},
	{
		name: "pass", needs: []string{"pass", "gpg"}, version: `pass version | grep -o 'v[0-9.]*'`, most: 27,
		prepare: `mkdir -m 700 gpg && export GNUPGHOME="$PWD/gpg" PASSWORD_STORE_DIR="$PWD/store" &&
			gpg --batch --quiet --passphrase '' --quick-gen-key bench default default never && pass init bench &&
			while IFS== read -r name value; do echo "$value" | pass insert -e -f "$name"; done < secrets.env`,
		list:   `PASSWORD_STORE_DIR="$PWD/store" pass ls`,
		get:    `GNUPGHOME="$PWD/gpg" PASSWORD_STORE_DIR="$PWD/store" pass show "$NAME"`,
		set:    `export GNUPGHOME="$PWD/gpg" PASSWORD_STORE_DIR="$PWD/store"; echo "value-$N" | pass insert -e -f "$NAME"`,
		faster: "its names are the names of files, in the clear, and its agent keeps the key",
	},
	{
		name: "gpg -c", needs: []string{"gpg"}, version: `gpg --version | head -n 1`,
		prepare: `chmod 700 . && echo passphrase > passphrase && ` + gpg + ` -c -o s.gpg secrets.json`,
		list:    gpg + ` -d s.gpg`, get: gpg + ` -d s.gpg | grep "\"$NAME\""`,
		set: gpg + ` -d s.gpg | ` + editJSON + ` | ` + gpg + ` -c -o t.gpg && mv t.gpg s.gpg`,
	},
	{
		name: "keepassxc-cli", needs: []string{"keepassxc-cli"}, version: keepass + ` --version`, most: 10_000,
		prepare: `printf 'passphrase\npassphrase\n' | ` + keepass + ` import -q -p secrets.xml s.kdbx`,
		list:    `echo passphrase | ` + keepass + ` ls -q s.kdbx`,
		get:     `echo passphrase | ` + keepass + ` show -q -s -a Password s.kdbx "$NAME"`,
		set:     `printf 'passphrase\nvalue-%s\n' "$N" | ` + keepass + ` edit -q -p s.kdbx "$NAME"`,
		faster:  "only where vault-tool has rested before, as said above",
	},
	{
		name: "ansible-vault", needs: []string{"ansible-vault"}, version: `ansible-vault --version | head -n 1`,
		prepare: `echo passphrase > passphrase && ansible-vault encrypt --vault-password-file passphrase --output s.vault secrets.json`,
		list:    `PAGER=cat ansible-vault decrypt --vault-password-file passphrase --output - s.vault`,
		get:     `ansible-vault decrypt --vault-password-file passphrase --output - s.vault | grep "\"$NAME\""`,
		set: `ansible-vault decrypt --vault-password-file passphrase --output - s.vault | ` + editJSON +
			` | ansible-vault encrypt --vault-password-file passphrase --output t.vault && mv t.vault s.vault`,
	},
	{
		name: "dotenvx", needs: []string{"dotenvx"}, version: `dotenvx --version`, most: 27,
		prepare: `cp secrets.env .env && dotenvx encrypt`,
		list:    `dotenvx get`, get: `dotenvx get "$NAME"`, set: `dotenvx set "$NAME" "value-$N"`,
	},
}
