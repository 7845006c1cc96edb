package main

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestChecksAreDocumented compares the ids of checks in the sources with those that docs/json.md lists.
func TestChecksAreDocumented(t *testing.T) {
	sources := []string{"doctor_content.go"}
	for _, dir := range []string{"../../internal/checkup", "../../internal/valuecheck"} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, slices.DeleteFunc(files, func(name string) bool { return strings.HasSuffix(name, "_test.go") })...)
	}
	made := make(map[string]bool)
	id := regexp.MustCompile(`"((?:key|vault|directory|git|dotenv|rotation|old|temporary|displaced|variable|memory|core|cgroup|value|certificate|token|name|entry)-[a-z-]+)"`)
	for _, file := range sources {
		for _, match := range id.FindAllStringSubmatch(read(t, file), -1) {
			made[match[1]] = true
		}
	}
	_, list, _ := strings.Cut(read(t, "../../docs/json.md"), "The checks:")
	list, _, _ = strings.Cut(list, "Where the vault cannot be opened")
	documented := make(map[string]bool)
	for _, match := range regexp.MustCompile("`([a-z-]+)`").FindAllStringSubmatch(list, -1) {
		documented[match[1]] = true
	}
	if !maps.Equal(made, documented) {
		t.Errorf("the checks are %q,\ndocs/json.md lists %q", slices.Sorted(maps.Keys(made)), slices.Sorted(maps.Keys(documented)))
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
