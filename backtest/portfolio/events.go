package portfolio

// act takes a position through what happens in row t before its mark.
func (s *position) act(p *Portfolio, t int) {
	for len(s.ends) > 0 && p.start(t) >= s.ends[0] {
		s.ends = s.ends[1:]
		s.delist(p, t)
	}
	funded := len(s.settlements) > 0 || len(s.gaps) > 0
	if funded {
		s.fund(p, t, true)
	}
	if len(s.orders) > 0 && s.fillable(t-p.first) {
		s.execute(p, t)
	}
	if funded {
		s.fund(p, t, false)
	}
}

// fillable reports whether orders can be filled in row k of the block.
func (s *position) fillable(k int) bool {
	return priced(s.close[k]) && s.trades[k] > 0 && priced(s.price[k])
}

// seekAct finds the first row from t on in which something may happen before the mark.
func (s *position) seekAct(p *Portfolio, t, hi int) {
	s.acts = hi
	if t >= hi {
		return
	}
	if len(s.ends) > 0 {
		s.acts = min(s.acts, max(t, p.rowOf(s.ends[0])))
	}
	if len(s.settlements) > 0 {
		s.acts = min(s.acts, max(t, p.rowOf(s.settlements[0].Time)))
	}
	if len(s.gaps) > 0 && s.quantity != 0 {
		for len(s.gaps) > 0 && s.gaps[0].To < p.start(t) {
			s.gaps = s.gaps[1:]
		}
		if len(s.gaps) > 0 {
			s.acts = min(s.acts, max(t, p.rowOf(s.gaps[0].From+1)))
		}
	}
	if len(s.orders) > 0 {
		r := max(t, s.orders[0].decided+p.e.Delay)
		for r < s.acts && !s.fillable(r-p.first) {
			r++
		}
		s.acts = min(r, s.acts)
	}
}

// rowOf is the row of the block that covers an instant, or one beyond it.
func (p *Portfolio) rowOf(at int64) int {
	t := p.first + p.labelsUpTo(at)
	if t == p.span.Hi && at < p.span.To {
		t--
	}
	return t
}
