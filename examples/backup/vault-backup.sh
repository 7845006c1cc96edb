#!/bin/sh
# Backs the vault up, or proves that its backups can be restored.
#
#   vault-backup.sh backup    daily: one more backup, if the vault has changed; old ones go
#   vault-backup.sh verify    quarterly: every backup opens, holds what it has to, and the newest one can be restored
#
# It ends as vault-tool does: 0 if all is well, otherwise the failure is on standard error.
set -eu

MAZEVAULT_VAULT_FILE=${MAZEVAULT_VAULT_FILE:-/opt/mazevault/secrets.vault}
MAZEVAULT_VAULT_KEY_FILE=${MAZEVAULT_VAULT_KEY_FILE:-/opt/mazevault/vault.key}
export MAZEVAULT_VAULT_FILE MAZEVAULT_VAULT_KEY_FILE

backups=${VAULT_BACKUPS:-/secure-backup}      # on another disk than the vault, and without its key
required=${VAULT_REQUIRED:-/opt/mazevault/required-secrets} # names that every backup has to hold, one a line; need not be there

backup() {
	vault-tool backup --to "$backups" --skip-unchanged --keep-daily 7 --keep-weekly 4 --keep-monthly 24
}

verify() {
	# A rotation keeps the key from before as vault.key.old, .old.1 and so on: older backups are under those.
	set -- --key-file "$MAZEVAULT_VAULT_KEY_FILE"
	for old in "$MAZEVAULT_VAULT_KEY_FILE".old*; do
		if [ -e "$old" ]; then
			set -- "$@" --key-file "$old"
		fi
	done
	if [ -e "$required" ]; then
		vault-tool verify "$backups" "$@" --against "$MAZEVAULT_VAULT_FILE" --require-from "$required"
	else
		vault-tool verify "$backups" "$@" --against "$MAZEVAULT_VAULT_FILE"
	fi
	rehearse "$@"
}

# rehearse restores the newest backup beside everything that is in use, and reads it. It takes the keys.
rehearse() {
	newest=$(find "$backups" -name "${MAZEVAULT_VAULT_FILE##*/}.*Z*" -type f | sort | tail -n 1)
	if [ -z "$newest" ]; then
		echo "vault-backup.sh: there is no backup of $MAZEVAULT_VAULT_FILE in $backups" >&2
		exit 3
	fi
	scratch=$(mktemp -d)
	trap 'rm -rf "$scratch"' EXIT
	vault-tool restore "$newest" "$@" --vault-file "$scratch/restored.vault"
	vault-tool list --vault-file "$scratch/restored.vault" > /dev/null
}

case ${1-} in
backup | verify) "$1" ;;
*)
	echo "usage: vault-backup.sh backup|verify" >&2
	exit 2
	;;
esac
