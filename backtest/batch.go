package backtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/qf-dev/qf/backtest/evaluate"
	"github.com/qf-dev/qf/backtest/portfolio"
	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/bars"
	"github.com/qf-dev/qf/datasets/scratch"
	"github.com/qf-dev/qf/factors"
	"github.com/qf-dev/qf/signals"
)

// Outcome is what a study came to, without what only a report shows. Its figures are those of Backtest to the bit.
type Outcome struct {
	Digest  string             // of configuration and data: the name of the run
	Account *portfolio.Account // of what is traded, over the whole span
	PnL     evaluate.PnLRow    // of it
	IC      evaluate.ICRow     // of what is traded, of all instruments together, at the primary horizon; without rank figures and bootstrap
}

// Batch says how several studies are played side by side.
type Batch struct {
	Options
	// Known reports whether the outcome of a study, given its place and its digest, is there already: it is not played then.
	Known func(k int, digest string) bool
	// Done takes the outcome of the k-th study. It is called from one goroutine at a time, in no order of k.
	Done func(k int, o *Outcome) error
	// Passed is called after each pass of some of the studies; nil is not.
	Passed func() error
	// Progress is told what share of the work is done, from 0 to 1; nil for nobody.
	Progress func(share float64)
}

// atOnce bounds the studies of one pass: what each carries is in memory, and a canceled batch loses one pass.
const atOnce = 500

// SideBySide plays many studies: those that read the same bars in one pass of them. Each bar is read once, each distinct factor,
// normalization and composite of them is computed once, and rules and portfolios of all follow block by block, while it is in cache. A
// study that looks ahead or asks models is played alone. What comes out is what Backtest gives of each, whatever the number of workers.
func SideBySide(ctx context.Context, lake *datasets.Lake, list []*study.Study, b Batch) error {
	var groups [][]int // by the bars that they read
	places := map[string]int{}
	parts, asked := make([]sections, len(list)), map[string]string{}
	for k, s := range list {
		var err error
		if parts[k], err = sectionsOf(lake, s, asked); err != nil {
			return err
		}
		key := parts[k].bars
		if alone(s) {
			key = fmt.Sprint(k)
		}
		at, ok := places[key]
		if !ok {
			at = len(groups)
			places[key] = at
			groups = append(groups, nil)
		}
		groups[at] = append(groups[at], k)
	}
	done := 0
	for _, group := range groups {
		byScore(parts, group)
		for some := range slices.Chunk(group, atOnce) {
			progress := func(share float64) {
				if b.Progress != nil {
					b.Progress((float64(done) + float64(share*float64(len(some)))) / float64(len(list)))
				}
			}
			if err := b.play(ctx, lake, list, parts, some, progress); err != nil {
				return err
			}
			if b.Passed != nil {
				if err := b.Passed(); err != nil {
					return err
				}
			}
			done += len(some)
			progress(0)
		}
	}
	return nil
}

// alone reports whether a study cannot be played beside others.
func alone(s *study.Study) bool {
	return s.Signals.LLM != nil || s.Data.Universe != nil || len(s.LooksAhead()) > 0 || len(s.FullSampleFactors()) > 0 || s.NormalizesAhead()
}

// sections are the parts of a study's configuration that several may have in common, as text.
type sections struct{ bars, score, execution, evaluation string }

// sectionsOf describes a study. The lake is looked into once for each kind of bars that is needed, which asked remembers.
func sectionsOf(lake *datasets.Lake, s *study.Study, asked map[string]string) (out sections, err error) {
	needs, err := s.Needs()
	if err != nil {
		return out, err
	}
	doc := s.Document()
	text := func(v any) string {
		t, failed := json.Marshal(v)
		err = errors.Join(err, failed)
		return string(t)
	}
	bars := fmt.Sprintf("%s %+v %v", text(doc.Get("data").Without("lake")), needs, s.BarSpec())
	requests, known := asked[bars]
	if !known {
		list, err := BarRequests(lake, s)
		if err != nil {
			return out, err
		}
		requests = text(list)
		asked[bars] = requests
	}
	out.bars = bars + requests
	for _, name := range []string{"define", "factors", "composite"} {
		if item := doc.Get(name); item != nil {
			out.score += text(item) + "\n"
		}
	}
	out.execution, out.evaluation = text(doc.Get("execution")), text(doc.Get("evaluation"))
	return out, err
}

