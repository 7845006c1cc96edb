package valuecheck

import (
	"bytes"
	"slices"

	"github.com/mazevault/vault-tool/internal/credentials"
	"github.com/mazevault/vault-tool/internal/finding"
)

// minSharedBytes is from which length on equal values are one secret, and not two settings that say "true".
const minSharedBytes = 8

// equalValues finds secrets that share one value: whoever learns one of them knows all. It sorts where values stand, and not the values.
func equalValues(all []secret) []finding.Finding {
	candidates := slices.DeleteFunc(slices.Clone(all), func(s secret) bool { return len(s.value) < minSharedBytes })
	slices.SortStableFunc(candidates, func(a, b secret) int { return bytes.Compare(a.value, b.value) })
	var groups [][]string
	for start := 0; start < len(candidates); {
		end := start + 1
		for end < len(candidates) && bytes.Equal(candidates[end].value, candidates[start].value) {
			end++
		}
		if group := candidates[start:end]; len(group) > 1 && isOneSecret(group) {
			var names []string
			for _, s := range group {
				names = append(names, s.name)
			}
			groups = append(groups, names)
		}
		start = end
	}
	slices.SortFunc(groups, slices.Compare) // by name: the order of the values would tell of them
	var found []finding.Finding
	for _, names := range groups {
		found = append(found, finding.Finding{
			Severity: finding.Warn, Check: "value-shared", Where: names,
			What: "these secrets have one value: whoever learns one knows all, and one cannot be changed alone",
		})
	}
	return found
}

// isOneSecret tells whether what has one value is a secret by one of its names or by its form, and no setting, and none that is still to come.
func isOneSecret(group []secret) bool {
	return !credentials.IsPlaceholder(group[0].value) && slices.ContainsFunc(group, func(s secret) bool {
		_, looks := credentials.LooksSecret(s.name, s.value)
		return looks
	})
}
