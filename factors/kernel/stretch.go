package kernel

// stretch joins states of type S over windows in which the order of the rows counts. Rows are cut into blocks of the
// window's length as merged does it.
type stretch[S any] struct {
	window int
	after  func(s S, x float64) S // adds a newer row; the zero S is empty
	before func(s S, x float64) S // adds an older row
	join   func(older, newer S) S
	x      []float64 // rows of the block in progress
	head   S         // their state
	tails  []S       // tails[j]: the last block from row j on
}

// next calls done for each row with the state of its window.
func (m *stretch[S]) next(x []float64, done func(t int, s S)) {
	for t, v := range x {
		if len(m.x) == m.window {
			m.turn()
		}
		m.x = append(m.x, v)
		m.head = m.after(m.head, v)
		s := m.head
		if j := len(m.x); j < len(m.tails) {
			s = m.join(m.tails[j], s)
		}
		done(t, s)
	}
}

// turn makes the block in progress the last one.
func (m *stretch[S]) turn() {
	if m.tails == nil {
		m.tails = make([]S, m.window)
	}
	var s S
	for j := m.window - 1; j >= 0; j-- {
		s = m.before(s, m.x[j])
		m.tails[j] = s
	}
	var none S
	m.x, m.head = m.x[:0], none
}

// presence counts the values of a trailing window.
type presence struct {
	ring []bool
	at   int
	n    int
}

func newPresence(window int) presence { return presence{ring: make([]bool, window)} }

// push takes the next row and gives the number of values in the window that ends with it.
func (p *presence) push(present bool) int {
	if p.ring[p.at] {
		p.n--
	}
	if p.ring[p.at] = present; present {
		p.n++
	}
	if p.at++; p.at == len(p.ring) {
		p.at = 0
	}
	return p.n
}
