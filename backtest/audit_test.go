package backtest

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/qf-dev/qf/backtest/portfolio"
	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/bars"
	"github.com/qf-dev/qf/datasets/series"
	"github.com/qf-dev/qf/datasets/tardis"
	"github.com/qf-dev/qf/datasets/tardistest"
	"github.com/qf-dev/qf/factors"
	"github.com/qf-dev/qf/factors/kernel"
	"github.com/qf-dev/qf/signals"
)

// dayFiles is a simulated market whose day-files go straight into a lake.
type dayFiles struct{ *tardistest.Market }

func (s dayFiles) Open(_ context.Context, p datasets.Partition) (datasets.Stream, error) {
	var text bytes.Buffer
	if err := s.WriteDay(&text, p); err != nil {
		return nil, err
	}
	return dayFile{tardis.NewDecoder(&text, p, p.String(), 0), int64(text.Len()), p}, nil
}

type dayFile struct {
	*tardis.Decoder
	size int64
	p    datasets.Partition
}

func (s dayFile) Meta() datasets.SourceMeta {
	return datasets.SourceMeta{Path: s.p.String(), Bytes: s.size}
}
func (s dayFile) Progress() (done, total int64) { return s.size, s.size }

// small is a study of short windows with factors of trades and of funding.
const small = `
version: 1
name: audited
data:
  instruments: [binance-futures:BTCUSDT, binance-futures:ETHUSDT]
  from: 2024-01-03
  to: 2024-01-06
bars: {kind: time, every: 5m}
factors:
  - {name: mom, kind: momentum, window: 3h}
  - {name: vol, kind: volatility, window: 4h}
  - {name: ofi, kind: ofi, window: 20 trades}
  - {name: funding, kind: funding_mean, window: 1d}
composite:
  normalize: {method: rolling, window: 12h}
  components:
    - {factor: mom, weight: 0.5}
    - {factor: vol, weight: -0.2}
    - {factor: ofi, weight: 0.4}
    - {factor: funding, weight: 0.1, normalize: {method: none}}
evaluation: {horizons: [1h], primary_horizon: 1h, bootstrap: 0}
`

// looking is a study whose factors look at instruments that it does not trade.
const looking = `
version: 1
name: looking
data:
  instruments: [binance-futures:BTCUSDT, binance-futures:ETHUSDT]
  references: [bybit:BTCUSD, coinbase:BTC-USD]
  from: 2024-01-03
  to: 2024-01-06
bars: {kind: time, every: 5m}
define:
  lead: pct_change(close, 3)["bybit:BTCUSD"]
factors:
  - {name: lag, expr: "lead - pct_change(close, 3)"}
  - {name: funds, expr: 'ts_mean(funding_rate - funding_rate["bybit:BTCUSD"], 1d)'}
  - {name: beta, expr: 'zscore(ts_corr(returns, returns["coinbase:BTC-USD"], 4h)) + demean(volume / ts_mean(volume, 3h)["bybit:BTCUSD"])'}
composite:
  normalize: {method: rolling, window: 12h}
  components: [{factor: lag, weight: 0.6}, {factor: funds, weight: 0.2}, {factor: beta, weight: 0.4}]
evaluation: {horizons: [1h], primary_horizon: 1h, bootstrap: 0}
`

// bringing is a study with a series of its own.
const bringing = `
version: 1
name: bringing
data:
  instruments: [binance-futures:BTCUSDT, binance-futures:ETHUSDT]
  references: [bybit:BTCUSD]
  series: [{name: fear, path: fear.csv, time: published, value: score, hold: 5h}]
  from: 2024-01-03
  to: 2024-01-06
bars: {kind: time, every: 5m}
factors:
  - {name: scared, expr: 'fear / 50 - 1 + 0 * close'}
  - {name: moved, expr: 'delta(fear, 2h) * sign(returns["bybit:BTCUSD"])'}
  - {name: filled, expr: 'ffill(fear["bybit:BTCUSD"], 1d) * zscore(returns)'}
composite:
  missing: renormalize
  normalize: {method: rolling, window: 12h, min_periods: 20}
  components: [{factor: scared, weight: 0.6}, {factor: moved, weight: 0.2}, {factor: filled, weight: 0.4}]
evaluation: {horizons: [1h], primary_horizon: 1h, bootstrap: 0}
`

