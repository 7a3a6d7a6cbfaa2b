package kernel

import "math"

// kinds tells whether the values of a window are near one another. They are not where two are of different sign, or one is
// more than four times the other in size, or one is 0; and they are where no one is twice another.
//
// Values of one sign and between the same powers of two are of a kind. Neighbouring kinds are joined to pairs, in one way
// and in the other. Values of the same or of neighbouring kinds are in one pair at least one way, others in no way.
type kinds struct {
	kind        uint64 // of the last value
	row         int    // its own
	left, right int    // the last rows behind which the pair was another one, joined the one way and the other
}

var noKinds = kinds{row: -1, left: -1, right: -1}

func kindOf(v float64) uint64 { return math.Float64bits(v) >> 52 }

// changed is row where the pair is another one than the one before, else as it was.
func changed(pair, before uint64, row, as int) int {
	if pair != before {
		as = row
	}
	return as
}
