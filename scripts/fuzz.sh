#!/bin/sh
# Runs every fuzz target of the module for the given time each, one after the other.
set -eu
cd "$(dirname "$0")/.."
time=${1:?usage: fuzz.sh TIME, for example 10m}

for package in $(go list ./...); do
	for target in $(go test -list '^Fuzz' "$package" | grep '^Fuzz' || true); do
		echo "fuzz $package $target for $time"
		go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" "$package"
	done
done