// ownSeries writes the file of its series: about two values an hour, with gaps longer than hold.
func ownSeries(t *testing.T) string {
	t.Helper()
	r := rand.New(rand.NewPCG(8, 9))
	var b strings.Builder
	b.WriteString("published,score\n")
	for at := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC); at.Day() < 7; at = at.Add(time.Duration(1 + r.IntN(int(time.Hour)))) {
		if h := at.Sub(time.Date(2024, 1, 4, 3, 0, 0, 0, time.UTC)); h > 0 && h < 9*time.Hour {
			continue
		}
		fmt.Fprintf(&b, "%s,%d\n", at.Format(time.RFC3339Nano), r.IntN(100))
	}
	path := filepath.Join(t.TempDir(), "fear.csv")
	if err := os.WriteFile(path, []byte(b.String()), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// simulatedLake parses a study and fills a lake with a market for it, but for the partitions that skip names.
func simulatedLake(t *testing.T, text string, skip func(datasets.Partition) bool, set ...string) (*datasets.Lake, *study.Study) {
	t.Helper()
	s, err := study.Parse("audit", []byte(text), set)
	if err != nil {
		t.Fatal(err)
	}
	want, err := s.Partitions()
	if err != nil {
		t.Fatal(err)
	}
	start := s.Data.From - 1
	for k := range s.Data.Series {
		s.Data.Series[k].Path = ownSeries(t)
	}
	market := &tardistest.Market{
		Seed: 5, Start: start, Signal: tardistest.DefaultSignal,
		TradesPerDay: 800, QuotesPerDay: 300, SnapshotEvery: 600, TickerEvery: 300,
	}
	for _, in := range slices.Concat(s.Data.Instruments, study.Instruments(s.Data.References)) {
		market.Instruments = append(market.Instruments, in.Instrument)
	}
	want = slices.DeleteFunc(want, func(p datasets.Partition) bool {
		return p.Day < start || skip != nil && skip(p)
	})
	lake, err := datasets.OpenLake(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	report, err := datasets.Fetch(t.Context(), dayFiles{market}, lake, want, datasets.FetchOptions{})
	if err != nil || report.Count(datasets.Fetched)+report.Count(datasets.Empty) != len(want) {
		t.Fatalf("%d of %d days fetched, %v", report.Count(datasets.Fetched), len(want), err)
	}
	return lake, s
}

// auditedBy runs a study and its audit, both with the given stages.
func auditedBy(t *testing.T, broken stages, lake *datasets.Lake, s *study.Study, o Options) (*Result, *Certificate) {
	t.Helper()
	p, err := newPlan(t.Context(), lake, lake, s, o, broken)
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.backtest(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	c, err := audit(t.Context(), lake, r, o, broken)
	if err != nil {
		t.Fatal(err)
	}
	return r, c
}

func clean(t *testing.T, c *Certificate) {
	t.Helper()
	for _, v := range c.Violations {
		t.Errorf("%s of %s differs at %s when cut at %s: %v, then %v", v.Panel, v.Instrument, v.Bar, v.Cut, v.Value, v.Recomputed)
	}
	if c.Checked == 0 || len(c.Cuts) < 5 {
		t.Errorf("%d values at %d cuts", c.Checked, len(c.Cuts))
	}
}

// afterBlock and afterColumns break one field or factor, by instrument, over a block.
func afterBlock(name string, f func(dst, x []float64)) func(*stages) {
	return func(s *stages) {
		s.blocks = func(b *bars.Block, fields []string) {
			for k, field := range fields {
				if field == name || name == "" {
					b.Cols[k] = changed(b.Cols[k], f)
				}
			}
		}
	}
}

func afterColumns(factor int, f func(dst, x []float64)) func(*stages) {
	return func(s *stages) {
		s.columns = func(ctx context.Context, play *factors.Play, b *bars.Block, workers int) ([][][]float64, error) {
			columns, err := play.Next(ctx, b, workers)
			if err == nil {
				columns = slices.Clone(columns)
				columns[factor] = changed(columns[factor], f)
			}
			return columns, err
		}
	}
}

func changed(cols [][]float64, f func(dst, x []float64)) [][]float64 {
	out := make([][]float64, len(cols))
	for i, x := range cols {
		out[i] = slices.Clone(x)
		f(out[i], x)
	}
	return out
}

func meanOf(x []float64) float64 {
	mean, _ := kernel.MeanStd(x, 1)
	return mean
}

func shiftedLeft(dst, x []float64) {
	dst[len(x)-1] = math.NaN()
	copy(dst, x[1:])
}

// Places of the factors of small.
const (
	momOfSmall = iota
	volOfSmall
	ofiOfSmall
)

// mutants are leaks as they are met in research code, and the panel where each shows first.
var mutants = []struct {
	name, first string
	leak        func(*stages)
}{
	{"centred window", "mom", afterColumns(momOfSmall, func(dst, x []float64) {
		for t := range x {
			dst[t] = meanOf(x[max(0, t-3):min(len(x), t+4)])
		}
	})},
	{"full sample undeclared", "z mom", func(s *stages) {
		s.score = func(scoring *factors.Scoring, columns [][][]float64) ([][]float64, [][][]float64) {
			score, z := scoring.Next(columns)
			z = slices.Clone(z)
			z[momOfSmall] = changed(columns[momOfSmall], func(dst, x []float64) {
				mean, std := kernel.MeanStd(x, 2)
				for t, v := range x {
					dst[t] = (v - mean) / std
				}
			})
			return score, z
		}
	}},
	{"negative shift", "vol", afterColumns(volOfSmall, shiftedLeft)},
	{"back-fill", "mom", afterColumns(momOfSmall, func(dst, _ []float64) {
		for t := len(dst) - 2; t >= 0; t-- {
			if math.IsNaN(dst[t]) {
				dst[t] = dst[t+1]
			}
		}
	})},
	{"label on the left", "open", afterBlock("", shiftedLeft)},
	{"bar close used inside the bar", "fill price", func(s *stages) {
		s.replay = func(p *portfolio.Portfolio, b *bars.Block, fields []int, target [][]float64) *portfolio.Rows {
			fields = slices.Clone(fields)
			fields[slices.Index(p.Fields(), "open")] = fields[slices.Index(p.Fields(), "close")]
			return p.Step(b, fields, target)
		}
	}},
	{"bar score used inside the bar", "fill quantity", func(s *stages) {
		s.replay = func(p *portfolio.Portfolio, b *bars.Block, fields []int, target [][]float64) *portfolio.Rows {
			if target != nil {
				target = changed(target, func(dst, x []float64) { copy(dst, x[1:]) })
			}
			return p.Step(b, fields, target)
		}
	}},
	{"funding before it is known", "settled_funding", afterBlock("settled_funding", func(dst, x []float64) { copy(dst, x[1:]) })},
	{"exchange clock", "open", func(s *stages) {
		s.open = func(ctx context.Context, store bars.Store, qs []bars.Request, o bars.Options) (*bars.Source, error) {
			qs = slices.Clone(qs)
			for k := range qs {
				qs[k].Spec.Clock = bars.Exchange
			}
			return bars.OpenSource(ctx, store, qs, o)
		}
	}},
	{"quantile edges of the whole window", "target", func(s *stages) {
		s.targets = func(_ signals.Stepper, target, score []float64, _ signals.Rows) {
			sorted := slices.DeleteFunc(slices.Clone(score), math.IsNaN)
			slices.Sort(sorted)
			for t, v := range score {
				target[t] = 0
				if len(sorted) == 0 {
					continue
				}
				if v > sorted[len(sorted)*4/5] {
					target[t] = 1
				} else if v < sorted[len(sorted)/5] {
					target[t] = -1
				}
			}
		}
	}},
	{"universe of the window's end", "open", func(s *stages) {
		s.blocks = func(b *bars.Block, fields []string) {
			trades := b.Cols[slices.Index(fields, "trades")]
			for i, x := range trades {
				if slices.ContainsFunc(x[max(0, len(x)-288):], func(n float64) bool { return n > 0 }) {
					continue
				}
				for k := range b.Cols {
					gone := make([]float64, len(x))
					for t := range gone {
						gone[t] = math.NaN()
					}
					b.Cols[k] = slices.Clone(b.Cols[k])
					b.Cols[k][i] = gone
				}
			}
		}
	}},
	{"state carried across workers", "ofi", func(s *stages) {
		state := 0.0 // of one worker, which goes on with the next column
		afterColumns(ofiOfSmall, func(dst, x []float64) {
			for t, v := range x {
				if !math.IsNaN(v) {
					state = 0.9*state + 0.1*v
					dst[t] = state
				}
			}
		})(s)
	}},
	{"ewm seeded with the mean", "vol", afterColumns(volOfSmall, func(dst, x []float64) {
		state := meanOf(x)
		for t, v := range x {
			if !math.IsNaN(v) {
				state = 0.98*state + 0.02*v
			}
			dst[t] = state
		}
	})},
}

// A reference whose bars come early is caught, there and nowhere before.
func TestAuditCatchesAnEarlyReference(t *testing.T) {
	lake, study := simulatedLake(t, looking, nil)
	broken := production
	broken.columns = func(ctx context.Context, play *factors.Play, b *bars.Block, workers int) ([][][]float64, error) {
		early := *b
		early.Cols = slices.Clone(b.Cols)
		for k := range early.Cols {
			early.Cols[k] = append(slices.Clone(b.Cols[k][:2]), changed(b.Cols[k][2:], shiftedLeft)...)
		}
		return play.Next(ctx, &early, workers)
	}
	_, c := auditedBy(t, broken, lake, study, Options{NoCache: true})
	if len(c.Violations) == 0 || c.Violations[0].Panel != "lag" {
		t.Errorf("violations %+v, want some of lag first", c.Violations)
	}
}

// A series that is joined by what comes within the next hour is caught.
func TestAuditCatchesAnEarlySeries(t *testing.T) {
	lake, study := simulatedLake(t, bringing, nil)
	broken := production
	broken.series = func(s *series.Series, dst []float64, labels []int64) {
		later := slices.Clone(labels)
		for t := range later {
			later[t] += time.Hour.Microseconds()
		}
		s.At(dst, later)
	}
	_, c := auditedBy(t, broken, lake, study, Options{NoCache: true})
	if len(c.Violations) == 0 || c.Violations[0].Panel != "fear" {
		t.Errorf("violations %+v, want some of fear first", c.Violations)
	}
}

func TestAuditCatchesLeaks(t *testing.T) {
	lake, study := simulatedLake(t, small, nil)
	_, c := auditedBy(t, production, lake, study, Options{})
	clean(t, c)
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			broken := production
			m.leak(&broken)
			_, c := auditedBy(t, broken, lake, study, Options{NoCache: true})
			if len(c.Violations) == 0 {
				t.Fatal("was not caught")
			}
			if v := c.Violations[0]; v.Panel != m.first {
				t.Errorf("the first that differs is %+v, want %s", v, m.first)
			}
		})
	}
}

