package evaluate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/qf-dev/qf/backtest/metrics"
	"github.com/qf-dev/qf/backtest/portfolio"
	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/factors/kernel/portable"
)

// PnLRow is what one run earned: figures by the keys of PnLFigures. As JSON they stand in the order of that table, between the
// signal and the reasons.
type PnLRow struct {
	Signal  string
	Window  string
	Figures map[string]Figure
	Reasons map[string]string // why a figure is null, by its key
}

// Of is a figure; null where there is none of that key.
func (r *PnLRow) Of(key string) Figure {
	if f, ok := r.Figures[key]; ok {
		return f
	}
	return null
}

// MarshalJSON writes the figures in the order of PnLFigures.
func (r PnLRow) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	field := func(key string, v any) {
		text, err := json.Marshal(v)
		if err != nil {
			panic("evaluate: " + err.Error()) // strings and Figures alone
		}
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Quote(key))
		b.WriteByte(':')
		b.Write(text)
	}
	b.WriteByte('{')
	field("signal", r.Signal)
	field("window", r.Window)
	for _, f := range pnlFigures {
		field(f.Key, r.Of(f.Key))
	}
	if len(r.Reasons) > 0 {
		field("reasons", r.Reasons)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// UnmarshalJSON is the inverse. Keys that are in no table are left out.
func (r *PnLRow) UnmarshalJSON(text []byte) error {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(text, &raw); err != nil {
		return err
	}
	*r = PnLRow{Figures: map[string]Figure{}}
	read := func(key string, v any) error {
		if raw[key] == nil {
			return nil
		}
		if err := json.Unmarshal(raw[key], v); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		return nil
	}
	for key, v := range map[string]any{"signal": &r.Signal, "window": &r.Window, "reasons": &r.Reasons} {
		if err := read(key, v); err != nil {
			return err
		}
	}
	for _, f := range pnlFigures {
		v := null
		if err := read(f.Key, &v); err != nil {
			return err
		}
		r.Figures[f.Key] = v
	}
	return nil
}

// PnLFigure is one figure of PnLRow: everything that is said about it, wherever.
type PnLFigure struct {
	Key   string
	Group string // in which a page shows it; "" for nowhere
	Label string // there
	Show  Show   // how
	Unit  string
	About string // what it is

	Annual                bool   // it is annualized
	DDOF, Baseline, Count string // see Metric; "" for none

	needs need
	of    func(*earned) (v float64, why string) // why is said where v is not finite
}

// Show is how a figure is written for a reader.
type Show struct {
	As     string // one of the constants
	Digits int
}

// The ways of Show. An interval is of a figure and the one after it.
const (
	AsPercent         = "percent"  // a signed fraction as percent
	AsShare           = "share"    // a fraction as percent
	AsSigned          = "signed"   // a number with its sign
	AsPlain           = "plain"    // a number
	AsCost            = "cost"     // a number with the other sign
	AsCount           = "count"    // a whole number
	AsMultiple        = "multiple" // a number of times
	AsProbability     = "probability"
	AsPercentInterval = "percent_interval"
	AsInterval        = "interval"
)

// need is what a figure can only be computed with.
type need uint8

const (
	nothing   need = iota
	net            // net PnL is known
	benchmark      // and that of buying and holding
)

const (
	daysPerYear = 365
	tail        = 0.05
	trackRecord = 0.95 // confidence of min_trl_days
)

// earned is a run, with what several of its figures share.
type earned struct {
	a, hold *portfolio.Account
	e       study.EvaluationConfig
	free    float64   // per day
	returns []float64 // of single days
	active  []float64 // of those with a position
	sharpe  metrics.SharpeInference
	tried   metrics.Deflation

	sharpeLow, sharpeHigh, totalLow, totalHigh Figure
	sharpeWhy, totalWhy                        string // an interval is missing
}

// PnL says what a run earned, beside what buying and holding did and after all trials; hold is nil where that was not traded,
// tried where trials are not counted.
func PnL(signal, window string, a, hold *portfolio.Account, e study.EvaluationConfig, tried Deflate) PnLRow {
	row := PnLRow{Signal: signal, Window: window, Figures: map[string]Figure{}}
	x := newEarned(a, hold, e)
	if tried != nil {
		x.tried = tried(a.SingleDays())
	}
	for _, f := range pnlFigures {
		v, why := math.NaN(), x.lacks(f.needs)
		if why == "" {
			v, why = f.of(x)
		}
		if row.Figures[f.Key] = Figure(v); !metrics.Defined(v) {
			row.Figures[f.Key] = null
			say(&row.Reasons, f.Key, why)
		}
	}
	return row
}

func newEarned(a, hold *portfolio.Account, e study.EvaluationConfig) *earned {
	x := &earned{a: a, hold: hold, e: e, free: metrics.PeriodRate(e.RiskFree, daysPerYear)}
	if a.Unknown != nil {
		return x
	}
	returns, held := a.Daily()
	x.returns = returns
	for k, v := range returns {
		if held[k] {
			x.active = append(x.active, v)
		}
	}
	x.sharpe = metrics.InferSharpe(returns)
	m, n := metrics.Mean(returns), float64(len(returns))
	x.sharpeLow, x.sharpeHigh, x.sharpeWhy = resample(returns, e, func(days []int32) float64 {
		var s, ss float64
		for _, d := range days {
			v := returns[d] - m
			s += v
			ss += float64(v * v)
		}
		std := math.Sqrt((ss - float64(s*s)/n) / (n - 1))
		return (m + s/n - x.free) / std * math.Sqrt(daysPerYear)
	})
	logs := make([]float64, len(returns))
	for i, r := range returns {
		logs[i] = portable.Log1p(r)
	}
	x.totalLow, x.totalHigh, x.totalWhy = resample(returns, e, func(days []int32) float64 {
		s := 0.0
		for _, d := range days {
			s += logs[d]
		}
		return portable.Expm1(s)
	})
	return x
}

// lacks says what a figure needs and there is not.
func (x *earned) lacks(n need) string {
	if n >= net && x.a.Unknown != nil {
		return unknown("net PnL", x.a.Unknown)
	}
	if n < benchmark {
		return ""
	}
	if x.hold == nil {
		return "buying and holding was not traded"
	}
	if x.hold.Unknown != nil {
		return unknown("what buying and holding earned", x.hold.Unknown)
	}
	return ""
}

func unknown(what string, u *portfolio.Unknown) string {
	return fmt.Sprintf("%s is not known from %s on: %s", what, time.UnixMicro(u.From).UTC().Format("2006-01-02T15:04:05Z"), u.Reason)
}

// Why figures of days are missing.
const (
	fewDays    = "fewer than two days"
	sameReturn = "every day has the same return"
	noPosition = "no day with a position"
	noTrip     = "no round trip ended"
	noTrade    = "no trades"
)

// overDays is why a figure of the daily returns that needs them to vary is missing.
func (x *earned) overDays() string {
	if len(x.returns) < 2 {
		return fewDays
	}
	return sameReturn
}

// noLoss is why a ratio to the losses of daily returns is missing.
func (x *earned) noLoss() string {
	switch {
	case len(x.returns) == 0:
		return "no day is known"
	case len(x.returns) == 1:
		return fewDays
	}
	return "no day returned less than the risk-free rate"
}

// PnLFigures is the table of figures of PnLRow, in the order of report.json.
func PnLFigures() []PnLFigure { return slices.Clone(pnlFigures) }

const (
	money    = "quote currency"
	fraction = "1"
	byDay    = "daily_returns"
	byFill   = "trades"
	byTrip   = "round_trips"
	ofStart  = "initial_equity"
	riskFree = "{risk_free}"
)

// pnlFigures is the table. A figure that is added here is in report.json, its reasons, its documentation and the page.
var pnlFigures = []PnLFigure{
	{Key: byDay, Unit: "days", About: "single days that the figures of days are of; what was earned over days that the lake does not hold is not among them", needs: net, of: func(x *earned) (float64, string) {
		return float64(len(x.returns)), ""
	}},
	{Key: "days_in_holes", Unit: "days", About: "days of the span that the lake does not hold", of: func(x *earned) (float64, string) {
		n := 0
		for _, d := range x.a.Days {
			n += d.Hole
		}
		return float64(n), ""
	}},
	{Key: "pnl_over_holes", Unit: money, About: "change of equity over days that the lake does not hold, the next day included", needs: net, of: func(x *earned) (float64, string) {
		s := 0.0
		for _, d := range x.a.Days {
			if d.Hole > 0 {
				s += d.PnL
			}
		}
		return s, ""
	}},
	{Key: "initial_equity", Group: groupMoney, Label: "Initial equity", Show: Show{AsPlain, 0}, Unit: money, About: "the capital at the start", of: func(x *earned) (float64, string) {
		return x.a.Capital, ""
	}},
	{Key: "final_equity", Group: groupMoney, Label: "Final equity", Show: Show{AsPlain, 0}, Unit: money, About: "equity at the close of the last bar", needs: net, of: func(x *earned) (float64, string) {
		return x.a.Final, ""
	}},
	{Key: "price_pnl", Group: groupMoney, Label: "Price PnL", Show: Show{AsSigned, 0}, Unit: money, About: "Σ quantity · change of price", of: func(x *earned) (float64, string) {
		return x.a.Total.PricePnL, ""
	}},
	{Key: "fees", Group: groupMoney, Label: "Fees", Show: Show{AsCost, 0}, Unit: money, About: "Σ fee on the notional of fills", Count: byFill, of: func(x *earned) (float64, string) {
		return x.a.Total.Fees, ""
	}},
	{Key: "slippage", Group: groupMoney, Label: "Slippage", Show: Show{AsCost, 0}, Unit: money, About: "Σ half the spread on fills", Count: byFill, of: func(x *earned) (float64, string) {
		return x.a.Total.Slippage, ""
	}},
	{Key: "impact", Group: groupMoney, Label: "Impact", Show: Show{AsCost, 0}, Unit: money, About: "Σ price moved by the fills themselves", Count: byFill, of: func(x *earned) (float64, string) {
		return x.a.Total.Impact, ""
	}},
	{Key: "funding", Group: groupMoney, Label: "Funding", Show: Show{AsSigned, 0}, Unit: money, About: "funding received less paid, and less the borrowing of short spot", needs: net, of: func(x *earned) (float64, string) {
		return x.a.Total.Funding, ""
	}},
	{Key: "pnl_without_funding", Group: groupMoney, Label: "Net without funding", Show: Show{AsSigned, 0}, Unit: money, About: "price_pnl − fees − slippage − impact", of: func(x *earned) (float64, string) {
		t := x.a.Total
		return t.PricePnL - t.Fees - t.Slippage - t.Impact, ""
	}},
	{Key: "total_return", Group: groupReturn, Label: "Total return", Show: Show{AsPercent, 2}, Unit: fraction, About: "final_equity/initial_equity − 1", Baseline: ofStart, needs: net, of: func(x *earned) (float64, string) {
		return x.total(), ""
	}},
	{Key: "cagr", Group: groupReturn, Label: "Annual growth", Show: Show{AsPercent, 1}, Unit: "1/year", About: "(1 + total_return)^(365 d/elapsed) − 1", Annual: true, Baseline: ofStart, needs: net, of: func(x *earned) (float64, string) {
		return x.cagr()
	}},
	{Key: "volatility", Group: groupRisk, Label: "Volatility, per year", Show: Show{AsShare, 1}, Unit: "1/√year", About: "std(r)·√365", Annual: true, DDOF: "1", Count: byDay, needs: net, of: func(x *earned) (float64, string) {
		return metrics.Volatility(x.returns, daysPerYear), fewDays
	}},
	{Key: "total_return_low", Group: groupReturn, Label: "95% interval", Show: Show{AsPercentInterval, 2}, Unit: fraction, About: "2.5 % point of {draws}", Baseline: ofStart, Count: byDay, needs: net, of: func(x *earned) (float64, string) {
		return float64(x.totalLow), x.totalWhy
	}},
	{Key: "total_return_high", Unit: fraction, About: "97.5 % point of {draws}", Baseline: ofStart, Count: byDay, needs: net, of: func(x *earned) (float64, string) {
		return float64(x.totalHigh), x.totalWhy
	}},
	{Key: "sharpe", Group: groupRisk, Label: "Sharpe ratio", Show: Show{AsSigned, 2}, Unit: "1/√year", About: "mean(r − rf)/std(r)·√365", Annual: true, DDOF: "1", Baseline: riskFree, Count: byDay, needs: net, of: func(x *earned) (float64, string) {
		return metrics.Sharpe(x.returns, x.free, daysPerYear), x.overDays()
	}},
	{Key: "sharpe_low", Group: groupRisk, Label: "95% interval", Show: Show{AsInterval, 2}, Unit: "1/√year", About: "2.5 % point of {draws}", Annual: true, DDOF: "1", Baseline: riskFree, Count: byDay, needs: net, of: func(x *earned) (float64, string) {
		return float64(x.sharpeLow), x.sharpeWhy
	}},
	{Key: "sharpe_high", Unit: "1/√year", About: "97.5 % point of {draws}", Annual: true, DDOF: "1", Baseline: riskFree, Count: byDay, needs: net, of: func(x *earned) (float64, string) {
		return float64(x.sharpeHigh), x.sharpeWhy
	}},
	{Key: "sortino", Group: groupRisk, Label: "Sortino ratio", Show: Show{AsSigned, 2}, Unit: "1/√year", About: "mean(r − rf)/√mean(min(r − rf, 0)²)·√365, the mean over all days", Annual: true, DDOF: "0", Baseline: riskFree, Count: byDay, needs: net, of: func(x *earned) (float64, string) {
		return metrics.Sortino(x.returns, x.free, daysPerYear), x.noLoss()
	}},
	{Key: "calmar", Group: groupRisk, Label: "Calmar ratio", Show: Show{AsSigned, 2}, Unit: "1/year", About: "cagr/|max_drawdown|", Annual: true, needs: net, of: func(x *earned) (float64, string) {
		c, why := x.cagr()
		if why != "" {
			return c, why
		}
		return metrics.Calmar(c, x.a.Drawdown.Max), "there was no drawdown"
	}},
	{Key: "omega", Group: groupRisk, Label: "Omega ratio", Show: Show{AsPlain, 2}, Unit: fraction, About: "Σ max(r − rf, 0)/Σ max(rf − r, 0)", Baseline: riskFree, Count: byDay, needs: net, of: func(x *earned) (float64, string) {
		return metrics.Omega(x.returns, x.free), x.noLoss()
	}},
	{Key: "max_drawdown", Group: groupRisk, Label: "Maximum drawdown", Show: Show{AsPercent, 2}, Unit: fraction, About: "min equity/highest equity before − 1, by bar, the start included", Baseline: "highest equity before", needs: net, of: func(x *earned) (float64, string) {
		return x.a.Drawdown.Max, ""
	}},
	{Key: "max_drawdown_days", Group: groupRisk, Label: "Longest under water, days", Show: Show{AsPlain, 1}, Unit: "days", About: "longest time from a peak until it is reached again, or to the end", Baseline: "highest equity before", needs: net, of: func(x *earned) (float64, string) {
		return float64(x.a.Drawdown.Longest) / microsPerDay, ""
	}},
	{Key: "ulcer_index", Group: groupRisk, Label: "Ulcer index", Show: Show{AsShare, 2}, Unit: fraction, About: "√mean(d²), d = equity/highest equity before − 1 at the end of each day, the start included; days in holes end with the next", Baseline: "highest equity before", needs: net, of: func(x *earned) (float64, string) {
		return metrics.Ulcer(x.observed()), noDay
	}},
	{Key: "var_95", Group: groupRisk, Label: "Value at risk, 95% a day", Show: Show{AsPercent, 2}, Unit: fraction, About: "5 % quantile of r (type 7); a loss is negative", Count: byDay, needs: net, of: func(x *earned) (float64, string) {
		return metrics.ValueAtRisk(x.returns, tail), noDay
	}},
	{Key: "es_95", Group: groupRisk, Label: "Expected shortfall, 95% a day", Show: Show{AsPercent, 2}, Unit: fraction, About: "mean of r up to var_95; a loss is negative", Count: byDay, needs: net, of: func(x *earned) (float64, string) {
		return metrics.ExpectedShortfall(x.returns, tail), noDay
	}},
	{Key: "skew", Group: groupRisk, Label: "Skew of daily returns", Show: Show{AsSigned, 2}, Unit: fraction, About: "m3/m2^1.5 of r", DDOF: "0", Count: byDay, needs: net, of: func(x *earned) (float64, string) {
		return x.sharpe.Skew, x.overDays()
	}},
	{Key: "kurtosis", Group: groupRisk, Label: "Kurtosis of daily returns", Show: Show{AsSigned, 2}, Unit: fraction, About: "m4/m2² of r, 3 for the normal", DDOF: "0", Count: byDay, needs: net, of: func(x *earned) (float64, string) {
		return x.sharpe.Kurtosis, x.overDays()
	}},
	{Key: "best_day", Group: groupReturn, Label: "Best day", Show: Show{AsPercent, 2}, Unit: fraction, About: "max r", Count: byDay, needs: net, of: func(x *earned) (float64, string) {
		return metrics.Quantile(x.returns, 1), noDay
	}},
	{Key: "worst_day", Group: groupReturn, Label: "Worst day", Show: Show{AsPercent, 2}, Unit: fraction, About: "min r", Count: byDay, needs: net, of: func(x *earned) (float64, string) {
		return metrics.Quantile(x.returns, 0), noDay
	}},
	{Key: "turnover_per_day", Group: groupTrading, Label: "Turnover per day, two-way", Show: Show{AsMultiple, 0}, Unit: "equities/day", About: "Σ |quantity traded|·reference price/equity, both ways, per calendar day", Count: byFill, needs: net, of: func(x *earned) (float64, string) {
		if x.a.Ruined {
			return math.NaN(), "equity fell to nothing"
		}
		return x.a.Turnover / x.a.Length(), noTime
	}},
	{Key: "exposure", Group: groupTrading, Label: "Mean exposure", Show: Show{AsShare, 1}, Unit: "equities", About: "mean over bars of Σ |quantity·close|/equity", needs: net, of: func(x *earned) (float64, string) {
		return x.a.Exposure, "no bar"
	}},
	{Key: byFill, Group: groupTrading, Label: "Fills", Show: Show{AsCount, 0}, Unit: "fills", About: "fills", of: func(x *earned) (float64, string) {
		return float64(x.a.Fills), ""
	}},
	{Key: byTrip, Group: groupTrading, Label: "Round trips", Show: Show{AsCount, 0}, Unit: "round trips", About: "round trips that ended: from a position's opening until it is flat or turns", of: func(x *earned) (float64, string) {
		return float64(x.a.Trips.Count), ""
	}},
	{Key: "mean_holding_hours", Group: groupTrading, Label: "Mean holding time, hours", Show: Show{AsPlain, 1}, Unit: "hours", About: "mean time between the fills that begin and end a round trip", Count: byTrip, needs: net, of: func(x *earned) (float64, string) {
		return x.perTrip(x.a.Trips.Hours)
	}},
	{Key: "hit_rate", Group: groupReturn, Label: "Days that ended positive", Show: Show{AsShare, 1}, Unit: fraction, About: "share of the days with a position on which r > 0", Baseline: "0", needs: net, of: func(x *earned) (float64, string) {
		return metrics.HitRate(x.active), noPosition
	}},
	{Key: "hit_rate_trips", Group: groupTrading, Label: "Round trips that ended positive", Show: Show{AsShare, 1}, Unit: fraction, About: "share of the round trips that earned more than their costs", Baseline: "0", Count: byTrip, needs: net, of: func(x *earned) (float64, string) {
		return x.perTrip(float64(x.a.Trips.Wins))
	}},
	{Key: "profit_factor", Group: groupTrading, Label: "Profit factor", Show: Show{AsPlain, 2}, Unit: fraction, About: "Σ earned by the round trips that gained/Σ lost by the others, after costs", Baseline: "0", Count: byTrip, needs: net, of: func(x *earned) (float64, string) {
		t := x.a.Trips
		switch {
		case t.Count == 0:
			return math.NaN(), noTrip
		case t.Losses == 0:
			return math.NaN(), "no round trip lost"
		}
		return t.Gains / -t.Losses, ""
	}},
	{Key: "profit_factor_daily", Group: groupReturn, Label: "Profit factor of days", Show: Show{AsPlain, 2}, Unit: fraction, About: "Σ max(r, 0)/Σ max(−r, 0) over days with a position", Baseline: "0", needs: net, of: func(x *earned) (float64, string) {
		if len(x.active) == 0 {
			return math.NaN(), noPosition
		}
		return metrics.ProfitFactor(x.active), "no day with a position lost"
	}},
	{Key: "average_win", Group: groupTrading, Label: "Average win, a round trip", Show: Show{AsSigned, 0}, Unit: money, About: "mean PnL of the round trips that earned more than their costs", Count: byTrip, needs: net, of: func(x *earned) (float64, string) {
		t := x.a.Trips
		if t.Count == 0 {
			return math.NaN(), noTrip
		}
		return t.Gains / float64(t.Wins), "no round trip gained"
	}},
	{Key: "average_loss", Group: groupTrading, Label: "Average loss, a round trip", Show: Show{AsSigned, 0}, Unit: money, About: "mean PnL of the others; a loss is negative", Count: byTrip, needs: net, of: func(x *earned) (float64, string) {
		t := x.a.Trips
		if t.Count == 0 {
			return math.NaN(), noTrip
		}
		return t.Losses / float64(t.Count-t.Wins), "no round trip lost"
	}},
	{Key: "expectancy", Group: groupTrading, Label: "Expectancy, a round trip", Show: Show{AsSigned, 0}, Unit: money, About: "mean PnL of round trips, after costs", Count: byTrip, needs: net, of: func(x *earned) (float64, string) {
		return x.perTrip(x.a.Trips.Gains + x.a.Trips.Losses)
	}},
	{Key: "best_trip", Group: groupTrading, Label: "Best round trip", Show: Show{AsSigned, 0}, Unit: money, About: "largest PnL of a round trip", Count: byTrip, needs: net, of: func(x *earned) (float64, string) {
		if x.a.Trips.Count == 0 {
			return math.NaN(), noTrip
		}
		return x.a.Trips.Best, ""
	}},
	{Key: "worst_trip", Group: groupTrading, Label: "Worst round trip", Show: Show{AsSigned, 0}, Unit: money, About: "smallest PnL of a round trip", Count: byTrip, needs: net, of: func(x *earned) (float64, string) {
		if x.a.Trips.Count == 0 {
			return math.NaN(), noTrip
		}
		return x.a.Trips.Worst, ""
	}},
	{Key: "break_even_bps", Group: groupMoney, Label: "Break-even cost, bps of notional", Show: Show{AsSigned, 2}, Unit: "bps", About: "(price_pnl + funding)/traded notional: the cost a side that leaves nothing", Baseline: "0", Count: byFill, needs: net, of: func(x *earned) (float64, string) {
		if x.a.Notional == 0 {
			return math.NaN(), noTrade
		}
		return (x.a.Total.PricePnL + x.a.Total.Funding) / x.a.Notional / basisPoint, ""
	}},
	{Key: "fill_share_median", Group: groupTrading, Label: "Share of a bar's turnover in a fill, median", Show: Show{AsShare, 2}, Unit: fraction, About: "median over fills of their share of the bar's turnover", Count: byFill, of: func(x *earned) (float64, string) {
		return x.taken(x.a.Participation.Median)
	}},
	{Key: "fill_share_95", Group: groupTrading, Label: "The same, 95th percentile", Show: Show{AsShare, 2}, Unit: fraction, About: "95 % quantile of it (type 7)", Count: byFill, of: func(x *earned) (float64, string) {
		return x.taken(x.a.Participation.P95)
	}},
	{Key: "fill_share_largest", Group: groupTrading, Label: "The same, largest", Show: Show{AsShare, 2}, Unit: fraction, About: "the largest; above 1 a fill is more than the market traded", Count: byFill, of: func(x *earned) (float64, string) {
		return x.taken(x.a.Participation.Largest)
	}},
	{Key: "psr", Group: groupConfidence, Label: "Chance that Sharpe is above 0", Show: Show{AsShare, 1}, Unit: fraction, About: "Φ(SR·√(n − 1)/√(1 − skew·SR + (kurtosis − 1)/4·SR²)), SR = mean(r)/std(r) per day", DDOF: "1", Baseline: "a Sharpe ratio of 0", Count: byDay, needs: net, of: func(x *earned) (float64, string) {
		return x.sharpe.Probabilistic(0), x.overDays()
	}},
	{Key: "dsr", Group: groupConfidence, Label: "The same after all trials", Show: Show{AsShare, 1}, Unit: fraction, About: "psr against what the best of as many worthless trials is expected to show, √V·((1 − γ)·Φ⁻¹(1 − 1/N) + γ·Φ⁻¹(1 − 1/(N·e))): V the variance of the Sharpe ratios per day of the trials in the ledger, N = ρ + (1 − ρ)·trials, ρ the mean correlation of their daily returns; of one trial, or with the ledger off, it is 0", DDOF: "1", Baseline: "the expected best of the trials", Count: byDay, needs: net, of: func(x *earned) (float64, string) {
		return x.sharpe.Deflated(x.tried), x.overDays()
	}},
	{Key: "min_trl_days", Group: groupConfidence, Label: "Record needed for 95%, days", Show: Show{AsPlain, 0}, Unit: "days", About: "days after which psr reaches 0.95", DDOF: "1", Baseline: "a Sharpe ratio of 0", Count: byDay, needs: net, of: func(x *earned) (float64, string) {
		why := "the Sharpe ratio is not positive"
		if math.IsNaN(x.sharpe.Ratio) {
			why = x.overDays()
		}
		return x.sharpe.MinTrackRecord(0, trackRecord), why
	}},
	{Key: "buy_and_hold", Group: groupReturn, Label: "Buy and hold", Show: Show{AsPercent, 2}, Unit: fraction, About: "total return of holding equal parts under the same costs", Baseline: ofStart, needs: benchmark, of: func(x *earned) (float64, string) {
		return x.hold.Final/x.hold.Capital - 1, ""
	}},
	{Key: "alpha", Group: groupReturn, Label: "Alpha, per year", Show: Show{AsPercent, 1}, Unit: "1/year", About: "(1 + mean(r − rf − beta·(b − rf)))^365 − 1, b the daily returns of buying and holding", Annual: true, Baseline: "buy_and_hold, " + riskFree, Count: byDay, needs: benchmark, of: func(x *earned) (float64, string) {
		alpha, _, why := x.against()
		return alpha, why
	}},
	{Key: "beta", Group: groupReturn, Label: "Beta", Show: Show{AsSigned, 2}, Unit: fraction, About: "cov(r, b)/var(b)", Baseline: "buy_and_hold", Count: byDay, needs: benchmark, of: func(x *earned) (float64, string) {
		_, beta, why := x.against()
		return beta, why
	}},
}

const (
	groupReturn     = "Return"
	groupRisk       = "Risk"
	groupTrading    = "Trading"
	groupMoney      = "Money, quote currency"
	groupConfidence = "Confidence"

	noDay  = "no day is known"
	noTime = "the span has no length"

	microsPerDay = 24 * microsPerHour
)

func (x *earned) total() float64 { return x.a.Final/x.a.Capital - 1 }

func (x *earned) cagr() (float64, string) {
	switch total := x.total(); {
	case 1+total <= 0:
		return math.NaN(), "nothing is left"
	case x.a.Length() <= 0:
		return math.NaN(), noTime
	default:
		return metrics.CAGR(total, x.a.Length()/daysPerYear), ""
	}
}

// observed are all returns, those over holes too.
func (x *earned) observed() (list []float64) {
	for _, d := range x.a.Days {
		list = append(list, d.Return)
	}
	return list
}

func (x *earned) perTrip(sum float64) (float64, string) {
	return sum / float64(x.a.Trips.Count), noTrip
}

func (x *earned) taken(share float64) (float64, string) {
	switch {
	case x.a.Fills == 0:
		return math.NaN(), noTrade
	case x.a.Participation.Fills == 0:
		return math.NaN(), "no fill is of a bar whose turnover is known"
	}
	return share, ""
}

// against compares with the benchmark, over the days that both know.
func (x *earned) against() (alpha, beta float64, why string) {
	r, b := x.a.Paired(x.hold)
	if len(r) < 2 {
		return math.NaN(), math.NaN(), fewDays
	}
	alpha, beta = metrics.AlphaBeta(r, b, x.free, daysPerYear)
	return alpha, beta, "buying and holding returned the same every day"
}

// Metric says what a figure of PnLRow is, so that nobody has to guess by which convention it was computed.
type Metric struct {
	Figure     string `json:"figure"` // its key in PnLRow
	Unit       string `json:"unit"`
	Definition string `json:"definition"`
	PerYear    Figure `json:"periods_per_year"` // what it is annualized with; null where it is not
	DDOF       Figure `json:"ddof"`             // what n is lessened by in a deviation or a moment; null where there is none
	Baseline   string `json:"baseline"`         // what it is measured against; empty where against nothing
	Count      string `json:"counted_by"`       // the key in PnLRow that counts its observations; empty where none does
}

// Metrics describes the figures of PnLRow in their order. r in it are daily returns.
func Metrics(e study.EvaluationConfig) []Metric {
	words := strings.NewReplacer(
		"{risk_free}", "risk-free "+strconv.FormatFloat(e.RiskFree, 'g', -1, 64)+" a year",
		"{draws}", strconv.Itoa(e.Bootstrap)+" stationary-bootstrap resamples of r, seed "+strconv.FormatUint(e.Seed, 10),
	)
	var list []Metric
	for _, f := range pnlFigures {
		m := Metric{f.Key, f.Unit, words.Replace(f.About), null, null, words.Replace(f.Baseline), f.Count}
		if f.Annual {
			m.PerYear = daysPerYear
		}
		if ddof, err := strconv.Atoi(f.DDOF); err == nil {
			m.DDOF = Figure(ddof)
		}
		list = append(list, m)
	}
	return list
}
