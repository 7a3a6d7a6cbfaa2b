package reports

import (
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/qf-dev/qf/backtest"
	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/bars"
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

// sample invents a finished backtest: no engine ran, but the books balance. The arithmetic avoids
// what processors round differently.
func sample(t testing.TB, sh shape) *backtest.Result {
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

	var price, score [][]float64
	for i := range sh.instruments {
		p, f := walk(rng, g.Len(), []float64{43210.5, 2301.25, 101.5}[i%3], sh.edge, float64(sh.every)/float64(24*time.Hour))
		price, score = append(price, p), append(score, f)
	}
	if len(price) > 1 {
		for k := span.Lo + n/3; k < span.Lo+n/3+int(datasets.MicrosPerDay/step); k++ {
			price[1][k], score[1][k] = math.NaN(), math.NaN()
		}
	}
	cfg := sampleStudy(sh)
	m := &backtest.Market{
		Frame:       &factors.Frame{Grid: g, Panels: []*factors.Panel{factors.NewPanel("close", g, price...)}},
		Settlements: make([][]bars.Settlement, len(sh.instruments)),
	}
	for i := range sh.instruments {
		m.Contracts = append(m.Contracts, datasets.Contract{Multiplier: 1})
		var status []bars.DayStatus
		for _, feed := range []datasets.DataType{datasets.Trades, datasets.DerivativeTicker} {
			for d := range sh.days {
				s := bars.DayStatus{Type: feed, Day: from + datasets.Day(d), Presence: bars.Present}
				switch {
				case i == 1 && d == sh.days/3:
					s.Presence = bars.Missing
				case feed == datasets.DerivativeTicker && d == 1:
					s.Presence = bars.Empty
				}
				status = append(status, s)
			}
		}
		m.Days = append(m.Days, status)
	}
	r := &backtest.Result{
		Study: cfg, Market: m,
		Factors: &factors.Frame{Grid: g, Panels: []*factors.Panel{factors.NewPanel("momentum_14d", g, score...)}},
		Score:   &factors.Score{Panel: factors.NewPanel("composite", g, score...)},
		Span:    span,
		Digest:  "5f1d2c3b4a596877",
	}
	r.Traded = r.Score.Panel
	target := make([][]float64, len(score))
	for i := range score {
		target[i] = targets(score[i], cfg.Signals)
	}
	r.Target = factors.NewPanel("target", g, target...)
	r.All = replay(m, target, span, cfg.Execution)
	for k := range sh.windows {
		w := study.Span{Index: k, Lo: span.Lo + n*k/sh.windows, Hi: span.Lo + n*(k+1)/sh.windows}
		w.From, w.To = g.Close[w.Lo]-step, g.Close[w.Hi-1]
		r.Windows = append(r.Windows, w)
		r.Runs = append(r.Runs, replay(m, target, w, cfg.Execution))
	}
	if sh.windows == 1 {
		r.Runs[0] = r.All
	}
	r.Evaluation = sampleEvaluation(r, rng, sh.edge)
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
	return r
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

// replay fills each change of target one bar later at the close and keeps the books.
func replay(m *backtest.Market, target [][]float64, w study.Span, e study.ExecutionConfig) *backtest.Run {
	run := &backtest.Run{Window: w, Capital: e.InitialCapital}
	n := len(target)
	run.Quantity, run.Weight, run.ByAsset = make([][]float64, n), make([][]float64, n), make([]backtest.Ledger, n)
	equity := e.InitialCapital
	held, mark := make([]float64, n), make([]float64, n)
	for t := w.Lo; t < w.Hi; t++ {
		var bar backtest.Ledger
		for i := range target {
			p := m.Panel("close").Col(i)[t]
			if math.IsNaN(p) {
				continue
			}
			l := backtest.Ledger{}
			if mark[i] > 0 {
				l.PricePnL = float64(held[i] * (p - mark[i]))
			}
			mark[i] = p
			if t > w.Lo && (t == w.Lo+1 || target[i][t-1] != target[i][t-2]) {
				q := target[i][t-1]*equity/float64(n)/p - held[i]
				if q != 0 {
					notional := math.Abs(float64(q * p))
					l.Fees, l.Slippage = notional*e.TakerBps/1e4, notional*e.HalfSpreadBps/1e4
					held[i] += q
					run.Fills = append(run.Fills, backtest.Fill{
						Row: t, Decided: t - 1, Instrument: i, Quantity: q, Held: held[i], Reference: p,
						Price: p, Notional: notional, Fee: l.Fees, Slippage: l.Slippage,
					})
				}
			}
			if m.Close[t]%(8*3600e6) == 0 {
				l.Funding = -float64(held[i]*p) * 0.0001
			}
			run.ByAsset[i] = sum(run.ByAsset[i], l)
			bar = sum(bar, l)
		}
		equity += net(bar)
		run.Bar, run.Equity, run.Total = append(run.Bar, bar), append(run.Equity, equity), sum(run.Total, bar)
		for i := range target {
			run.Quantity[i] = append(run.Quantity[i], held[i])
			run.Weight[i] = append(run.Weight[i], held[i]*mark[i]/equity)
		}
	}
	return run
}

func sum(a, b backtest.Ledger) backtest.Ledger {
	return backtest.Ledger{
		PricePnL: a.PricePnL + b.PricePnL, Fees: a.Fees + b.Fees, Slippage: a.Slippage + b.Slippage,
		Impact: a.Impact + b.Impact, Funding: a.Funding + b.Funding,
	}
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
		s.Data.Instruments = append(s.Data.Instruments, study.InstrumentConfig{Instrument: in, Contract: datasets.Contract{Multiplier: 1}})
	}
	for _, h := range horizons {
		s.Evaluation.Horizons = append(s.Evaluation.Horizons, factors.Window{Time: h})
	}
	return s
}

var horizons = []time.Duration{time.Hour, 4 * time.Hour, 24 * time.Hour, 72 * time.Hour}

func sampleEvaluation(r *backtest.Result, rng *rand.Rand, edge float64) *backtest.Evaluated {
	ev := &backtest.Evaluated{}
	figure := func(scale float64) backtest.Figure { return backtest.Figure(scale * rng.NormFloat64()) }
	names := []string{backtest.Pooled}
	for _, in := range r.Market.Instruments {
		names = append(names, in.String())
	}
	n := r.Span.Hi - r.Span.Lo
	scopes := []string{backtest.All}
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
					bars := int(h / r.Market.Every)
					row := backtest.ICRow{
						Signal: signal, Instrument: name, Window: win, Horizon: factors.FormatDuration(h), Bars: bars, N: n - bars,
						NEffective: backtest.Figure(float64(n) / float64(1+bars/3)),
						Pearson:    backtest.Figure(3*edge/float64(k+1)) + figure(0.008),
						TMethod:    "hansen_hodrick",
						Daily:      backtest.DailySummary{N: 90, Mean: backtest.Figure(2 * edge), Std: 0.21, ICIR: backtest.Figure(9 * edge)},
					}
					row.Spearman = row.Pearson + figure(0.002)
					row.T = backtest.Figure(float64(row.Pearson) * math.Sqrt(float64(row.NEffective)) / 1.2)
					row.SpearmanT = row.T / 2
					row.SpearmanP = backtest.Figure(math.Erfc(math.Abs(float64(row.SpearmanT)) / math.Sqrt2))
					half := backtest.Figure(2.3 / math.Sqrt(float64(row.NEffective)))
					row.Low, row.High = row.Pearson-half, row.Pearson+half
					row.THansenHodrick, row.TNonOverlap = row.T, row.T+figure(0.3)
					row.P = backtest.Figure(math.Erfc(math.Abs(float64(row.T)) / math.Sqrt2))
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
	for d := range r.Market.Day(r.Span.Hi-1) - r.Market.Day(r.Span.Lo) + 1 {
		v := backtest.Figure(2*edge) + figure(0.2)
		if d == 2 {
			v = nan
		}
		ev.Daily = append(ev.Daily, backtest.DailyIC{Signal: "composite", Day: (r.Market.Day(r.Span.Lo) + d).String(), IC: v})
	}
	for _, signal := range []string{"momentum_14d", "composite"} {
		for _, h := range horizons {
			for q := range 5 {
				ev.Spread = append(ev.Spread, backtest.QuantileRow{
					Signal: signal, Horizon: factors.FormatDuration(h), Quantile: q + 1, N: n / 5,
					MeanReturn: backtest.Figure(float64(q-2)*edge*0.004*math.Sqrt(h.Hours())) + figure(0.0001),
				})
			}
		}
	}
	for k, level := range []string{"strong_short", "short", "neutral", "long", "strong_long"} {
		for _, h := range horizons {
			share := []float64{0.1, 0.15, 0.5, 0.15, 0.1}[k]
			ev.Levels = append(ev.Levels, backtest.LevelRow{
				Signal: "composite", Window: backtest.All, Level: level, Bars: int(share * float64(n)), Share: backtest.Figure(share),
				MeanHolding: 41.5, Horizon: factors.FormatDuration(h), MeanReturn: backtest.Figure(float64(k-2)*edge*0.01) + figure(0.0002),
				HitRate: 0.5 + figure(0.02), T: figure(1.5), BreakEven: figure(8),
			})
		}
	}
	sampleDetails(ev, figure)
	for _, run := range namedRuns(r) {
		hold := sampleHold(r.Market, run.Run)
		ev.Hold = append(ev.Hold, hold)
		ev.PnL = append(ev.PnL, samplePnL(r, run.name, run.Run, hold))
	}
	return ev
}

// sampleDetails adds what a report shows below the headline figures.
func sampleDetails(ev *backtest.Evaluated, figure func(float64) backtest.Figure) {
	for k, delay := range []int{1, 2, 5, 10} {
		ev.Variants = append(ev.Variants, backtest.VariantRow{
			Variant: "delay", Delay: delay, TotalReturn: backtest.Figure(-0.03 - 0.02*float64(k)), Sharpe: backtest.Figure(1.7 - float64(k)),
			MaxDrawdown: -0.2, PricePnL: 20000, Fees: 9000, Slippage: 1800, Trades: 2100,
		})
	}
	ev.Variants = append(ev.Variants,
		backtest.VariantRow{Variant: "zero_cost", Delay: 1, TotalReturn: 0.2, Sharpe: 3.1, MaxDrawdown: -0.1, PricePnL: 20000, Trades: 2100},
		backtest.VariantRow{Variant: "buy_and_hold", Delay: 1, TotalReturn: nan, Sharpe: nan, MaxDrawdown: -0.3, Reasons: map[string]string{"sharpe": "every day has the same return"}})
	for k, regime := range []string{"low", "normal", "high"} {
		ev.Slices = append(ev.Slices, backtest.SliceRow{Signal: "composite", By: "volatility", Slice: regime, N: 5000 * (k + 1), IC: 0.03 + figure(0.02)})
	}
	for h := range 24 {
		ev.Slices = append(ev.Slices, backtest.SliceRow{Signal: "composite", By: "hour", Slice: string(rune('0'+h/10)) + string(rune('0'+h%10)), N: 1080, IC: 0.03 + figure(0.03)})
	}
	for _, h := range horizons {
		ev.Spreads = append(ev.Spreads, backtest.SpreadRow{Signal: "composite", Horizon: factors.FormatDuration(h), Spread: 0.0007 + figure(0.0001), Monotonicity: 0.9})
	}
	for _, signal := range []string{"momentum_14d", "composite"} {
		ev.Memory = append(ev.Memory, backtest.MemoryRow{
			Signal: signal, Instrument: btc.String(), Lag1: 0.9985, HalfLife: 412, Time: nan,
			Reasons: map[string]string{"integrated_bars": "the autocorrelation does not fall to 0"},
		})
	}
	levels := []string{"strong_short", "short", "neutral", "long", "strong_long"}
	for i, from := range levels {
		for j, to := range levels {
			share := math.Max(0, 0.9-0.4*math.Abs(float64(i-j)))
			ev.Transitions = append(ev.Transitions, backtest.TransitionRow{Signal: "composite", Window: backtest.All, From: from, To: to, Bars: int(1000 * share), Share: backtest.Figure(share)})
		}
	}
	ev.Stability = append(ev.Stability,
		backtest.StabilityRow{Signal: "composite", Figure: "ic", Windows: 5, Positive: 0.8, Worst: -0.01, WorstIn: "3"},
		backtest.StabilityRow{Signal: "composite", Figure: "total_return", Windows: 5, Positive: 0.6, Worst: -0.08, WorstIn: "1"})
}

// sampleHold buys equal parts on the first bar.
func sampleHold(m *backtest.Market, run *backtest.Run) []float64 {
	out := make([]float64, len(run.Equity))
	for i := range m.Instruments {
		price := m.Panel("close").Col(i)[run.Window.Lo:run.Window.Hi]
		last := 1.0
		for t, p := range price {
			if finite(p) {
				last = p / price[0]
			}
			out[t] += float64(last * run.Capital / float64(len(m.Instruments)))
		}
	}
	return out
}

func samplePnL(r *backtest.Result, window string, run *backtest.Run, hold []float64) backtest.PnLRow {
	final := run.Equity[len(run.Equity)-1]
	least := 0.0
	for _, v := range drawdown(run.Capital, run.Equity) {
		least = math.Min(least, v)
	}
	l := run.Total
	traded := 0.0
	for _, f := range run.Fills {
		traded += f.Notional
	}
	return backtest.PnLRow{
		Signal: "composite", Window: window, DailyReturns: 90,
		InitialEquity: backtest.Figure(run.Capital), FinalEquity: backtest.Figure(final),
		PricePnL: backtest.Figure(l.PricePnL), Fees: backtest.Figure(l.Fees), Slippage: backtest.Figure(l.Slippage),
		Impact: backtest.Figure(l.Impact), Funding: backtest.Figure(l.Funding),
		UnfundedPnL: backtest.Figure(l.PricePnL - l.Fees - l.Slippage - l.Impact),
		TotalReturn: backtest.Figure(final/run.Capital - 1), CAGR: 0.61, Volatility: 0.31, Sharpe: 1.7, SharpeLow: -0.9, SharpeHigh: 4.1, TotalReturnLow: -0.2, TotalReturnHigh: 0.21, Sortino: 2.5,
		Calmar: 5.1, Omega: 1.3, MaxDrawdown: backtest.Figure(least), MaxDrawdownDays: 23.5, VaR95: -0.021, ES95: -0.032,
		Skew: 0.2, Kurtosis: 1.1, BestDay: 0.062, WorstDay: -0.041, TurnoverPerDay: 1.9, Exposure: 0.38,
		Trades: len(run.Fills), HoldingHours: 19.2, HitRate: 0.54, HitRateTrips: 0.47, ProfitFactor: 1.3,
		BreakEvenBps: backtest.Figure((l.PricePnL + l.Funding) / traded * 1e4), PSR: 0.87, DSR: nan, MinTRLDays: 312,
		BuyAndHold: backtest.Figure(hold[len(hold)-1]/run.Capital - 1), Alpha: 0.2, Beta: 0.1,
		Reasons: map[string]string{"dsr": "no trial ledger is kept"},
	}
}