// byScore sorts studies so that those of one composite stand together, in their order.
func byScore(parts []sections, group []int) {
	first := map[string]int{}
	for n, k := range group {
		if _, ok := first[parts[k].score]; !ok {
			first[parts[k].score] = n
		}
	}
	slices.SortStableFunc(group, func(a, b int) int { return first[parts[a].score] - first[parts[b].score] })
}

// play plays the studies of some places, which read the same bars.
func (b Batch) play(ctx context.Context, lake *datasets.Lake, list []*study.Study, parts []sections, some []int, progress func(share float64)) (err error) {
	first := list[some[0]]
	if alone(first) {
		return b.playAlone(ctx, lake, first, some[0])
	}
	limit := b.Memory
	if limit == 0 {
		limit = min(scratch.Quarter(), batchColumns)
	}
	space := scratch.New(limit)
	defer func() { err = errors.Join(err, space.Close()) }()
	x, err := newBatch(ctx, lake, first, b.Options, space)
	if err != nil {
		return err
	}
	for _, k := range some {
		d, err := digest(list[k], x.p.source.Sources(), x.p.seriesSources(), nil)
		if err != nil {
			return err
		}
		if b.Known != nil && b.Known(k, d) {
			continue
		}
		if err := x.add(ctx, list[k], parts[k], k, d); err != nil {
			return err
		}
	}
	if len(x.trials) == 0 {
		return nil
	}
	if err := x.run(ctx, progress); err != nil {
		return err
	}
	return x.close(ctx, b.Done)
}

// playAlone is a Backtest of which the outcome alone is wanted.
func (b Batch) playAlone(ctx context.Context, lake *datasets.Lake, s *study.Study, k int) error {
	quiet := *s
	quiet.Report.Formats = nil
	r, err := Backtest(ctx, lake, &quiet, b.Options)
	if err != nil {
		return err
	}
	defer r.Close()
	if b.Known != nil && b.Known(k, r.Digest) {
		return nil
	}
	o := &Outcome{Digest: r.Digest, Account: r.Runs[0].Account, PnL: r.Figures.pnl(r.Traded)}
	for _, row := range r.Figures.IC {
		if row.Signal == r.Traded && mainRow(row, r.Figures.Primary, len(r.Grid.Instruments)) {
			o.IC = row
		}
	}
	return b.Done(k, o)
}

// mainRow reports whether a row is that of all instruments at the primary horizon over the whole span.
func mainRow(row evaluate.ICRow, primary study.Horizon, instruments int) bool {
	return row.Window == evaluate.All && row.Bars == primary.Bars && (row.Instrument == "*" || instruments == 1)
}

// batch is a pass that carries many studies.
type batch struct {
	p      *plan // of all their factors
	space  *scratch.Space
	market *portfolio.Market

	norms   []factors.Component // distinct: a factor's key and its normalization
	normOf  map[string]int
	keys    map[string]int // of factors, their places
	scores  []*sharedScore
	scoreOf map[string]*sharedScore
	trials  []*sideTrial
	holds   map[string]*sideHold
	judges  map[string]*sideJudge
}

// sharedScore is the composite of some studies.
type sharedScore struct {
	composite factors.Composite
	z         []int          // by component: its place among batch.norms
	columns   map[string]int // of the studies' factors by name, for rules that size by one
	trials    []*sideTrial
	judges    []judged
}

// judged is where a score is evaluated.
type judged struct {
	judge *sideJudge
	at    int // among its signals
}

// sideTrial is one study of a batch.
type sideTrial struct {
	k      int // its place
	study  *study.Study
	span   study.Span
	digest string
	score  *sharedScore
	rule   []signals.Stepper // by instrument
	run    *replay
	hold   *sideHold
	ic     judged
}

