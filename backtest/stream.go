package backtest

import (
	"context"
	"errors"
	"fmt"
	"github.com/qf-dev/qf/backtest/study"
	"math"
	"runtime"
	"slices"
	"sync"

	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/bars"
	"github.com/qf-dev/qf/factors"
)

// streamFrom is the number of bars from which on a study of every trade is streamed: below it whole columns
// fit into memory, and every figure can be computed.
const streamFrom = 2_000_000

// stream is a study of every trade that is played from the lake a chunk of rows at a time, since its columns
// would not fit into memory: once to learn what normalizations and factors know of the full sample, once to
// trade and judge, and again for whoever wants the rows. Factors, score, targets and replays have the bits of
// whole columns, whatever the chunks and the number of workers.
type stream struct {
	ctx      context.Context // of Backtest, which the rows that are wanted later obey too
	s        *study.Study
	o        Options
	tape     *bars.Tape
	contract datasets.Contract
	grid     *factors.Grid // without rows
	span     study.Span
	length   int                 // rows of a chunk
	quotes   []datasets.DataType // best prices that the lake has, and that are not joined to trades

	fs     []factors.Factor // the study's
	all    []factors.Factor // and the z's that look back
	chunks *factors.Chunks
	score  *factors.ChunkScore
	parts  []int       // the columns of its components
	full   [][]float64 // by factor: its column over the span, where it knows the full sample

	costly []string             // keys of the factors whose columns the first pass keeps for the others
	kept   map[string][]float64 // those columns, over the span, by the field that they are for the second pass
	given  *factors.Chunks      // chunks from the fields kept

	horizons []study.Horizon
	primary  int
	days     []daySpan // of the span, rows counted from its first
	first    []int64   // by factor and the composite: the label of its first value in the span, 0 for none
	firstRow []int     // and its row, from the span's first
	means    [][]pairs // by signal and horizon
	whole    [][]bool  // by chunk of the span and signal: no value is missing
}

// chunkRows is the length of a chunk: its columns stay in the cache.
const chunkRows = 8192

// streamed reports whether the study is one of every trade, and of more of them than fit into memory.
func streamed(ctx context.Context, lake *datasets.Lake, s *study.Study, o Options) (*stream, error) {
	if s.Bars.Kind != "tick" || s.Bars.Size != 1 {
		return nil, nil
	}
	limit := streamFrom
	if o.streamFrom > 0 {
		limit = o.streamFrom
	}
	needs, err := s.Needs()
	if err != nil {
		return nil, err
	}
	first, err := firstDay(lake, s, needs)
	if err != nil {
		return nil, err
	}
	in := s.Data.Instruments[0]
	feeds := slices.DeleteFunc(needs.FeedsOf(in), func(t datasets.DataType) bool { return t != datasets.Trades && t != datasets.DerivativeTicker })
	tape, err := bars.OpenTape(ctx, lake, bars.Request{
		Instrument: in.Instrument, Contract: in.Contract, Spec: s.BarSpec(), First: first, End: needs.To, Feeds: feeds,
	}, bars.Options{Workers: o.Workers, NoCache: o.NoCache})
	if err != nil || tape.Rows < limit {
		return nil, err
	}
	st := &stream{ctx: ctx, s: s, o: o, tape: tape, contract: in.Contract, length: chunkRows}
	if o.chunkRows > 0 {
		st.length = o.chunkRows
	}
	if st.quotes, err = withAny(lake, in.Instrument, nil, quoteFeeds, first, needs.To); err != nil {
		return nil, err
	}
	if err := st.prepare(); err != nil {
		return nil, fmt.Errorf("study %s has %d bars and is streamed: %w (below %d bars it would not be)", s.Name, tape.Rows, err, limit)
	}
	return st, st.locate(ctx)
}

