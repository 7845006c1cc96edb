#!/bin/sh
# Formatting, vet, staticcheck, a tidy go.mod, and builds for the systems that are not home.
set -eu
cd "$(dirname "$0")/.."

unformatted=$(gofmt -l $(git ls-files --cached --others --exclude-standard '*.go'))
if [ -n "$unformatted" ]; then
	echo "gofmt would change:" >&2
	echo "$unformatted" >&2
	exit 1
fi
go vet ./...
GOEXPERIMENT= go vet ./...
go vet -tags memscan ./cmd/...
go vet -tags quickkdf ./kdf/...
go tool staticcheck ./...
go mod tidy -diff
# The comparison with other programs is a module of its own.
(cd internal/bench/peers && GOEXPERIMENT= go vet ./... && GOEXPERIMENT= go mod tidy -diff)
# Vet type-checks a system's own files; linking once more for each finds nothing that vet does not.
for target in darwin/arm64 windows/amd64 linux/arm64; do
	echo "vet for $target"
	GOOS=${target%/*} GOARCH=${target#*/} GOEXPERIMENT= CGO_ENABLED=0 go vet ./...
done
GOOS=windows GOARCH=amd64 GOEXPERIMENT= CGO_ENABLED=0 go build -o /dev/null ./cmd/vault-tool
echo "lint: ok"
