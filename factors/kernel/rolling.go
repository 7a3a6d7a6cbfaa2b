package kernel

// Rolling is a kernel of one column that is fed blocks of rows in order. What it carries from one to the next makes
// the cutting invisible: any blocks give the bits that the whole column gives in one.
type Rolling interface {
	// Next writes the values of the next rows into dst, which has the length of x and does not overlap it. It keeps
	// neither.
	Next(dst, x []float64)
}

// RollingPair is a kernel of two columns.
type RollingPair interface {
	Next(dst, x, y []float64)
}

// merged joins states of type S over windows. Rows are cut into blocks of the window's length, counted from the first;
// a window is the end of one block joined to the beginning of the next.
type merged[S any] struct {
	window int
	push   func(s S, x, y float64) S // the zero S is empty
	x, y   []float64                 // rows of the block in progress
	head   S                         // their state
	tails  []S                       // tails[j]: the last block from row j on
}

// next calls done for each row with the states of the window's rows in the block in progress and in the one before.
func (m *merged[S]) next(x, y []float64, done func(t int, head, tail S)) {
	for t := range x {
		if len(m.x) == m.window {
			m.turn()
		}
		m.x, m.y = append(m.x, x[t]), append(m.y, y[t])
		m.head = m.push(m.head, x[t], y[t])
		var tail S
		if j := len(m.x); j < len(m.tails) {
			tail = m.tails[j]
		}
		done(t, m.head, tail)
	}
}

func (m *merged[S]) turn() {
	if m.tails == nil {
		m.tails = make([]S, m.window)
	}
	var s S
	for j := m.window - 1; j >= 0; j-- {
		s = m.push(s, m.x[j], m.y[j])
		m.tails[j] = s
	}
	var none S
	m.x, m.y, m.head = m.x[:0], m.y[:0], none
}
