package kernel

import "math"

// trail are the rows of a trailing window, and behind them a piece of those that come.
type trail struct {
	window int
	kept   []float64 // the last rows; NaN where they do not count
	at     int       // place of the piece
	rows   int       // before the piece
	piece  reach
	holes  int // rows of the piece that do not count
}

// pieceRows is the most that a piece has, so that a value that stands out slows few rows.
const pieceRows = 1024

func newTrail(window int) trail { return trail{window: min(window, 1<<40)} } // nobody has so many rows

// reach is from the smallest to the largest size of values that are not 0.
type reach struct{ least, most uint64 }

var nowhere = reach{math.MaxUint64, 0}

// sizeOf has the order of |v|.
func sizeOf(v float64) uint64 { return math.Float64bits(v) << 1 }

// with is the reach of one more size. That of 0 changes nothing, and least is one below.
func (r reach) with(size uint64) reach { return reach{min(r.least, size-1), max(r.most, size)} }

// take makes the first rows of x the piece, and gives them with the rows that leave as they enter: none as long as the window
// fills, else one each.
func (r *trail) take(x []float64) (piece, old []float64) {
	n := min(len(x), pieceRows)
	if r.rows < r.window {
		n = min(n, r.window-r.rows)
	}
	r.room(n)
	r.kept = r.kept[:r.at+n]
	piece = r.kept[r.at:]
	r.holes = 0
	least, most := nowhere.least, nowhere.most
	for t, v := range x[:len(piece)] {
		size := sizeOf(v)
		if size >= beyond {
			v, size = nan, 0
			r.holes++
		}
		piece[t] = v
		least, most = min(least, size-1), max(most, size)
	}
	r.piece = reach{least, most}
	if r.rows >= r.window {
		old = r.kept[r.at-r.window:][:n]
	}
	return piece, old
}

// beyond is the size from which values do not count, that of 2⁵⁰⁰.
const beyond = (1023 + 500) << 53

// room makes room for a piece of n rows.
func (r *trail) room(n int) {
	if r.at+n <= cap(r.kept) {
		return
	}
	most := r.window + max(r.window, pieceRows)
	if cap(r.kept) < most {
		grown := make([]float64, r.at, min(most, max(2*cap(r.kept), pieceRows, r.at+n)))
		copy(grown, r.kept)
		r.kept = grown
		if r.at+n <= cap(r.kept) {
			return
		}
	}
	r.at = copy(r.kept, r.before())
}

// before are the window's rows before the piece.
func (r *trail) before() []float64 { return r.last(0) }

// done makes the piece a part of what was before.
func (r *trail) done() {
	r.rows += len(r.kept) - r.at
	r.at = len(r.kept)
}

// all is the reach of the window before the piece and of the piece.
func (r *trail) all() reach {
	all := r.piece
	for _, v := range r.before() {
		if v == v {
			all = all.with(sizeOf(v))
		}
	}
	return all
}

// last are the window's rows before the row of the piece at that place.
func (r *trail) last(at int) []float64 { return r.kept[max(r.at+at-r.window, 0) : r.at+at] }

// from are the rows before the piece and of the piece from that one on, which is counted from the first of all.
func (r *trail) from(row int) []float64 { return r.kept[r.at-r.rows+row:] }
