package llm

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/qf-dev/qf/datasets"
)

// Question is one bar of one instrument, put to every model.
type Question struct {
	Instrument datasets.Instrument
	Row        int     // of the grid
	Time       int64   // the bar's label, Unix µs: nothing in the question is later
	Close      float64 // the bar's close; plain prompts may show it
	Summary    Summary
}

// Summary is what a prompt tells about the bar. Missing is NaN and becomes null.
type Summary struct {
	Momentum1W         float64 // log return
	Momentum1M         float64
	Volatility         float64 // annualized
	Regime             float64 // −1 low, 0 normal, 1 high
	LiquidityScore     float64
	FundingRate        float64
	OrderFlowImbalance float64
	Composite          float64
}

// String names the question: binance-futures:BTCUSDT at 2024-01-05T00:00:00Z.
func (q Question) String() string { return q.Instrument.String() + " at " + q.label() }

func (q Question) label() string { return time.UnixMicro(q.Time).UTC().Format(time.RFC3339) }

// field is one line of the summary: its JSON value is text as it stands.
type field struct{ name, text string }

func (s Summary) fields() []field {
	return []field{
		{"momentum_1w", number(s.Momentum1W)},
		{"momentum_1m", number(s.Momentum1M)},
		{"volatility", number(s.Volatility)},
		{"regime", regime(s.Regime)},
		{"liquidity_score", number(s.LiquidityScore)},
		{"funding_rate", number(s.FundingRate)},
		{"order_flow_imbalance", number(s.OrderFlowImbalance)},
		{"composite", number(s.Composite)},
	}
}

// view is what the templates see of the question.
func (q Question) view(anonymize bool) view {
	v := view{Asset: "the asset", Factors: map[string]string{}}
	var head []field
	if !anonymize {
		v.Asset, v.Time = q.Instrument.Symbol, q.label()
		if price := number(q.Close); price != null {
			v.Price = price
		}
		head = []field{{"time", quoted(v.Time)}, {"price", number(q.Close)}}
	}
	head = append([]field{{"asset", quoted(v.Asset)}}, head...)
	var b bytes.Buffer
	for i, f := range append(head, q.Summary.fields()...) {
		b.WriteString([]string{"{\n", ",\n"}[min(i, 1)])
		fmt.Fprintf(&b, "  %s: %s", quoted(f.name), f.text)
	}
	b.WriteString("\n}")
	v.Summary = b.String()
	for _, f := range q.Summary.fields() {
		v.Factors[f.name] = f.text
	}
	return v
}

const null = "null"

// number writes x to six significant digits: a model cannot use more, and the last bits, in which
// machines differ, stay out of the key.
func number(x float64) string {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return null
	}
	short, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 6, 64), 64)
	if short == 0 {
		return "0" // never -0
	}
	return string(encode(short))
}

func regime(x float64) string {
	switch x {
	case -1:
		return `"low"`
	case 0:
		return `"normal"`
	case 1:
		return `"high"`
	}
	return null
}

func quoted(s string) string { return string(encode(s)) }
