package kernel

import "math"

// axis are the rows of a window and the frame that they are counted in.
type axis struct {
	frame
	window int
	ring   []float64 // row r at place r mod len, once it has its length; NaN where it does not count
	at     int       // place of the next row
	ready  int       // how many of the next rows are in the ring already
	rows   int       // seen so far
	n      int       // how many of the window's count
	witnesses
	until int // the frame stands until so many rows were seen, if distances stay below the limit
}

// witnesses are the newest rows known at distances from the centre that are not positive, not negative and high. While all
// are in the window the frame stands.
type witnesses struct{ below, above, high int }

const (
	slack = 1024 // how many rows more than a window has the ring holds
	// quiet is the limit of a window whose values are all c. Its sums are 0 in frames of any size.
	quiet = math.SmallestNonzeroFloat64
)

var nobody = witnesses{-1, -1, -1}

func newAxis(window int) axis {
	window = min(window, 1<<40) // nobody has so many rows
	return axis{window: window, frame: frame{limit: -1}, witnesses: nobody}
}

// begin makes the window empty.
func (a *axis) begin() {
	*a = axis{window: a.window, ring: a.ring, frame: frame{limit: -1}, witnesses: nobody}
}

// counts reports whether a value is neither missing nor so large that its square is no float.
func counts(v float64) bool { return math.Abs(v) < 1<<500 }

// grow makes room for so many rows, at most slack of them.
func (a *axis) grow(rows int) {
	if size := a.window + slack; len(a.ring) < size && len(a.ring)-a.at < rows {
		ring := make([]float64, min(size, max(2*len(a.ring), slack)))
		copy(ring, a.ring)
		a.ring = ring
	}
}

// old is the place of the row that leaves as the next one enters.
func (a *axis) old() int {
	if p := a.at - a.window; p >= 0 {
		return p
	}
	return a.at - a.window + len(a.ring)
}

// next takes a row. It gives the row that leaves, NaN for none, and reports whether the frame is another one now: the
// window has to be counted anew.
func (a *axis) next(v float64) (old float64, moved bool) {
	a.grow(1)
	old = nan
	if a.rows >= a.window {
		old = a.ring[a.old()]
	}
	if counts(old) {
		a.n--
	}
	if counts(v) {
		a.n++
	} else {
		v = nan
	}
	a.ring[a.at] = v
	a.take(1)
	if a.stands(v) {
		return old, false
	}
	before := a.frame
	a.fit()
	return old, !a.frame.same(before)
}

// take counts rows that stand in the ring.
func (a *axis) take(rows int) {
	a.rows += rows
	a.ready = max(a.ready-rows, 0)
	if a.at += rows; a.at == a.window+slack {
		a.at = 0
	}
}

// free puts those of the next rows into the ring that may be taken in one go where the window is full of values that count,
// as long as the frame stands, and gives the rows that leave: neither run over the ring's end.
func (a *axis) free(x []float64) (old []float64) {
	if a.n < a.window {
		return nil
	}
	n := min(len(x), slack)
	if a.short() {
		n = min(n, slack/4) // frames last less long
	}
	a.grow(n)
	n = min(n, len(a.ring)-a.at, len(a.ring)-a.old())
	if a.ready < n {
		copy(a.ring[a.at+a.ready:], x[a.ready:n])
		a.ready = n
	}
	return a.ring[a.old():][:n]
}