// every is a study with each kind of factor, the columns of which all come from simulated feeds, and
// each normalization that does not look ahead.
func every() string {
	windows := map[string]string{"14d": "6h", "7d": "3h", "20d": "5h", "30d": "12h", "60d": "1d", "90d": "1d", "10d": "2h", "20": "20"}
	var b strings.Builder
	b.WriteString(small[:strings.Index(small, "factors:")])
	b.WriteString("factors:\n")
	kinds := slices.DeleteFunc(slices.Clone(factors.Catalogue), func(k factors.Kind) bool { return k.Name == "vpin" }) // has volume bars
	for _, k := range kinds {
		fmt.Fprintf(&b, "  - {name: f_%s, kind: %s", k.Name, k.Name)
		for _, p := range k.Params {
			if short, ok := windows[p.Default]; ok && p.Type == factors.WindowParam {
				fmt.Fprintf(&b, ", %s: %s", p.Name, short)
			}
		}
		b.WriteString("}\n")
	}
	b.WriteString("composite:\n  missing: renormalize\n  components:\n")
	methods := []string{
		"{method: rolling, window: 6h}", "{method: expanding}", "{method: fixed, mean: 0.5, std: 0.25, clip: 3}",
		"{method: cross_section}", "{method: rank, window: 6h}", "{method: none}",
	}
	for k, kind := range kinds {
		fmt.Fprintf(&b, "    - {factor: f_%s, weight: 0.%d, normalize: %s}\n", kind.Name, 1+k%3, methods[k%len(methods)])
	}
	b.WriteString("evaluation: {horizons: [1h], primary_horizon: 1h, bootstrap: 0}\n")
	return b.String()
}