// prepare makes the factors, and says what of the study cannot be streamed.
func (st *stream) prepare() (err error) {
	s := st.s
	st.grid = s.Grid()
	st.grid.Instruments = []datasets.Instrument{st.tape.Instrument}
	for _, c := range s.Factors {
		f, err := factors.Make(c.Name, c.Kind, c.Params, st.grid)
		if err != nil {
			return err
		}
		st.fs = append(st.fs, f)
	}
	if st.score, st.all, err = s.Composite.Chunks(st.fs, st.grid); err != nil {
		return err
	}
	st.parts = st.score.Columns()
	st.chunks = factors.NewChunks(st.all)
	st.costly = factors.Costly(st.all)
	fields := map[string]string{}
	for _, key := range st.costly {
		fields[key] = key
	}
	var given []factors.Factor
	for _, f := range st.all {
		given = append(given, f.Given(fields))
	}
	st.given = factors.NewChunks(given)
	for _, name := range st.chunks.Fields() {
		if !slices.Equal(factors.FieldFeeds(name), []datasets.DataType{datasets.Trades}) {
			return fmt.Errorf("factors of %s are not available: %s does not come from trades", factors.FieldFeeds(name)[0], name)
		}
	}
	if st.horizons, st.primary, err = s.Evaluation.HorizonsOn(st.grid); err != nil {
		return err
	}
	e, g := s.Execution, s.Signals
	switch {
	case s.Windows != nil:
		return errors.New("windows are not available: leave them out, and the span is one")
	case g.LLM != nil:
		return errors.New("signals.llm is not available")
	case g.Hysteresis != nil || g.MinHolding != (factors.Window{}) || g.RegimeScaling != nil || g.VolatilityTarget != nil || g.Cap > 0 || g.RebalanceEvery != (factors.Window{}):
		return errors.New("of signals only thresholds and weights are available")
	case e.Impact.Model == study.SquareRoot:
		return errors.New("execution.impact is not available")
	case e.Funding && !st.contract.Spot && st.contract.ContinuousFunding:
		return errors.New("funding that accrues continuously is not available: set execution.funding to false")
	}
	return nil
}

// back is how many rows before a chunk its columns must hold.
func (st *stream) back() int { return max(st.chunks.Back(), st.given.Back()) + 1 }

// reach is how many rows after a chunk its forward returns look at.
func (st *stream) reach() int {
	far := 0
	for _, h := range st.horizons {
		far = max(far, h.Bars)
	}
	return far + st.s.Execution.Delay
}

// rows is what the span has.
func (st *stream) rows() int { return st.span.Hi - st.span.Lo }

// locate finds the rows of the span, as Study.windows does: those labelled in (from, to].
func (st *stream) locate(ctx context.Context) error {
	from, to := st.s.EvaluatedFrom().UnixMicro(), st.s.Data.To.Start()
	lo, err := st.upTo(ctx, from)
	if err != nil {
		return err
	}
	hi, err := st.upTo(ctx, to)
	if err != nil {
		return err
	}
	st.span = study.Span{Lo: lo, Hi: hi, From: from, To: to}
	if lo == hi {
		return fmt.Errorf("study %s: no bars between %s and %s", st.s.Name, stamp(from), stamp(to))
	}
	return nil
}

// upTo counts the rows whose label is not after an instant. Labels ascend; by arrival a day-file has those of its
// day, by the exchange's clock also of the day before and after.
func (st *stream) upTo(ctx context.Context, at int64) (int, error) {
	slack := int64(0)
	if st.s.Data.Clock == datasets.Timestamp {
		slack = datasets.MicrosPerDay
	}
	n := 0
	for _, src := range st.tape.Sources {
		if src.Partition.Type == datasets.Trades && (src.Partition.Day+1).Start()+slack <= at {
			n += int(src.Rows)
		}
	}
	found := errors.New("found")
	err := st.tape.Play(ctx, bars.Playback{From: n, To: st.tape.Rows, Length: st.length}, func(c *bars.Trades) error {
		defer c.Release()
		k, _ := slices.BinarySearch(c.TS[c.Lo-c.Base:c.Hi-c.Base], at+1)
		n += k
		if k < c.Hi-c.Lo {
			return found
		}
		return nil
	})
	if errors.Is(err, found) {
		err = nil
	}
	return n, err
}

// sheet is a chunk with what was computed of it; every column has its rows alone, [lo, hi).
type sheet struct {
	lo, hi  int
	trades  *bars.Trades
	ts      []int64
	price   []float64
	columns [][]float64 // of the factors, z's that look back included
	score   []float64   // pass 2
	target  []float64
	days    []segment   // pass 2
	level   []int8      // index into signals.Levels(), and the one after them without a score
	ahead   [][]float64 // by horizon: forward returns, as far as the span has them

	returned [][]centred // pass 2, by horizon and day: of the forward returns

	sums *pairSums // pass 1

	cols factors.ChunkColumns
	in   [][]float64
	done chan struct{}
}