// sideHold buys and holds under one execution.
type sideHold struct {
	run     *replay
	span    study.Span
	account *portfolio.Account
}

// sideJudge evaluates all scores that are judged alike.
type sideJudge struct {
	study   *study.Study
	span    study.Span
	signals []evaluate.Signal
	scores  []*sharedScore
	window  *evaluate.Window
	columns [][][]float64 // by signal, of the block
	figures *evaluate.Figures
}

// newBatch opens the bars of s, which all studies of the batch read.
func newBatch(ctx context.Context, lake *datasets.Lake, s *study.Study, o Options, space *scratch.Space) (*batch, error) {
	base := *s
	if o.block == 0 {
		o.block = batchRows
	}
	p, err := newPlan(ctx, lake, lake, &base, o, production)
	if err != nil {
		return nil, err
	}
	p.factors, p.own, p.inputs, p.spans = nil, 0, nil, nil
	return &batch{
		p: p, space: space, market: p.market(), normOf: map[string]int{}, keys: map[string]int{},
		scoreOf: map[string]*sharedScore{}, holds: map[string]*sideHold{}, judges: map[string]*sideJudge{},
	}, nil
}

// batchColumns is the memory of columns that figures keep, beyond which they go to files, so that it does not grow with the number
// of studies.
const batchColumns = 128 << 20

// batchRows is the length of a batch's blocks: scores, targets and prices of a block stay in the cache while trials play them.
const batchRows = 1 << 11

// add takes a study among those of the batch.
func (x *batch) add(ctx context.Context, s *study.Study, part sections, k int, digest string) error {
	t := &sideTrial{k: k, study: s, digest: digest}
	var err error
	if t.span, _, err = s.Spans(x.p.labels(ctx)); err != nil {
		return err
	}
	if t.span.Lo == t.span.Hi {
		return fmt.Errorf("study %s: no bars between %s and %s", s.Name, stamp(t.span.From), stamp(t.span.To))
	}
	x.p.spans = append(x.p.spans, t.span)
	if t.score, err = x.scoreFor(s, part.score); err != nil {
		return err
	}
	t.score.trials = append(t.score.trials, t)
	of, err := s.Rule(x.p.grid)
	if err != nil {
		return err
	}
	for i := range x.p.grid.Instruments {
		r, err := of.Start(x.p.grid, i)
		if err != nil {
			return err
		}
		t.rule = append(t.rule, r)
	}
	x.p.s = s // whose execution newReplay takes
	if t.run, err = x.p.newReplay(x.market, t.span, portfolio.Options{Participate: true}); err != nil {
		return err
	}
	key := part.execution + fmt.Sprint(t.span)
	if t.hold = x.holds[key]; t.hold == nil {
		t.hold = &sideHold{span: t.span}
		if t.hold.run, err = x.p.newReplay(x.market, t.span, portfolio.Options{Hold: true}); err != nil {
			return fmt.Errorf("buy and hold: %w", err)
		}
		x.holds[key] = t.hold
	}
	t.ic = x.judge(s, part, t)
	x.trials = append(x.trials, t)
	return nil
}

// judge finds where a trial's score is evaluated.
func (x *batch) judge(s *study.Study, part sections, t *sideTrial) judged {
	key := fmt.Sprint(part.evaluation, s.Execution.Delay, s.Execution.Price, t.span)
	j := x.judges[key]
	if j == nil {
		own := *s
		own.Evaluation.Horizons = []factors.Window{s.Evaluation.PrimaryHorizon}
		own.Evaluation.RankIC, own.Evaluation.Persistence, own.Evaluation.Bootstrap, own.Evaluation.Delays = false, false, 0, nil
		j = &sideJudge{study: &own, span: t.span}
		x.judges[key] = j
	}
	if at := slices.Index(j.scores, t.score); at >= 0 {
		return judged{j, at}
	}
	at := judged{j, len(j.scores)}
	j.scores = append(j.scores, t.score)
	j.signals = append(j.signals, evaluate.Signal{Name: fmt.Sprint(at.at)})
	t.score.judges = append(t.score.judges, at)
	return at
}