// ofTrades is a study of bars that are not time bars.
func ofTrades(kind string, size float64) string {
	vpin := ""
	if kind != "tick" {
		vpin = "  - {name: vpin, kind: vpin, window: 20}\n"
	}
	return fmt.Sprintf(`
version: 1
data: {instruments: [binance-futures:BTCUSDT], from: 2024-01-03, to: 2024-01-06}
bars: {kind: %s, size: %.0f, bars_per_year: 100000}
factors:
  - {name: mom, kind: momentum, window: 30}
  - {name: ofi, kind: ofi, window: 20 trades}
  - {name: f_basis, kind: basis}
  - {name: f_spread, kind: spread}
%scomposite:
  normalize: {method: rolling, window: 100}
  components: [{factor: mom, weight: 1}, {factor: ofi, weight: 1}, {factor: f_basis, weight: 0.5}, {factor: f_spread, weight: 0.5}]
evaluation: {horizons: [5], primary_horizon: 5, bootstrap: 0}
`, kind, size, vpin)
}

func TestNothingLooksAhead(t *testing.T) {
	third := "data.instruments=[binance-futures:BTCUSDT, bybit:ETHUSD, okex-swap:SOL-USDT-SWAP]"
	gap := func(p datasets.Partition) bool {
		return p.Exchange == "bybit" && p.Day.String() == "2024-01-04"
	}
	for _, c := range []struct {
		name  string
		study string
		skip  func(datasets.Partition) bool
		set   []string
	}{
		{"every kind of factor", every(), nil, []string{third, "execution.impact=square_root", "execution.allocation=inverse_volatility"}},
		{"a missing day", every(), gap, []string{third}},
		{"windows", small, nil, []string{"windows={length: 1d, step: 12h}", "execution.rebalance_band=0.01"}},
		{"continuous funding", small, nil, []string{"data.instruments=[deribit:BTC-PERPETUAL]"}},
		{"bars of one trade", ofTrades("tick", 1), nil, nil},
		{"bars of some trades", ofTrades("tick", 7), nil, nil},
		{"bars of volume", ofTrades("volume", 1), nil, nil},
		{"bars of notional", ofTrades("dollar", 50000), nil, []string{"windows={length: 300, step: 200}"}},
		{"references", looking, nil, nil},
		{"a series", bringing, nil, nil},
		{"a series on bars of trades", bringing, nil, []string{"bars={kind: tick, size: 7, bars_per_year: 100000}", "data.instruments=[binance-futures:BTCUSDT]", "data.references=[]",
			"factors=[{name: scared, expr: fear / 50 - 1 + 0 * close}]", "composite={normalize: {method: rolling, window: 100}, components: [{factor: scared, weight: 1}]}", "evaluation={horizons: [5], primary_horizon: 5, bootstrap: 0}"}},
		{"a missing day of a reference", looking, gap, []string{"windows={length: 1d}"}},
		{"exchange clock, declared", small, nil, []string{"data.clock=timestamp"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			lake, study := simulatedLake(t, c.study, c.skip, c.set...)
			r, cert := auditedBy(t, production, lake, study, Options{})
			clean(t, cert)
			if r.Runs[0].Account.Fills == 0 {
				t.Error("nothing was traded")
			}
		})
	}
}

