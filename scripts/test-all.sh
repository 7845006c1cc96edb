#!/bin/sh
# Everything that `make test` samples, whole: every test with the real key derivation, the memory scans
# among them, kills and faults at every call, all rotations, and the commands under the race detector.
set -eu
cd "$(dirname "$0")/.."
. scripts/gotest.sh

# What is killed or disturbed at every call comes next, in programs that derive cheaply in either case.
part "all packages, with the real key derivation"
gotest -skip '^Test(KillAtEachCall|SignalAtEachCall|FailEachCall|RenderKilledAtEachCall|RenderFailEachCall)$' ./...

part "kills, signals and faults at every call"
gotest -tags quickkdf -run 'Kill|Signal|FailEachCall' ./cmd/vault-tool -args -crash.all

part "everything that runs side by side, under the race detector"
gorace ./vaultfile ./keysource/... ./provider/... ./examples/... ./internal/...
gorace -run 'RenderWatch|RenderTells|RenderAtOnce|TestExec|ManyWriters|ConcurrentRotations|OneCreatorWins|InterruptedWait' ./cmd/vault-tool

# The tests above ran with the best instruction set that the processor has.
for less in cpu.avx512f=off cpu.avx512f=off,cpu.avx2=off; do
	part "derivations, vectors and the product with $less"
	GODEBUG=$less gotest ./kdf/...
	GODEBUG=$less gotest -run 'Vectors|Golden|IndependentReader|Product' ./vaultfile ./cmd/vault-tool
done