// compute fills the factors' columns.
func (st *stream) compute(c *sheet) {
	t := c.trades
	c.lo, c.hi = t.Lo, t.Hi
	base, chunks := max(t.Base, c.lo-st.back()), st.chunks
	if st.means != nil && base >= st.span.Lo { // what was kept begins with the span
		chunks = st.given
	}
	c.in = c.in[:0]
	for _, name := range chunks.Fields() {
		if x, ok := st.kept[name]; ok {
			c.in = append(c.in, x[base-st.span.Lo:c.hi-st.span.Lo])
		} else {
			c.in = append(c.in, t.Column(name)[base-t.Base:c.hi-t.Base])
		}
	}
	chunks.Eval(&c.cols, base, c.lo, c.in)
	if st.means == nil {
		for _, key := range st.costly {
			copy(st.kept[key][c.lo-st.span.Lo:], c.cols.Column(key)[c.lo-base:])
		}
	}
	c.columns = c.columns[:0]
	for k := range st.all {
		col, full := c.cols.Factor(k)
		col = col[c.lo-base:]
		switch {
		case full && st.means != nil:
			col = st.full[k][c.lo-st.span.Lo : c.hi-st.span.Lo]
		case full && st.kept[st.all[k].Uses[0].Key] == nil:
			copy(st.full[k][c.lo-st.span.Lo:], col)
		}
		c.columns = append(c.columns, col)
	}
	c.ts, c.price = t.TS[c.lo-t.Base:c.hi-t.Base], t.Column("close")[c.lo-t.Base:c.hi-t.Base]
}

// look fills the forward returns of a chunk.
func (st *stream) look(c *sheet) {
	if c.ahead == nil {
		c.ahead = make([][]float64, len(st.horizons))
	}
	for k, h := range st.horizons {
		out := slices.Grow(c.ahead[k][:0], c.hi-c.lo)[:st.paired(c, h)]
		from, to := st.execution(c, h)
		for i := range out {
			out[i] = factors.LogReturn(from[i], to[i])
		}
		c.ahead[k] = out
	}
	if st.means == nil {
		return
	}
	c.returned = c.returned[:0]
	for k, r := range c.ahead {
		var of []centred
		for _, d := range c.days {
			of = append(of, centre(r[min(d.lo, len(r)):min(d.hi, len(r))], st.means[0][k].r))
		}
		c.returned = append(c.returned, of)
	}
}

// paired is the number of a chunk's rows that have a forward return.
func (st *stream) paired(c *sheet, h study.Horizon) int {
	return max(0, min(c.hi, st.span.Hi-h.Bars-st.s.Execution.Delay)-c.lo)
}

// execution are the prices between which the forward returns of a chunk's rows lie.
func (st *stream) execution(c *sheet, h study.Horizon) (from, to []float64) {
	from = c.trades.Column("close")[c.lo+st.s.Execution.Delay-c.trades.Base:]
	return from, from[min(h.Bars, len(from)):]
}

// survey is what the first pass wants of a chunk.
func (st *stream) survey(c *sheet) error {
	for i, p := range c.price {
		if !priced(p) {
			return fmt.Errorf("the trade at %s has a price of %v, and a streamed study needs prices", instant(c.ts[i]), p)
		}
	}
	c.sums = st.sumPairs(c)
	return nil
}

// decide is what the second pass wants of a chunk: the composite, and what is to be held.
func (st *stream) decide(c *sheet) error {
	st.segments(c)
	st.look(c)
	n := c.hi - c.lo
	c.score, c.target, c.level = slices.Grow(c.score[:0], n)[:n], slices.Grow(c.target[:0], n)[:n], slices.Grow(c.level[:0], n)[:n]
	st.score.Eval(c.score, c.columns)
	cuts, weights := st.s.Signals.Thresholds, levelWeights(st.s.Signals.Weights)
	for i, f := range c.score {
		l := levelIndex(cuts, f)
		c.level[i], c.target[i] = l, weights[l]
	}
	return nil
}