// ahead is for how many of the next n rows, which are in the ring, the frame stands, as long as distances stay below the
// limit. Short windows are looked through, long ones stand until a witness leaves.
func (a *axis) ahead(n int) int {
	if a.limit == quiet {
		return 0
	}
	if a.rows >= a.until && !a.find() && !a.short() {
		return 0
	}
	if left := a.until - a.rows; left >= 64 || left > 0 && !a.short() {
		return min(n, left)
	}
	w, c, least, limit := a.witnesses, a.c, math.Float64bits(a.frame.high)<<1, math.Float64bits(a.limit)<<1
	start, gone := a.rows, a.rows-a.window
	for t, v := range a.ring[a.at:][:n] {
		d := int64(math.Float64bits(v - c)) // has the order of v−c but for −0
		if uint64(d)<<1 >= limit {
			n = t
			break
		}
		if d <= 0 {
			w.below = start + t
		}
		if d >= 0 {
			w.above = start + t
		}
		if uint64(d)<<1 >= least {
			w.high = start + t
		}
		if min(w.high, w.below, w.above) <= gone+t {
			n = t
			break
		}
	}
	a.witnesses = w
	a.until = a.oldest() + a.window
	return n
}

// short windows are looked through.
func (a *axis) short() bool { return a.window <= 128 }

// oldest is the row of the witness that leaves first, or −1 where one is missing.
func (a *axis) oldest() int {
	return min(a.witnesses.high, a.below, a.above)
}

// doubt says that what ahead found beyond the rows taken since means nothing.
func (a *axis) doubt() { a.witnesses, a.until = nobody, 0 }

// parts are the window's rows, oldest first.
func (a *axis) parts() [2][]float64 { return a.last(min(a.rows, a.window)) }

// last are the last n rows, oldest first.
func (a *axis) last(n int) [2][]float64 {
	if a.at >= n {
		return [2][]float64{a.ring[a.at-n : a.at]}
	}
	return [2][]float64{a.ring[len(a.ring)-n+a.at:], a.ring[:a.at]}
}

// stands reports whether the frame is that of the window, of which v is the newest row.
func (a *axis) stands(v float64) bool {
	d := math.Abs(v - a.c)
	if d >= a.limit {
		// One value beside those that are all c decides on the size.
		if a.limit != quiet || d < a.frame.high || d >= a.widest() || a.n == 1 {
			return false
		}
		a.limit = a.widest()
		return a.look()
	}
	return a.rows <= a.until || a.look()
}

// look finds the witnesses, and reports whether the frame stands.
func (a *axis) look() bool {
	return a.find() || a.calm()
}

// calm reports whether there is nothing but c in the window, so that any size will do.
func (a *axis) calm() bool {
	if a.n == 0 {
		a.limit, a.until = -1, math.MaxInt
		return true
	}
	for _, part := range a.parts() {
		for _, v := range part {
			if v < a.c || v > a.c {
				return false
			}
		}
	}
	a.limit, a.until = quiet, math.MaxInt
	return true
}

// find looks for newer witnesses, and reports whether the frame stands.
func (a *axis) find() bool {
	// They are most often among the last few rows.
	for n := 8; ; n *= 32 {
		if a.findAmong(min(n, a.rows, a.window)) {
			return true
		}
		if n >= min(a.rows, a.window) {
			return false
		}
	}
}

// findAmong is find among the last n rows.
func (a *axis) findAmong(n int) bool {
	w, c, least := a.witnesses, a.c, a.frame.high
	row := a.rows - n
	for _, part := range a.last(n) {
		for _, v := range part {
			d := v - c
			if d <= 0 {
				w.below = row
			}
			if d >= 0 {
				w.above = row
			}
			if math.Abs(d) >= least {
				w.high = row
			}
			row++
		}
	}
	a.witnesses = w
	a.until = a.oldest() + a.window
	return a.oldest() >= 0 && a.rows <= a.until
}

// fit makes the frame that of the window.
func (a *axis) fit() {
	lo, hi := int64(math.MaxInt64), int64(math.MinInt64)
	for _, part := range a.parts() {
		for _, v := range part {
			if v == v {
				k := ordered(v)
				lo, hi = min(lo, k), max(hi, k)
			}
		}
	}
	if a.n > 0 {
		a.frame = frameOf(unordered(lo), unordered(hi), a.window)
	}
	a.witnesses = nobody
	a.look()
}
