package kernel

// powers are the sums over a window of the powers of its values' distances from the frame's centre, up to the fourth:
// of d/size in units of 2⁻⁶². Each is cut to a whole number, the sums are exact.
type powers struct {
	axis
	by [4]wide
	norm
}

func newPowers(window int) powers { return powers{axis: newAxis(window)} }

// step takes the next row.
func (p *powers) step(v float64) {
	old, moved := p.next(v)
	if moved {
		p.by = [4]wide{}
		for _, part := range p.parts() {
			for _, u := range part {
				if u == u {
					p.add(u, 1)
				}
			}
		}
		return
	}
	if counts(old) {
		p.add(old, -1)
	}
	if counts(v) {
		p.add(v, 1)
	}
}

func (p *powers) add(v float64, sign int64) {
	y := (v - p.c) * p.scale
	y2 := y * y
	p.by[0] = p.by[0].plus(sign * whole(y))
	p.by[1] = p.by[1].plus(sign * whole(y2))
	p.by[2] = p.by[2].plus(sign * whole(y2*y))
	p.by[3] = p.by[3].plus(sign * whole(y2*y2))
}

// whole is a number below 1 in units of 2⁻⁶².
func whole(y float64) int64 { return int64(y * (1 << wholeBits)) }

const wholeBits = 62

// mean is that of the numbers of which w is the sum.
func (w wide) mean(by *norm) float64 {
	y, _ := w.cut(by.shift)
	return float64(float64(y) * by.share)
}