// playback plays rows [lo, hi) of the span, computed by work on several workers, and gives them to f in order.
func (st *stream) playback(ctx context.Context, lo, hi int, columns []string, work func(*sheet) error, f func(*sheet) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	workers := st.workers()
	type slot struct {
		c   *sheet
		err error
	}
	jobs := make(chan *slot, workers)
	order := make(chan *slot, 2*workers)
	free := make(chan *sheet, 2*workers+2)
	for range cap(free) {
		free <- &sheet{done: make(chan struct{}, 1)}
	}
	var group sync.WaitGroup
	group.Go(func() { // the tape
		defer close(order)
		defer close(jobs)
		p := bars.Playback{From: lo, To: hi, Length: st.length, Back: st.back(), Ahead: st.reach(), Columns: columns}
		err := st.tape.Play(ctx, p, func(t *bars.Trades) error {
			var c *sheet
			select {
			case c = <-free:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
			c.trades = t
			s := &slot{c: c}
			order <- s
			jobs <- s
			return nil
		})
		if err != nil {
			cancel(err)
		}
	})
	for range workers {
		group.Go(func() {
			for s := range jobs {
				if ctx.Err() == nil {
					st.compute(s.c)
					s.err = work(s.c)
				}
				s.c.done <- struct{}{}
			}
		})
	}
	for s := range order {
		<-s.c.done
		if s.err == nil && ctx.Err() == nil {
			s.err = f(s.c)
		}
		if s.err != nil {
			cancel(s.err)
		}
		s.c.trades.Release()
		free <- s.c
	}
	group.Wait()
	return context.Cause(ctx)
}

func (st *stream) workers() int {
	if st.o.Workers > 0 {
		return st.o.Workers
	}
	return runtime.GOMAXPROCS(0)
}

// learn is the first pass.
func (st *stream) learn(ctx context.Context) error {
	st.full = make([][]float64, len(st.all))
	for k, f := range st.all {
		if f.Sample != nil {
			st.full[k] = make([]float64, st.rows())
		}
	}
	st.kept = map[string][]float64{}
	for _, key := range st.costly {
		st.kept[key] = make([]float64, st.rows())
	}
	sums := st.newPairSums()
	st.whole = make([][]bool, (st.rows()+st.length-1)/st.length)
	st.first, st.firstRow = make([]int64, len(st.fs)+1), make([]int, len(st.fs)+1)
	err := st.playback(ctx, st.span.Lo, st.span.Hi, st.chunks.Fields(), st.survey, func(c *sheet) error {
		st.score.Survey(c.columns)
		st.countDays(c)
		sums.add(c.sums)
		st.seeFirst(c)
		return nil
	})
	if err != nil {
		return err
	}
	st.score.Fit()
	for k, f := range st.all {
		if f.Sample != nil {
			x := st.kept[f.Uses[0].Key]
			if x == nil {
				x = st.full[k]
			}
			f.Sample(st.full[k], x)
		}
	}
	st.means = st.meansOf(sums)
	return nil
}

// segment is the rows of a chunk that belong to one day of the span.
type segment struct{ day, lo, hi int }

// countDays cuts the rows into UTC days, as Market.days does.
func (st *stream) countDays(c *sheet) {
	if st.days == nil {
		for d := datasets.DayOf(st.span.From); d <= datasets.DayOf(st.span.To-1); d++ {
			st.days = append(st.days, daySpan{day: d})
		}
	}
	first := st.days[0].day
	for lo := 0; lo < len(c.ts); {
		d := datasets.DayOf(c.ts[lo] - 1)
		k, _ := slices.BinarySearch(c.ts[lo:], (d+1).Start()+1)
		at := &st.days[d-first]
		if at.lo == at.hi {
			at.lo = c.lo + lo - st.span.Lo
		}
		lo += k
		at.hi = c.lo + lo - st.span.Lo
	}
}

// segments cuts a chunk into days.
func (st *stream) segments(c *sheet) {
	c.days = c.days[:0]
	lo, hi := c.lo-st.span.Lo, c.hi-st.span.Lo
	k, _ := slices.BinarySearchFunc(st.days, lo, func(d daySpan, row int) int {
		if d.hi <= row {
			return -1
		}
		return 1
	})
	for ; k < len(st.days) && lo < hi; k++ {
		if d := st.days[k]; d.hi > lo {
			end := min(d.hi, hi)
			c.days = append(c.days, segment{k, lo - (c.lo - st.span.Lo), end - (c.lo - st.span.Lo)})
			lo = end
		}
	}
}

// seeFirst keeps where each factor, and the composite, has its first value.
func (st *stream) seeFirst(c *sheet) {
	composite := len(st.fs)
	for k := range st.first {
		if st.first[k] != 0 {
			continue
		}
		for i := range c.ts {
			known := true
			if k < composite {
				known = !math.IsNaN(c.columns[k][i])
			} else {
				for _, at := range st.parts {
					known = known && !math.IsNaN(c.columns[at][i])
				}
			}
			if known {
				st.first[k], st.firstRow[k] = c.ts[i], c.lo+i-st.span.Lo
				break
			}
		}
	}
}
