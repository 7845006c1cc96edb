# For the scripts that run tests: `part TITLE` and `gotest ARG...`. They are sourced from the top of the tree.

# As the product is built. With cgo, a call of C under runtime/secret ends the process with a fault (Go 1.26).
export CGO_ENABLED=0

# Waiting tests wait side by side, whatever the number of processors.
parallel=16

part() { printf '\n== %s\n' "$1"; }

# gotest is `go test` that shows each package as it is done and names the skipped tests, with their reasons.
gotest() {
	go tool gotestsum --format pkgname -- -timeout 20m -parallel "$parallel" "$@"
}

# The race detector needs cgo, which runtime/secret does not bear: a program now and then ended with a fault, without a trace.
gorace() {
	GOEXPERIMENT= CGO_ENABLED=1 gotest -race -tags quickkdf "$@"
}
