package kernel

// NewArgMin is a Rolling of how many rows ago the smallest value of the trailing window stands: 0 where it is the newest;
// of equal ones the newest counts. NaN where there are fewer than max(minPeriods, 1) values. It takes O(len(x)) time.
func NewArgMin(window, minPeriods int) Rolling { return newArgExtreme(window, minPeriods, -1) }

// NewArgMax is NewArgMin of the largest value.
func NewArgMax(window, minPeriods int) Rolling { return newArgExtreme(window, minPeriods, 1) }

// argExtreme keeps the rows that may still become the largest of sign times value: each is larger than all newer ones.
type argExtreme struct {
	window, minPeriods int
	sign               float64
	presence           presence
	rows               int // seen so far
	row                []int
	value              []float64
	first              int // place of the largest
}

func newArgExtreme(window, minPeriods int, sign float64) Rolling {
	checkWindow(window, minPeriods)
	return &argExtreme{window: window, minPeriods: max(minPeriods, 1), sign: sign, presence: presence{window: window}}
}

func (a *argExtreme) Next(dst, x []float64) {
	checkLengths(len(dst), len(x))
	for t, v := range x {
		n := a.presence.push(finite(v))
		if a.first < len(a.row) && a.row[a.first] <= a.rows-a.window {
			a.first++
		}
		if finite(v) {
			v *= a.sign
			last := len(a.row)
			for last > a.first && a.value[last-1] <= v {
				last--
			}
			if a.first > a.window { // the places before it are moved over once in a window
				last = copy(a.row, a.row[a.first:last])
				copy(a.value, a.value[a.first:])
				a.first = 0
			}
			a.row, a.value = append(a.row[:last], a.rows), append(a.value[:last], v)
		}
		if dst[t] = nan; n >= a.minPeriods {
			dst[t] = float64(a.rows - a.row[a.first])
		}
		a.rows++
	}
}
