package reports

import (
	"errors"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/qf-dev/qf/backtest"
	"github.com/qf-dev/qf/backtest/evaluate"
	"github.com/qf-dev/qf/backtest/portfolio"
	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/bars"
	"github.com/qf-dev/qf/datasets/scratch"
	"github.com/qf-dev/qf/factors"
	"github.com/qf-dev/qf/signals"
)

// shape is what an invented run looks like.
type shape struct {
	name        string
	instruments []datasets.Instrument
	days        int
	every       time.Duration
	windows     int
	warmUp      int // bars
	edge        float64
}

var (
	btc = datasets.Instrument{Exchange: "binance-futures", Symbol: "BTCUSDT"}
	eth = datasets.Instrument{Exchange: "bybit", Symbol: "ETHUSDT"}
)

var sampleContract = datasets.Contract{Multiplier: 1, Base: "BTC", Quote: "USDT", Settle: "USDT"}

// sampled is an invented run with the rows that a folder's files are made of.
type sampled struct {
	*backtest.Result
	rows  []*backtest.RunRows
	fills []*backtest.FillRow
}

func (s *sampled) Rows(f func(*backtest.RunRows) error) error {
	for _, x := range s.rows {
		if err := f(x); err != nil {
			return err
		}
	}
	return nil
}

func (s *sampled) Fills(f func(*backtest.FillRow) error) error {
	for _, x := range s.fills {
		if err := f(x); err != nil {
			return err
		}
	}
	return nil
}

// write is Write of the run with its rows.
func (s *sampled) write(dir string, o Options) error { return write(dir, s.Result, s, o) }

// sample invents a finished backtest: price and score are made up, what is said of the prediction too; the replays are
// played. The arithmetic avoids what processors round differently.
func sample(t testing.TB, sh shape) *sampled {
	t.Helper()
	from, err := datasets.ParseDay("2024-01-02")
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(7, 11))
	step := sh.every.Microseconds()
	n := sh.days * int(datasets.MicrosPerDay/step)
	g := &factors.Grid{Every: sh.every, BarsPerYear: float64(365*24*time.Hour) / float64(sh.every), Instruments: sh.instruments}
	for k := range sh.warmUp + n {
		g.Close = append(g.Close, from.Start()+int64(k-sh.warmUp+1)*step)
	}
	span := study.Span{Lo: sh.warmUp, Hi: sh.warmUp + n, From: from.Start(), To: from.Start() + int64(n)*step}
	s := sampleStudy(sh)
	r := &backtest.Result{
		Study: s, Grid: g, Span: span, Traded: study.Composite, Digest: "5f1d2c3b4a596877",
		Unpriced: make([]int, len(sh.instruments)), Figures: &backtest.Evaluated{},
	}
	var price, score, target [][]float64
	for i := range sh.instruments {
		p, f := walk(rng, g.Len(), []float64{43210.5, 2301.25, 101.5}[i%3], sh.edge, float64(sh.every)/float64(24*time.Hour))
		if i == 1 { // a day is not in the lake
			for k := span.Lo + n/3; k < span.Lo+n/3+int(datasets.MicrosPerDay/step); k++ {
				p[k], f[k] = math.NaN(), math.NaN()
				r.Unpriced[i]++
			}
		}
		price, score, target = append(price, p), append(score, f), append(target, targets(f, s.Signals))
		r.Contracts = append(r.Contracts, sampleContract)
		r.Days = append(r.Days, sampleDays(from, sh.days, i == 1))
	}
	market := newSampleMarket(g, price, target)
	out := &sampled{Result: r}
	out.replay(t, market, evaluate.All, span)
	for k := range sh.windows {
		w := study.Span{Index: k, Lo: span.Lo + n*k/sh.windows, Hi: span.Lo + n*(k+1)/sh.windows}
		w.From, w.To = g.Close[w.Lo]-step, g.Close[w.Hi-1]
		if sh.windows == 1 {
			w = span
		}
		if r.Windows = append(r.Windows, w); sh.windows > 1 {
			out.replay(t, market, strconv.Itoa(k), w)
		}
	}
	out.variants(t, market)
	out.distribution(t, price, score)
	sampleFigures(r, rng, sh.edge)
	for d := range sh.days {
		for _, in := range sh.instruments {
			p := datasets.Partition{Instrument: in, Type: datasets.Trades, Day: from + datasets.Day(d)}
			r.Sources = append(r.Sources, datasets.Info{
				Partition: p, Rows: 400_000 + int64(d), Bytes: 3_000_000, Digest: "a1b2c3d4",
				Source: datasets.SourceMeta{
					Path:  in.Exchange + "/trades/" + strings.ReplaceAll((from+datasets.Day(d)).String(), "-", "/") + "/" + in.Symbol + ".csv.gz",
					Bytes: 5_000_000 + int64(d), SHA256: strings.Repeat("9c", 32),
				},
			})
		}
	}
	r.Warnings = []error{
		errors.New("bybit:ETHUSDT: 1 of 90 days missing, 288 bars lost"),
		errors.New("few_spans: volatility_20d changed its mind fewer than 10 times, its t is not to be trusted"),
	}
	return out
}

