package datasets

import (
	"fmt"
	"strings"
)

// DidYouMean is the end of an error about a name that is not among the valid ones: the nearest of
// them, or all of them where none is near.
func DidYouMean(name string, valid []string) string {
	best, least := "", len(name)/2+2
	for _, v := range valid {
		if d := distance(strings.ToLower(name), strings.ToLower(v)); d < least {
			best, least = v, d
		}
	}
	switch {
	case best != "":
		return fmt.Sprintf(", did you mean %s?", best)
	case len(valid) > 0:
		return ", want one of " + strings.Join(valid, ", ")
	}
	return ""
}

// distance is the number of bytes to insert, delete, replace or swap with their neighbour to turn a
// into b (Damerau 1964, without edits inside a swap).
func distance(a, b string) int {
	var before []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		next := make([]int, len(b)+1)
		next[0] = i + 1
		for j := range len(b) {
			d := row[j]
			if a[i] != b[j] {
				d++
			}
			d = min(d, row[j+1]+1, next[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				d = min(d, before[j-1]+1)
			}
			next[j+1] = d
		}
		before, row = row, next
	}
	return row[len(b)]
}