func TestDeclaredLeaksAreExpected(t *testing.T) {
	lake, study := simulatedLake(t, small, nil, "data.clock=timestamp", "composite.normalize={method: full_sample}")
	_, c := auditedBy(t, production, lake, study, Options{})
	clean(t, c)
	if len(c.Expected) != 2 || !strings.Contains(c.Expected[0], "full_sample") || !strings.Contains(c.Expected[1], "timestamp") {
		t.Errorf("expected: %q", c.Expected)
	}
}

// The instants are in order, within what was read, and of all sorts.
func TestAuditCuts(t *testing.T) {
	lake, study := simulatedLake(t, small, func(p datasets.Partition) bool { return p.Day.String() == "2024-01-03" })
	r, c := auditedBy(t, production, lake, study, Options{})
	places := map[string]bool{}
	before := int64(0)
	p, err := newPlan(t.Context(), lake, lake, study, Options{}, production)
	if err != nil {
		t.Fatal(err)
	}
	cuts, err := p.cuts(t.Context(), lake, &learned{})
	if err != nil || len(cuts) != len(c.Cuts) {
		t.Fatalf("%d cuts, then %d, %v", len(c.Cuts), len(cuts), err)
	}
	for _, cut := range cuts {
		if cut.at <= before || cut.at > r.Span.To || cut.At != time.UnixMicro(cut.at).UTC().Format(time.RFC3339Nano) {
			t.Errorf("cut %+v", cut)
		}
		label := p.labels(t.Context()).Label
		known, err := label(max(cut.Bars-1, 0))
		next, late := label(min(cut.Bars, p.source.Rows()-1))
		if err != nil || late != nil {
			t.Fatal(err, late)
		}
		if k := cut.Bars; k > 0 && known > cut.at || k < p.source.Rows() && next <= cut.at {
			t.Errorf("cut %+v: %d bars were not known then", cut, k)
		}
		before = cut.at
		places[cut.Place] = true
	}
	for _, place := range []string{"first bar", "end of a bar", "midnight", "inside a bar", "just before midnight", "end of a missing day"} {
		if !places[place] {
			t.Errorf("no cut at %s", place)
		}
	}
}
