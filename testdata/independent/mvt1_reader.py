#!/usr/bin/python3
"""Reads an MVT1 vault without any of this project's code.

    mvt1_reader.py VAULT KEYFILE > JSON

It follows the format's description alone, with Debian's python3-argon2 and python3-cryptography, and
prints the content as a JSON object. Besides the reader's rules it checks what a writer has to keep:
names sorted, no insignificant space, no escape that is not needed.
"""

import base64
import hashlib
import hmac
import json
import re
import sys

from argon2.low_level import Type, hash_secret_raw
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MAGIC = b"MVT1"
SALT = slice(4, 20)
NONCE = slice(20, 32)
SEALED = slice(32, None)  # ciphertext and tag
SMALLEST = 48
NAME = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.-]*(/[A-Za-z0-9_.-]+)*")


def passphrase(raw):
    """Strips one trailing newline, of either kind."""
    for newline in (b"\r\n", b"\n"):
        if raw.endswith(newline):
            return raw[: -len(newline)]
    return raw


def unique(pairs):
    secrets = dict(pairs)
    if len(secrets) != len(pairs):
        raise ValueError("duplicate name")
    return secrets


def canonical(secrets):
    """The one way to write a payload: what Python's own writer does with these options."""
    return json.dumps(secrets, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def read(vault, raw_key):
    if len(vault) < SMALLEST:
        raise ValueError("file too small")
    if not vault.startswith(MAGIC):
        raise ValueError("not an MVT1 vault")
    key = hash_secret_raw(
        secret=passphrase(raw_key), salt=vault[SALT], time_cost=3, memory_cost=64 * 1024,
        parallelism=4, hash_len=32, type=Type.ID, version=0x13)
    payload = AESGCM(key).decrypt(vault[NONCE], vault[SEALED], None).decode("utf-8")
    secrets = json.loads(payload, object_pairs_hook=unique)
    for name, value in secrets.items():
        if not isinstance(value, str) or not NAME.fullmatch(name) or len(name) > 255:
            raise ValueError("bad entry")
    if payload != canonical(secrets):
        raise ValueError("payload is not in the canonical form")
    return secrets


def is_reserved(name):
    """Names that begin with a dot belong to the tool, and are no secrets."""
    return name.startswith(".")


def digest(key, name, value):
    """Tells whether a value is the one that was recorded."""
    mac = hmac.new(key, name.encode() + b"\0" + value.encode(), hashlib.sha256).digest()[:16]
    return base64.b64encode(mac).decode().rstrip("=")


def history(secrets):
    """Every secret's versions: number, and value or what became of it."""
    settings = json.loads(secrets[".settings"])["history"]
    key = base64.b64decode(settings["digest_key"] + "==")
    shown = {}
    for entry, text in secrets.items():
        if not entry.startswith(".history/"):
            continue
        record = json.loads(text)
        if record["v"] != 1:
            continue
        name = record.get("name", entry[len(".history/"):])
        if "name" in record and entry != ".history/.long/" + hashlib.sha256(name.encode()).hexdigest():
            raise ValueError("the hash of a long name is wrong")
        shown[name] = []
        for version in record["versions"]:
            if "digest" in version:
                same = name in secrets and digest(key, name, secrets[name]) == version["digest"]
                value = secrets[name] if same else "(lost)"
            else:
                value = version.get("value", "(%s)" % version.get("gone"))
            shown[name].append([version["n"], version["cmd"], value])
    return shown


def main():
    with open(sys.argv[1], "rb") as vault, open(sys.argv[2], "rb") as key:
        secrets = read(vault.read(), key.read())
    if sys.argv[3:] == ["--history"]:
        json.dump(history(secrets), sys.stdout)
    else:
        json.dump({name: value for name, value in secrets.items() if not is_reserved(name)}, sys.stdout)


if __name__ == "__main__":
    main()
