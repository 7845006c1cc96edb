#!/bin/sh
# Moves a sample .env into a vault and shows that nothing but the secrets left it. Everything happens
# in a scratch folder that is removed at the end.
set -eu
tool=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
samples=$(cd "$(dirname "$0")/../testdata" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
unset MAZEVAULT_VAULT_FILE MAZEVAULT_VAULT_KEY_FILE MAZEVAULT_VAULT_AKV_URL MAZEVAULT_VAULT_AKV_SECRET # they would lead the demo to a real vault
cp "$samples/demo.env" .env

run() {
	printf '\n$ %s\n' "$*"
	"$@"
}

printf 'A sample .env in %s:\n\n' "$scratch"
sed 's/^/    /' .env
run "$tool" init --key-file vault.key
run "$tool" migrate-env --env-file .env --vault-file secrets.vault --key-file vault.key --prune
printf '\nWhat is left in .env:\n\n'
sed 's/^/    /' .env
run "$tool" list
printf '\n$ echo my-new-token | vault-tool add --name DYNATRACE_TOKEN\n'
echo my-new-token | "$tool" add --name DYNATRACE_TOKEN
printf '\n$ vault-tool get DYNATRACE_TOKEN\n'
"$tool" get DYNATRACE_TOKEN
printf '\n'
run "$tool" rotate-key --in-place
run "$tool" list
printf '\nThe vault is %s bytes that say nothing:\n' "$(wc -c < secrets.vault)"
od -A d -t x1c secrets.vault | sed -n '1,4p'