// scoreFor is the composite of a study, which studies of the same one share.
func (x *batch) scoreFor(s *study.Study, key string) (*sharedScore, error) {
	if score := x.scoreOf[key]; score != nil {
		return score, nil
	}
	list, err := s.MakeFactors(x.p.grid)
	if err != nil {
		return nil, err
	}
	score := &sharedScore{composite: s.Composite, columns: map[string]int{}}
	for _, f := range list {
		at, ok := x.keys[f.Key]
		if !ok {
			at = len(x.p.factors)
			x.keys[f.Key] = at
			f.Name = fmt.Sprintf("%s %d", f.Name, at) // two studies may call two factors the same
			x.p.factors = append(x.p.factors, f)
		}
		score.columns[list[len(score.columns)].Name] = at
	}
	for k, c := range s.Composite.Components {
		at, ok := score.columns[c.Factor]
		if !ok {
			return nil, fmt.Errorf("composite: there is no factor %q", c.Factor)
		}
		n := s.Normalization(k)
		key := fmt.Sprintf("%d %+v", at, n)
		place, ok := x.normOf[key]
		if !ok {
			place = len(x.norms)
			x.normOf[key] = place
			x.norms = append(x.norms, factors.Component{Factor: x.p.factors[at].Name, Weight: 1, Normalize: &n})
		}
		score.z = append(score.z, place)
	}
	x.scoreOf[key] = score
	x.scores = append(x.scores, score)
	return score, nil
}

// prepare lays out the columns of all studies.
func (x *batch) prepare() (err error) {
	p := x.p
	p.own = len(p.factors)
	if p.work, err = factors.NewPlan(p.factors, p.grid); err != nil {
		return err
	}
	if p.inputs, err = p.places(p.work.Fields()); err != nil {
		return err
	}
	if p.scorer, err = (factors.Composite{Components: x.norms}).Scorer(p.factors, p.grid); err != nil {
		return err
	}
	for _, j := range x.judges {
		p.want(j.study.Execution.Price)
		if j.window, err = evaluate.New(evaluate.Setup{
			Grid: p.grid, Study: j.study, Signals: j.signals, Traded: j.signals[0].Name, Span: j.span, Window: evaluate.All,
		}, x.space); err != nil {
			return err
		}
		j.columns = make([][][]float64, len(j.signals))
	}
	return nil
}

// run plays all rows.
func (x *batch) run(ctx context.Context, progress func(share float64)) error {
	if err := x.prepare(); err != nil {
		return err
	}
	p := x.p
	last := 0
	for _, t := range x.trials {
		last = max(last, t.span.Hi)
	}
	remember := p.remember(x.market)
	work, scoring := p.work.Start(), p.scorer.Start()
	tasks := x.tasks()
	spare := make(chan *bench, p.o.workers())
	var series [][]float64
	for b, err := range p.blocks(ctx, last) {
		if err != nil {
			return err
		}
		s := p.step(b, series)
		b, series = s.Block, s.series
		remember(b)
		columns, err := p.stages.columns(ctx, work, p.block(s, p.inputs), p.o.workers())
		if err != nil {
			return err
		}
		_, z := scoring.Next(columns)
		err = datasets.ForEach(ctx, p.o.workers(), len(tasks), func(_ context.Context, k int) error {
			var w *bench
			select {
			case w = <-spare:
			default:
				w = &bench{}
			}
			tasks[k].step(p, w, b, columns, z)
			select {
			case spare <- w:
			default:
			}
			return nil
		})
		if err != nil {
			return err
		}
		if err := x.evaluate(ctx, b); err != nil {
			return err
		}
		progress(float64(b.Hi) / float64(last))
	}
	return nil
}

// evaluate shows the block's scores to those that judge them.
func (x *batch) evaluate(ctx context.Context, b *bars.Block) error {
	for _, j := range x.judgeList() {
		if b.Lo < j.span.Lo || b.Hi > j.span.Hi || b.Len() == 0 {
			continue
		}
		price := b.Cols[x.p.want(j.study.Execution.Price)]
		if err := j.window.Step(ctx, b, price, b.Cols[x.p.want("close")], j.columns, x.p.o.workers()); err != nil {
			return err
		}
	}
	return nil
}

