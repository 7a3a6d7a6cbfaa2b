package factors

import (
	"fmt"
	"strings"
)

// didYouMean is the end of an error about a name that is not among names: the nearest of them, or
// all of them where none is near.
func didYouMean(name string, names []string) string {
	best, least := "", len(name)/3+2
	for _, n := range names {
		if d := distance(name, n); d < least {
			best, least = n, d
		}
	}
	switch {
	case best != "":
		return fmt.Sprintf(": did you mean %s?", best)
	case len(names) > 0:
		return ": want one of " + strings.Join(names, ", ")
	}
	return ""
}

// distance is the number of bytes to insert, delete or replace to turn a into b (Levenshtein 1966).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			d := diagonal
			if a[i] != b[j] {
				d = min(diagonal, row[j], row[j+1]) + 1
			}
			diagonal, row[j+1] = row[j+1], d
		}
	}
	return row[len(b)]
}
