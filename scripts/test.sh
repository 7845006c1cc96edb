#!/bin/sh
# The tests that a change needs: nearly all of them with a cheap key derivation, the format's vectors with
# the real one, and what runs side by side under the race detector. Skips are named at the end of each part.
set -eu
cd "$(dirname "$0")/.."
. scripts/gotest.sh

part "all packages, with a cheap key derivation"
gotest -tags quickkdf ./...

part "vectors, golden vaults and the product itself, with the real one"
gotest ./kdf/...
gotest -run 'Vectors|Golden|IndependentReader|Product' ./vaultfile ./cmd/vault-tool

part "a service that is built without runtime/secret, also where x/crypto derives"
GOEXPERIMENT= gotest ./internal/erase
GOEXPERIMENT= gotest -run '^TestMemory$' ./provider
GODEBUG=cpu.avx2=off,cpu.avx512f=off GOEXPERIMENT= gotest -run '^TestMemory$' ./provider

part "what runs side by side, under the race detector"
gorace -short ./vaultfile ./keysource ./provider/... ./internal/keycache ./internal/lockedmem ./internal/durable