// judgeList is those of the map in the order of the trials.
func (x *batch) judgeList() (list []*sideJudge) {
	for _, t := range x.trials {
		if !slices.Contains(list, t.ic.judge) {
			list = append(list, t.ic.judge)
		}
	}
	return list
}

// side is a task of a block: a score with some of its trials, or portfolios that hold.
type side struct {
	score  *sharedScore
	judges bool // it lays the score for those that judge it
	trials []*sideTrial
	holds  []*sideHold
}

// sideTrials is how many trials of one score are one task.
const sideTrials = 16

func (x *batch) tasks() (list []*side) {
	for _, score := range x.scores {
		for some := range slices.Chunk(score.trials, sideTrials) {
			list = append(list, &side{score: score, trials: some, judges: &some[0] == &score.trials[0]})
		}
	}
	var holds []*sideHold
	for _, t := range x.trials {
		if !slices.Contains(holds, t.hold) {
			holds = append(holds, t.hold)
		}
	}
	for some := range slices.Chunk(holds, sideTrials) {
		list = append(list, &side{holds: some})
	}
	return list
}

// bench is the memory of one worker.
type bench struct{ score, target, z [][]float64 }

// step plays a block's rows.
func (k *side) step(p *plan, w *bench, b *bars.Block, columns, z [][][]float64) {
	for _, h := range k.holds {
		if b.Lo >= h.span.Lo && b.Hi <= h.span.Hi {
			h.run.Step(b, h.run.fields, nil)
		}
	}
	if k.score == nil {
		return
	}
	n := len(p.grid.Instruments)
	w.score, w.target = sized(w.score, n, b.Len()), sized(w.target, n, b.Len())
	for i := range n {
		w.z = w.z[:0]
		for _, at := range k.score.z {
			w.z = append(w.z, z[at][i])
		}
		k.score.composite.Weigh(w.score[i], w.z)
	}
	if k.judges {
		for _, j := range k.score.judges {
			to := sized(j.judge.columns[j.at], n, b.Len())
			for i := range to {
				copy(to[i], w.score[i])
			}
			j.judge.columns[j.at] = to
		}
	}
	for _, t := range k.trials {
		for i, rule := range t.rule {
			rule.Step(w.target[i], w.score[i], signals.Rows{Lo: b.Lo, Close: b.Close, Factor: func(name string) []float64 {
				return columns[k.score.columns[name]][i]
			}})
		}
		if b.Lo >= t.span.Lo && b.Hi <= t.span.Hi {
			t.run.Step(b, t.run.fields, w.target)
		}
	}
}

// close closes every fold and hands the outcomes over, in the order of the trials.
func (x *batch) close(ctx context.Context, done func(k int, o *Outcome) error) error {
	for _, j := range x.judgeList() {
		var err error
		if j.figures, err = j.window.Close(ctx, x.p.o.workers()); err != nil {
			return err
		}
	}
	for _, t := range x.trials {
		h := t.hold
		if h.account == nil {
			var err error
			if h.account, err = h.run.Close(); err != nil {
				return fmt.Errorf("buy and hold: %w", err)
			}
		}
		known := h.account
		if known.Unknown != nil {
			known = nil
		}
		own, err := t.run.Close()
		if err != nil {
			return err
		}
		o := &Outcome{Digest: t.digest, Account: own, PnL: evaluate.PnL(study.Composite, evaluate.All, own, known, t.study.Evaluation, nil)}
		signal := t.ic.judge.signals[t.ic.at].Name
		for _, row := range t.ic.judge.figures.IC {
			if row.Signal == signal && mainRow(row, t.ic.judge.figures.Primary, len(x.p.grid.Instruments)) {
				o.IC = row
				o.IC.Signal = study.Composite
			}
		}
		if err := done(t.k, o); err != nil {
			return err
		}
	}
	return nil
}
