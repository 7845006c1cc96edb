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
		end, secretive := start, false
		for end < len(candidates) && bytes.Equal(candidates[end].value, candidates[start].value) {
			_, looks := credentials.LooksSecret(candidates[end].name, candidates[end].value)
			secretive = secretive || looks
			end++
		}
		if end-start > 1 && secretive && !credentials.IsPlaceholder(candidates[start].value) {
			var names []string
			for _, s := range candidates[start:end] {
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
