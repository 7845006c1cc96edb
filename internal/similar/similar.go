// Package similar finds the word that somebody may have meant.
package similar

import "strings"

// maxTypos is how many letters a word may be away from the right one.
const maxTypos = 2

// Name returns the one of names that may have been meant by word, or "". Upper and lower case count as one, and what differs by nothing
// else comes first.
func Name(names []string, word string) string {
	for _, name := range names {
		if strings.EqualFold(name, word) {
			return name
		}
	}
	for _, name := range names {
		if Word(strings.ToLower(word), strings.ToLower(name)) {
			return name
		}
	}
	return ""
}

// Word tells whether a word is the other but for a few letters, or the beginning of it.
func Word(word, other string) bool {
	if len(word) >= 3 && strings.HasPrefix(other, word) {
		return true
	}
	return len(word) > maxTypos && distance(word, other) <= min(maxTypos, len(other)/3)
}

// distance is how many letters have to be put in, left out, exchanged, or swapped with the next to make b of a (the
// optimal string alignment distance).
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
