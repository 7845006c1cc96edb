package main

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"testing"
)

// TestKindsAreDocumented compares the kinds of errors with the table in docs/json.md.
func TestKindsAreDocumented(t *testing.T) {
	made := map[string]bool{kindKeyPermissions: true, kindKeyNotFound: true, kindForeignKey: true, kindUnfinished: true, kindFindings: true, kindExists: true, kindValueFound: true, kindInUse: true, kindNotAReference: true, kindUnresolved: true}
	for _, kind := range kindsOfCodes {
		made[kind] = true
	}
	for _, row := range slices.Concat(netOutcomes, azureOutcomes, storeOutcomes, outcomes) {
		made[row.kind] = true
	}
	text, err := os.ReadFile("../../docs/json.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]bool{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| [0-9]+ \\|").FindAllStringSubmatch(string(text), -1) {
		documented[row[1]] = true
	}
	if !maps.Equal(made, documented) {
		t.Errorf("the kinds are %q, docs/json.md lists %q", slices.Sorted(maps.Keys(made)), slices.Sorted(maps.Keys(documented)))
	}
}