func sampleDays(from datasets.Day, days int, lacking bool) []bars.DayStatus {
	var status []bars.DayStatus
	for _, feed := range []datasets.DataType{datasets.Trades, datasets.DerivativeTicker} {
		for d := range days {
			s := bars.DayStatus{Type: feed, Day: from + datasets.Day(d), Presence: bars.Present}
			switch {
			case lacking && d == days/3:
				s.Presence = bars.Missing
			case feed == datasets.DerivativeTicker && d == 1:
				s.Presence = bars.Empty
			}
			status = append(status, s)
		}
	}
	return status
}

// sampleMarket is what the invented runs are played on.
type sampleMarket struct {
	portfolio.Market
	frame  *factors.Frame
	target *factors.Panel
	price  [][]float64
}

// newSampleMarket trades at the close before, and settles funding every 8 hours at the last price.
func newSampleMarket(g *factors.Grid, price, target [][]float64) *sampleMarket {
	m := &sampleMarket{Market: portfolio.Market{Grid: g}, price: price, target: factors.NewPanel("target", g, target...)}
	var open, trades [][]float64
	for _, p := range price {
		m.Contracts = append(m.Contracts, sampleContract)
		opens, counts := make([]float64, len(p)), make([]float64, len(p))
		last := p[0]
		var due []bars.Settlement
		for t, v := range p {
			opens[t], counts[t] = last, 40
			if math.IsNaN(v) {
				opens[t], counts[t] = v, 0
			} else {
				last = v
			}
			if g.Close[t]%(8*3600e6) == 0 {
				due = append(due, bars.Settlement{Time: g.Close[t], Rate: 0.0001, Mark: last})
			}
		}
		open, trades = append(open, opens), append(trades, counts)
		m.Settlements = append(m.Settlements, due)
	}
	m.frame = &factors.Frame{Grid: g, Panels: []*factors.Panel{
		factors.NewPanel("close", g, price...), factors.NewPanel("open", g, open...), factors.NewPanel("trades", g, trades...),
	}}
	return m
}

func (m *sampleMarket) play(t testing.TB, s *study.Study, span study.Span, o portfolio.Options) (*portfolio.Rows, *portfolio.Account) {
	t.Helper()
	rows, account, err := portfolio.Simulate(&m.Market, m.frame, m.target, span, s.Execution, o)
	if err != nil {
		t.Fatal(err)
	}
	return rows, account
}

