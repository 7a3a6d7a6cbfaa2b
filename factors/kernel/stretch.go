package kernel

// stretch joins states of type S over windows of rows of type R, in which the order of the rows may count. Rows are cut
// into blocks of the window's length, counted from the first; a window is the end of one block joined to the beginning
// of the next (van Herk 1992; Gil and Werman 1993).
type stretch[R, S any] struct {
	window int
	after  func(s S, row R) S // adds a newer row; the zero S is empty
	before func(s S, row R) S // adds an older row
	join   func(older, newer S) S
	rows   []R // of the block in progress
	head   S   // their state
	tails  []S // tails[j]: the last block from row j on
}

// push takes the next row and gives the state of the window that ends with it.
func (m *stretch[R, S]) push(row R) S {
	if len(m.rows) == m.window {
		m.turn()
	}
	m.rows = append(m.rows, row)
	m.head = m.after(m.head, row)
	if j := len(m.rows); j < len(m.tails) {
		return m.join(m.tails[j], m.head)
	}
	return m.head
}

// turn makes the block in progress the last one.
func (m *stretch[R, S]) turn() {
	if m.tails == nil {
		m.tails = make([]S, m.window)
	}
	var s S
	for j := m.window - 1; j >= 0; j-- {
		s = m.before(s, m.rows[j])
		m.tails[j] = s
	}
	var none S
	m.rows, m.head = m.rows[:0], none
}

// presence counts the values of a trailing window.
type presence struct {
	window int
	ring   []bool // as long as the window, or as there were rows
	at     int
	n      int
}

// push takes the next row and gives the number of values in the window that ends with it.
func (p *presence) push(present bool) int {
	if len(p.ring) < p.window {
		if p.ring = append(p.ring, present); present {
			p.n++
		}
		return p.n
	}
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