// replay plays one window and keeps what came of it.
func (s *sampled) replay(t testing.TB, m *sampleMarket, name string, span study.Span) {
	t.Helper()
	rows, account := m.play(t, s.Study, span, portfolio.Options{Keep: true})
	held, hold := m.play(t, s.Study, span, portfolio.Options{Hold: true, Equity: true})
	s.Runs = append(s.Runs, backtest.Run{Window: name, Span: span, Account: account, Hold: hold})
	s.Figures.PnL = append(s.Figures.PnL, samplePnL(evaluate.PnL(study.Composite, name, account, hold, s.Study.Evaluation, nil)))
	cut := func(by func(i int) []float64) (out [][]float64) {
		for i := range s.Grid.Instruments {
			out = append(out, by(i)[span.Lo:span.Hi])
		}
		return out
	}
	for lo, at := 0, 0; lo < len(rows.Close); lo = at { // in two parts
		at = min(len(rows.Close), lo+1+len(rows.Close)/2)
		part := func(cols [][]float64) (out [][]float64) {
			for _, c := range cols {
				out = append(out, c[lo:at])
			}
			return out
		}
		var causes [5][]float64
		for _, a := range rows.Bar[lo:at] {
			for c, v := range [...]float64{a.PricePnL, a.Fees, a.Slippage, a.Impact, a.Funding} {
				causes[c] = append(causes[c], v)
			}
		}
		s.rows = append(s.rows, &backtest.RunRows{
			Window: name, TS: rows.Close[lo:at], Close: part(cut(func(i int) []float64 { return m.price[i] })), Target: part(cut(m.target.Col)),
			Quantity: part(rows.Quantity), Weight: part(rows.Weight), Equity: rows.Equity[lo:at], Hold: held.Equity[lo:at],
			PricePnL: causes[0], Fees: causes[1], Slippage: causes[2], Impact: causes[3], Funding: causes[4],
		})
	}
	for _, f := range rows.Fills {
		s.fills = append(s.fills, &backtest.FillRow{Window: name, TS: s.Grid.Close[f.Row], Decided: s.Grid.Close[f.Decided], Fill: f})
	}
	if name == evaluate.All {
		s.draw(t, m, rows, held)
	}
}

// samplePnL invents the figures that a few days do not give.
func samplePnL(p evaluate.PnLRow) evaluate.PnLRow {
	p.Reasons = map[string]string{"dsr": "no trial ledger is kept"}
	for key, v := range map[string]evaluate.Figure{
		"daily_returns": 90, "cagr": 0.61, "volatility": 0.31, "total_return_low": -0.2, "total_return_high": 0.21, "sharpe": 1.7, "sharpe_low": -0.9,
		"sharpe_high": 4.1, "sortino": 2.5, "calmar": 5.1, "omega": 1.3, "max_drawdown_days": 23.5, "var_95": -0.021, "es_95": -0.032, "skew": 0.2,
		"kurtosis": 1.1, "best_day": 0.062, "worst_day": -0.041, "turnover_per_day": 1.9, "exposure": 0.38, "mean_holding_hours": 19.2,
		"hit_rate": 0.54, "hit_rate_trips": 0.47, "profit_factor": 1.3, "psr": 0.87, "dsr": nan, "min_trl_days": 312, "alpha": 0.2, "beta": 0.1, "fill_share_median": 0.001,
		"fill_share_95": 0.013, "fill_share_largest": 0.041,
	} {
		p.Figures[key] = v
	}
	return p
}

// draw keeps every row of a small run, and some of a larger one.
func (s *sampled) draw(t testing.TB, m *sampleMarket, rows, held *portfolio.Rows) {
	free, _ := m.play(t, s.Study, s.Span, portfolio.Options{Frictionless: true, Equity: true})
	capital := s.Study.Execution.InitialCapital
	down, _ := drawdown(nil, rows.Equity, capital)
	holdDown, _ := drawdown(nil, held.Equity, capital)
	each := 1 + len(rows.Close)/300
	thin := func(first float64, x []float64) []float64 {
		out := []float64{first}
		for k := range x {
			if k%each == 0 || k == len(x)-1 {
				out = append(out, x[k])
			}
		}
		return out
	}
	var ts []int64
	for _, at := range thin(float64(s.Span.From), floatsOf(rows.Close)) {
		ts = append(ts, int64(at))
	}
	s.Curves.Equity = backtest.EquityCurve{
		TS: ts, Equity: thin(capital, rows.Equity), BeforeCosts: thin(capital, free.Equity), BuyAndHold: thin(capital, held.Equity),
		Drawdown: thin(0, down), HoldDrawdown: thin(0, holdDown),
	}
	for i := range m.price {
		s.Curves.Positions = append(s.Curves.Positions, backtest.PositionCurve{
			TS: ts[1:], Price: thin(0, m.price[i][s.Span.Lo:s.Span.Hi])[1:], Weight: thin(0, rows.Weight[i])[1:],
		})
	}
}

func floatsOf(x []int64) []float64 {
	out := make([]float64, len(x))
	for k, v := range x {
		out[k] = float64(v)
	}
	return out
}

// variants trades the whole span otherwise.
func (s *sampled) variants(t testing.TB, m *sampleMarket) {
	e := s.Study.Evaluation
	for _, delay := range []int{1, 2, 5, 10} {
		_, a := m.play(t, s.Study, s.Span, portfolio.Options{Delay: delay})
		s.Figures.Variants = append(s.Figures.Variants, evaluate.Variant("delay", delay, a, e))
	}
	_, free := m.play(t, s.Study, s.Span, portfolio.Options{Frictionless: true})
	s.Figures.Variants = append(s.Figures.Variants, evaluate.Variant("zero_cost", 1, free, e),
		evaluate.Variant("buy_and_hold", 1, s.Runs[0].Hold, e))
}

// distribution counts the score as evaluate does.
func (s *sampled) distribution(t testing.TB, price, score [][]float64) {
	t.Helper()
	w, err := evaluate.New(evaluate.Setup{
		Grid: s.Grid, Study: s.Study, Signals: []evaluate.Signal{{Name: study.Composite, Levels: true}}, Traded: study.Composite,
		Span: s.Span, Window: evaluate.All,
	}, scratch.New(1<<30))
	if err != nil {
		t.Fatal(err)
	}
	cut := func(cols [][]float64) (out [][]float64) {
		for _, c := range cols {
			out = append(out, c[s.Span.Lo:s.Span.Hi])
		}
		return out
	}
	b := &bars.Block{Lo: s.Span.Lo, Hi: s.Span.Hi, Close: s.Grid.Close[s.Span.Lo:s.Span.Hi]}
	if err := w.Step(t.Context(), b, cut(price), cut(price), [][][]float64{cut(score)}, 1); err != nil {
		t.Fatal(err)
	}
	figures, err := w.Close(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	s.Figures.Distribution = figures.Distribution
}

// walk invents a price and a score that follows it with an edge.
func walk(rng *rand.Rand, n int, start, edge, dayShare float64) (price, score []float64) {
	sigma := 0.025 * math.Sqrt(dayShare)
	p, f := start, 0.0
	for range n {
		price, score = append(price, p), append(score, f)
		f = float64(f*(1-0.5*dayShare)) + float64(rng.NormFloat64()*0.7*math.Sqrt(dayShare))
		p *= 1 + float64(rng.NormFloat64()*sigma) + float64(edge*sigma*f)
	}
	return price, score
}

func targets(score []float64, s study.SignalsConfig) []float64 {
	out := make([]float64, len(score))
	for t, f := range score {
		switch c, w := s.Thresholds, s.Weights; {
		case f > c.StrongLong:
			out[t] = w.StrongLong
		case f > c.Long:
			out[t] = w.Long
		case f < c.StrongShort:
			out[t] = w.StrongShort
		case f < c.Short:
			out[t] = w.Short
		}
	}
	return out
}

func sampleStudy(sh shape) *study.Study {
	var from datasets.Day
	from, _ = datasets.ParseDay("2024-01-02")
	s := &study.Study{
		Version: 1, Name: sh.name,
		Data: study.DataConfig{Lake: "./lake", From: from, To: from + datasets.Day(sh.days), Clock: "local_timestamp"},
		Bars: study.BarsConfig{Kind: "time", Every: factors.Window{Time: sh.every}},
		Factors: []study.FactorConfig{
			{Name: "momentum_14d", Kind: "momentum", Params: factors.Params{"window": "14d"}},
		},
		Composite: factors.Composite{
			Components: []factors.Component{{Factor: "momentum_14d", Weight: 0.4}, {Factor: "volatility_20d", Weight: -0.2}},
			Normalize:  factors.Normalization{Method: factors.Rolling, Window: factors.Window{Time: 30 * 24 * time.Hour}},
			Missing:    factors.Strict,
		},
		Signals: study.SignalsConfig{
			Thresholds: signals.Cuts{StrongLong: 1, Long: 0.5, Short: -0.5, StrongShort: -1},
			Weights:    signals.Weights{StrongLong: 1, Long: 0.5, Short: -0.5, StrongShort: -1},
		},
		Execution:  study.ExecutionConfig{Delay: 1, Price: "open", TakerBps: 5, HalfSpreadBps: 1, Funding: true, InitialCapital: 100000, Sizing: "compounding"},
		Evaluation: study.EvaluationConfig{PrimaryHorizon: factors.Window{Time: time.Hour}, Quantiles: 5, Seed: 1},
		Report:     study.ReportConfig{Dir: "runs", Formats: []string{"html", "json", "csv", "parquet"}},
	}
	for _, in := range sh.instruments {
		s.Data.Instruments = append(s.Data.Instruments, study.InstrumentConfig{Instrument: in, Contract: sampleContract})
	}
	for _, h := range horizons {
		s.Evaluation.Horizons = append(s.Evaluation.Horizons, factors.Window{Time: h})
	}
	return s
}

var horizons = []time.Duration{time.Hour, 4 * time.Hour, 24 * time.Hour, 72 * time.Hour}

// sampleFigures invents what is said of the prediction.
func sampleFigures(r *backtest.Result, rng *rand.Rand, edge float64) {
	ev := r.Figures
	figure := func(scale float64) evaluate.Figure { return evaluate.Figure(scale * rng.NormFloat64()) }
	names := []string{evaluate.Pooled}
	for _, in := range r.Grid.Instruments {
		names = append(names, in.String())
	}
	n := r.Span.Hi - r.Span.Lo
	scopes := []string{evaluate.All}
	for k := range r.Windows {
		scopes = append(scopes, string(rune('0'+k)))
	}
	if len(r.Windows) == 1 {
		scopes = scopes[:1]
	}
	for _, signal := range []string{"momentum_14d", "volatility_20d", "composite"} {
		for _, win := range scopes {
			for _, name := range names {
				for k, h := range horizons {
					bars := int(h / r.Grid.Every)
					row := evaluate.ICRow{
						Signal: signal, Instrument: name, Window: win, Horizon: factors.FormatDuration(h), Bars: bars, N: n - bars,
						NEffective: evaluate.Figure(float64(n) / float64(1+bars/3)),
						Pearson:    evaluate.Figure(3*edge/float64(k+1)) + figure(0.008),
						TMethod:    "hansen_hodrick",
						Daily:      evaluate.DailySummary{N: 90, Mean: evaluate.Figure(2 * edge), Std: 0.21, ICIR: evaluate.Figure(9 * edge)},
					}
					row.Spearman = row.Pearson + figure(0.002)
					row.T = evaluate.Figure(float64(row.Pearson) * math.Sqrt(float64(row.NEffective)) / 1.2)
					row.SpearmanT = row.T / 2
					row.SpearmanP = evaluate.Figure(math.Erfc(math.Abs(float64(row.SpearmanT)) / math.Sqrt2))
					half := evaluate.Figure(2.3 / math.Sqrt(float64(row.NEffective)))
					row.Low, row.High = row.Pearson-half, row.Pearson+half
					row.THansenHodrick, row.TNonOverlap = row.T, row.T+figure(0.3)
					row.P = evaluate.Figure(math.Erfc(math.Abs(float64(row.T)) / math.Sqrt2))
					row.PHolm = row.P
					if n/bars < 30 {
						row.T, row.P, row.PHolm, row.TMethod = nan, nan, nan, "insufficient"
						row.Reasons = map[string]string{"t": "n/h is below 10", "p": "t is missing"}
					}
					if signal == "volatility_20d" {
						row.Warnings = []string{"few_spans"}
					}
					ev.IC = append(ev.IC, row)
				}
			}
		}
	}
	for d := range r.Grid.Day(r.Span.Hi-1) - r.Grid.Day(r.Span.Lo) + 1 {
		v := evaluate.Figure(2*edge) + figure(0.2)
		if d == 2 {
			v = nan
		}
		ev.Daily = append(ev.Daily, evaluate.DailyIC{Signal: "composite", Day: (r.Grid.Day(r.Span.Lo) + d).String(), IC: v})
	}
	for _, signal := range []string{"momentum_14d", "composite"} {
		for _, h := range horizons {
			for q := range 5 {
				ev.Quantiles = append(ev.Quantiles, evaluate.QuantileRow{
					Signal: signal, Horizon: factors.FormatDuration(h), Quantile: q + 1, N: n / 5,
					MeanReturn: evaluate.Figure(float64(q-2)*edge*0.004*math.Sqrt(h.Hours())) + figure(0.0001),
				})
			}
		}
	}
	for k, level := range []string{"strong_short", "short", "neutral", "long", "strong_long"} {
		for _, h := range horizons {
			share := []float64{0.1, 0.15, 0.5, 0.15, 0.1}[k]
			ev.Levels = append(ev.Levels, evaluate.LevelRow{
				Signal: "composite", Window: evaluate.All, Level: level, Bars: int(share * float64(n)), Share: evaluate.Figure(share),
				MeanHolding: 41.5, Horizon: factors.FormatDuration(h), MeanReturn: evaluate.Figure(float64(k-2)*edge*0.01) + figure(0.0002),
				HitRate: 0.5 + figure(0.02), T: figure(1.5), BreakEven: figure(8),
			})
		}
	}
	sampleDetails(ev, figure)
}

// sampleDetails adds what a report shows below the headline figures.
func sampleDetails(ev *backtest.Evaluated, figure func(float64) evaluate.Figure) {
	for k, regime := range []string{"low", "normal", "high"} {
		ev.Slices = append(ev.Slices, evaluate.SliceRow{Signal: "composite", By: "volatility", Slice: regime, N: 5000 * (k + 1), IC: 0.03 + figure(0.02)})
	}
	for h := range 24 {
		ev.Slices = append(ev.Slices, evaluate.SliceRow{Signal: "composite", By: "hour", Slice: string(rune('0'+h/10)) + string(rune('0'+h%10)), N: 1080, IC: 0.03 + figure(0.03)})
	}
	for _, h := range horizons {
		ev.Spreads = append(ev.Spreads, evaluate.SpreadRow{Signal: "composite", Horizon: factors.FormatDuration(h), Spread: 0.0007 + figure(0.0001), Monotonicity: 0.9})
	}
	for _, signal := range []string{"momentum_14d", "composite"} {
		ev.Persistence = append(ev.Persistence, evaluate.PersistenceRow{
			Signal: signal, Instrument: btc.String(), Lag1: 0.9985, HalfLife: 412, Time: nan,
			Reasons: map[string]string{"integrated_bars": "the autocorrelation does not fall to 0"},
		})
	}
	levels := []string{"strong_short", "short", "neutral", "long", "strong_long"}
	for i, from := range levels {
		for j, to := range levels {
			share := math.Max(0, 0.9-0.4*math.Abs(float64(i-j)))
			ev.Transitions = append(ev.Transitions, evaluate.TransitionRow{Signal: "composite", Window: evaluate.All, From: from, To: to, Bars: int(1000 * share), Share: evaluate.Figure(share)})
		}
	}
	ev.Stability = append(ev.Stability,
		evaluate.StabilityRow{Signal: "composite", Figure: "ic", Windows: 5, Positive: 0.8, Worst: -0.01, WorstIn: "3"},
		evaluate.StabilityRow{Signal: "composite", Figure: "total_return", Windows: 5, Positive: 0.6, Worst: -0.08, WorstIn: "1"})
}
