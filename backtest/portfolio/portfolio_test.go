package portfolio

import (
	"encoding/json"
	"flag"
	"github.com/qf-dev/qf/backtest/study"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/bars"
	"github.com/qf-dev/qf/factors"
)

// init fixes the seed of the properties; -rapid.seed gives another.
func init() {
	if err := flag.Set("rapid.seed", "1"); err != nil {
		panic(err)
	}
}

const minute = int64(60_000_000)

var (
	linear  = datasets.Contract{Multiplier: 1}
	inverse = datasets.Contract{Inverse: true, Multiplier: 1}
	spot    = datasets.Contract{Spot: true, Multiplier: 1}
	nan     = math.NaN()
)

// table is a market of one instrument on one-minute bars from 1970-01-01, written as rows.
type table struct {
	contract datasets.Contract
	columns  map[string][]float64
	target   []float64
	funding  []bars.Settlement
}

// market lays tables of equal length side by side.
func market(tables ...table) (*testMarket, *factors.Panel, study.Span) {
	n := len(tables[0].target)
	g := &factors.Grid{Every: time.Minute, BarsPerYear: 525600}
	for t := range n {
		g.Close = append(g.Close, int64(t+1)*minute)
	}
	m := &testMarket{Frame: &factors.Frame{Grid: g}, Market: Market{Grid: g}}
	names := []string{"open", "close", "vwap", "trades", "bid", "ask", "turnover", "funding_rate"}
	columns := map[string][][]float64{}
	var target [][]float64
	for i, x := range tables {
		g.Instruments = append(g.Instruments, datasets.Instrument{Exchange: "test", Symbol: string(rune('A' + i))})
		m.Contracts = append(m.Contracts, x.contract)
		m.Settlements = append(m.Settlements, x.funding)
		target = append(target, x.target)
		if x.columns["trades"] == nil {
			x.columns["trades"] = fill(n, 1)
		}
		if x.columns["open"] == nil {
			x.columns["open"] = x.columns["close"]
		}
		for _, name := range names {
			if x.columns[name] != nil {
				columns[name] = append(columns[name], x.columns[name])
			}
		}
	}
	for _, name := range names {
		if columns[name] != nil {
			m.Panels = append(m.Panels, factors.NewPanel(name, g, columns[name]...))
		}
	}
	return m, factors.NewPanel("target", g, target...), study.Span{Hi: n, From: 0, To: int64(n) * minute}
}

func fill(n int, v float64) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = v
	}
	return x
}

// testMarket is a market with its columns.
type testMarket struct {
	Market
	*factors.Frame
}

// run is a replay with its rows and its account.
type run struct {
	*Rows
	*Account
	Fills []Fill
	Trips []RoundTrip
}

func simulate(m *testMarket, target *factors.Panel, w study.Span, e study.ExecutionConfig) (*run, error) {
	rows, a, err := Simulate(&m.Market, m.Frame, target, w, e, Options{Keep: true})
	if err != nil {
		return nil, err
	}
	return &run{rows, a, rows.Fills, rows.Trips}, nil
}

func newTarget(m *testMarket, target ...[]float64) *factors.Panel {
	return factors.NewPanel("target", m.Frame.Grid, target...)
}

// simulateEquity is of a replay whose rows are not kept, but for the equity.
func simulateEquity(m *testMarket, target *factors.Panel, w study.Span, e study.ExecutionConfig, frictionless bool) (*run, error) {
	rows, a, err := Simulate(&m.Market, m.Frame, target, w, e, Options{Equity: true, Frictionless: frictionless})
	if err != nil {
		return nil, err
	}
	return &run{rows, a, rows.Fills, rows.Trips}, nil
}

func runOf(t *testing.T, e study.ExecutionConfig, tables ...table) *run {
	t.Helper()
	m, target, w := market(tables...)
	r, err := simulate(m, target, w, e)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// unknown is the number of payments that the data does not show.
func (r *run) unknown() int {
	if r.Account.Unknown == nil {
		return 0
	}
	return r.Account.Unknown.Count
}

// execution is one bar of delay at the open, without costs.
func execution() study.ExecutionConfig {
	return study.ExecutionConfig{Delay: 1, Price: "open", InitialCapital: 1000, Sizing: "compounding"}
}

func wantSeries(t *testing.T, what string, got, want []float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s has %d values, want %d", what, len(got), len(want))
	}
	for i := range want {
		if !(math.Abs(got[i]-want[i]) <= 1e-12*max(1, math.Abs(want[i]))) {
			t.Errorf("%s[%d] = %.15g, want %.15g", what, i, got[i], want[i])
		}
	}
}

// Capital 1000, 5 bps fee, 10 bps half spread, decisions at closes, fills at the next open.
//
//	bar  open close target
//	0    100  100    1     decides 1000/100 = 10
//	1    101  102    1     buys 10 at 101.101: slippage 1.01, fee 1011.01·0.0005 = 0.505505; price 10·(102−101) = 10
//	                       equity 1000 + 10 − 1.01 − 0.505505 = 1008.484495
//	2    102  104   -0.5   price 10·2 = 20: 1028.484495; decides −0.5·1028.484495/104 = −4.9446369951923
//	3    105  103   -0.5   10·(105−104) = 10, then −4.9446…·(103−105) = 9.88927399…; sells 14.9446369951923
//	                       at 104.895: slippage 14.9446…·0.105, fee 14.9446…·104.895·0.0005
//	4    103  100   -0.5   −4.9446…·(100−103) = 14.8339109855769
func TestLinearLedger(t *testing.T) {
	e := execution()
	e.TakerBps, e.HalfSpreadBps = 5, 10
	r := runOf(t, e, table{contract: linear, columns: map[string][]float64{
		"open":  {100, 101, 102, 105, 103},
		"close": {100, 102, 104, 103, 100},
	}, target: []float64{1, 1, -0.5, -0.5, -0.5}})
	const short = 0.5 * 1028.484495 / 104
	sold := 10 + short
	slippage, fee := sold*0.105, sold*104.895*0.0005
	at3 := 1028.484495 + 10 + 2*short - slippage - fee
	wantSeries(t, "equity", r.Equity, []float64{1000, 1008.484495, 1028.484495, at3, at3 + 3*short})
	wantSeries(t, "quantity", r.Quantity[0], []float64{0, 10, 10, -short, -short})
	wantSeries(t, "weight", r.Weight[0], []float64{0, 1020 / 1008.484495, 1040 / 1028.484495, -103 * short / at3, -100 * short / (at3 + 3*short)})
	wantSeries(t, "total", []float64{r.Total.PricePnL, r.Total.Fees, r.Total.Slippage}, []float64{40 + 5*short, 0.505505 + fee, 1.01 + slippage})
	if len(r.Fills) != 2 || r.Fills[1].Row != 3 || r.Fills[1].Decided != 2 || r.Fills[1].Reference != 105 {
		t.Errorf("fills %+v", r.Fills)
	}
	// The long trip earned 40 at references and bears the whole first cost and 10/14.94… of the second.
	if len(r.Trips) != 1 || r.Trips[0].Entry != 1 || r.Trips[0].Exit != 3 {
		t.Fatalf("trips %+v, want one from bar 1 to bar 3", r.Trips)
	}
	wantSeries(t, "trip", []float64{r.Trips[0].PnL}, []float64{40 - 1.01 - 0.505505 - (slippage+fee)*10/sold})
}

// A value that is no number is named, with the instrument and the bar.
func TestBrokenAccountingNamesTheValue(t *testing.T) {
	e := execution()
	e.TakerBps, e.InitialCapital = math.MaxFloat64, 1e9 // which no study may have
	m, target, w := market(table{contract: linear, columns: map[string][]float64{"close": {100, 100, 1e300, 100}}, target: []float64{1, 1, -1, -1}})
	_, err := simulate(m, target, w, e)
	if err == nil || !strings.Contains(err.Error(), "does not add up at 1970-01-01 00:02: the fees of test:A is +Inf") {
		t.Error(err)
	}
}

// Contracts of 1 quote unit, no costs: a bar earns contracts·(P_t/P_{t−1} − 1), a fill within it
// contracts·(P_t/fill − 1).
//
//	bar  open close target
//	0    100  100   1     decides 1000 contracts
//	1    100  125   1     1000·(125/100 − 1) = 250           → 1250
//	2    125  100   0     1000·(100/125 − 1) = −200          → 1050; decides 0
//	3    110  120   0     1000·(1/100 − 1/110)·120 = 109.0909… → 1159.0909…
//	4    120  130   0     nothing
func TestInverseLedger(t *testing.T) {
	r := runOf(t, execution(), table{contract: inverse, columns: map[string][]float64{
		"open":  {100, 100, 125, 110, 120},
		"close": {100, 125, 100, 120, 130},
	}, target: []float64{1, 1, 0, 0, 0}})
	wantSeries(t, "equity", r.Equity, []float64{1000, 1250, 1050, 1050 + 120000./1100, 1050 + 120000./1100})
	wantSeries(t, "quantity", r.Quantity[0], []float64{0, 1000, 1000, 0, 0})
}

// Longs pay a positive rate at the settlement's mark, on what was held before any fill at that
// instant; T = from counts (nothing is held then), T = to does not.
//
//	bar 0 [0,1m)  settles at 0: flat                decides 10
//	bar 1 [1m,2m) settles at 1m: before the fill at its open, flat
//	bar 2 [2m,3m) settles at 2m: 10·101·0.001 = 1.01; decides 0
//	bar 3 [3m,4m) settles at 3m: before the sale, 10·102·−0.002 → +2.04; at 3.5m: after it, nothing
//	bar 4 [4m,5m) settles at 5m = to: not this window's
func TestFundingLedger(t *testing.T) {
	e := execution()
	e.Funding = true
	r := runOf(t, e, table{contract: linear, columns: map[string][]float64{
		"close": {100, 100, 100, 100, 100},
	}, target: []float64{1, 1, 0, 0, 1}, funding: []bars.Settlement{
		{Time: 0, Rate: 1, Mark: 100}, {Time: minute, Rate: 1, Mark: 100}, {Time: 2 * minute, Rate: 0.001, Mark: 101},
		{Time: 3 * minute, Rate: -0.002, Mark: 102}, {Time: 3*minute + minute/2, Rate: 1, Mark: 100}, {Time: 5 * minute, Rate: 1, Mark: 100},
	}})
	wantSeries(t, "equity", r.Equity, []float64{1000, 1000, 998.99, 1001.03, 1001.03})
	if r.unknown() != 0 {
		t.Errorf("%d unknown settlements, want 0", r.unknown())
	}
}

// With fills at the close, a settlement within the bar meets the position from before.
func TestFundingBeforeFillsAtTheClose(t *testing.T) {
	e := execution()
	e.Funding, e.Price = true, "close"
	r := runOf(t, e, table{contract: linear, columns: map[string][]float64{"close": {100, 100, 100}},
		target: []float64{1, 1, 1}, funding: []bars.Settlement{{Time: minute + 1, Rate: 0.01, Mark: 100}, {Time: 2*minute + 1, Rate: 0.01, Mark: 100}}})
	wantSeries(t, "equity", r.Equity, []float64{1000, 1000, 990})
}

func TestUnknownSettlementIsCountedNotZero(t *testing.T) {
	e := execution()
	e.Funding = true
	r := runOf(t, e, table{contract: linear, columns: map[string][]float64{"close": {100, 100, 100, 100}},
		target: []float64{1, 1, 1, 1}, funding: []bars.Settlement{{Time: minute, Rate: nan, Mark: 100}, {Time: 2 * minute, Rate: nan, Mark: 100}, {Time: 3 * minute, Rate: 0.1, Mark: nan}}})
	if r.unknown() != 2 || len(r.Warnings) != 1 {
		t.Errorf("%d unknown settlements, %d warnings, want 2 and 1", r.unknown(), len(r.Warnings))
	}
}

// Two bars of delay. The order of bar 0 counts as held at bar 1, so that the target 0.5 of bar 1 sends
// −5 while 10 are still on their way.
func TestDelayOfTwoBars(t *testing.T) {
	e := execution()
	e.Delay = 2
	r := runOf(t, e, table{contract: linear, columns: map[string][]float64{
		"close": {100, 100, 100, 100, 100},
	}, target: []float64{1, 0.5, 0.5, 0.5, 1}})
	wantSeries(t, "quantity", r.Quantity[0], []float64{0, 0, 10, 5, 5})
	if len(r.Fills) != 2 || r.Fills[1].Quantity != -5 || r.Fills[1].Decided != 1 {
		t.Errorf("fills %+v", r.Fills)
	}
}

// Bars 2 and 3 are missing: the position of 10 stands at the last mark and earns 10·(90 − 102) at the
// next known price. The target 0 of the missing bars is not seen; that of bar 4 is.
func TestMissingBarsFreeze(t *testing.T) {
	r := runOf(t, execution(), table{contract: linear, columns: map[string][]float64{
		"open":   {100, 101, nan, nan, 95, 90},
		"close":  {100, 102, nan, nan, 90, 80},
		"trades": {1, 1, nan, nan, 1, 1},
	}, target: []float64{1, 1, 0, 0, 0, 0}})
	wantSeries(t, "equity", r.Equity, []float64{1000, 1010, 1010, 1010, 890, 890})
	wantSeries(t, "quantity", r.Quantity[0], []float64{0, 10, 10, 10, 10, 0})
}

// Two instruments share 1000. The first is delisted after bar 2, at whose close it was to be sold: it stands at
// its last price for good, and what it is worth there still counts where the second is sized.
//
//	bar  A open close target   B open close target
//	0      100  100   1          100  100   1       each decides 500/100 = 5
//	1      100  100   1          100  100   1       buys both
//	2      100  120   0          100  100   1       A +100: equity 1100; A decides 0, and never fills
//	3        –    –   0          100  110   0.5     B +50: equity 1150; B decides 0.25·1150/110
//	4        –    –   1          110  100   0.5     sells 5 − 2.6136… at 110; B −10·2.6136…
func TestDelistingInTheMiddleOfAPosition(t *testing.T) {
	r := runOf(t, execution(),
		table{contract: linear, columns: map[string][]float64{
			"open": {100, 100, 100, nan, nan}, "close": {100, 100, 120, nan, nan}, "trades": {1, 1, 1, nan, nan},
		}, target: []float64{1, 1, 0, 0, 1}},
		table{contract: linear, columns: map[string][]float64{
			"open": {100, 100, 100, 100, 110}, "close": {100, 100, 100, 110, 100},
		}, target: []float64{1, 1, 1, 0.5, 0.5}})
	const left = 0.25 * 1150 / 110
	wantSeries(t, "delisted", r.Quantity[0], []float64{0, 5, 5, 5, 5})
	wantSeries(t, "listed", r.Quantity[1], []float64{0, 5, 5, 5, left})
	wantSeries(t, "equity", r.Equity, []float64{1000, 1000, 1100, 1150, 1150 - 10*left})
	wantSeries(t, "weight", r.Weight[0], []float64{0, 0.5, 600. / 1100, 600. / 1150, 600 / (1150 - 10*left)})
	wantSeries(t, "price PnL", []float64{r.ByInstrument[0].PricePnL, r.ByInstrument[1].PricePnL}, []float64{100, 50 - 10*left})
	if len(r.Fills) != 3 || len(r.Trips) != 0 {
		t.Errorf("%d fills and %d round trips, want 3 and none", len(r.Fills), len(r.Trips))
	}
	if len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0].Error(), "test:A has no price after 1970-01-01 00:03") {
		t.Errorf("warnings %v, want that the first has no price after bar 2", r.Warnings)
	}
}

// An order due in a bar without trades waits for the next one that has them.
func TestBarWithoutTradesFillsNothing(t *testing.T) {
	r := runOf(t, execution(), table{contract: linear, columns: map[string][]float64{
		"close":  {100, 100, 100, 110, 110},
		"open":   {100, 100, 100, 105, 110},
		"trades": {1, 0, 0, 3, 1},
	}, target: []float64{1, 1, 1, 1, 1}})
	wantSeries(t, "quantity", r.Quantity[0], []float64{0, 0, 0, 10, 10})
	wantSeries(t, "equity", r.Equity, []float64{1000, 1000, 1000, 1050, 1050})
}

// A measured spread of 2 on a mid of 100 costs 1 a unit; at the open it is that of the close before,
// and a crossed or absent quote falls back to half_spread_bps.
func TestMeasuredSpread(t *testing.T) {
	e := execution()
	e.HalfSpreadBps = 50
	for price, want := range map[string]float64{"open": 10, "close": 5} {
		e.Price = price
		r := runOf(t, e, table{contract: linear, columns: map[string][]float64{
			"close": {100, 100, 100}, "bid": {99, 101, nan}, "ask": {101, 99, 100},
		}, target: []float64{1, 1, 1}})
		wantSeries(t, price, []float64{r.Total.Slippage}, []float64{want})
	}
}

// A held weight of 10·110/1100 = 1 needs no trade; 0.5 drifts to 5·150/1250 = 0.6, off by 0.1 > 0.05.
func TestRebalanceBand(t *testing.T) {
	e := execution()
	x := table{contract: linear, columns: map[string][]float64{"close": {100, 100, 150, 150}}, target: fill(4, 0.5)}
	if r := runOf(t, e, x); len(r.Fills) != 1 {
		t.Errorf("%d fills without a band, want 1", len(r.Fills))
	}
	e.RebalanceBand = 0.05
	r := runOf(t, e, x)
	wantSeries(t, "quantity", r.Quantity[0], []float64{0, 5, 5, 0.5 * 1250 / 150})
}

func TestSpotIsNeverShort(t *testing.T) {
	r := runOf(t, execution(), table{contract: spot, columns: map[string][]float64{"close": {100, 100, 100}}, target: []float64{-1, -1, 1}})
	if len(r.Fills) != 0 || len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0].Error(), "2 bars") {
		t.Errorf("fills %+v, warnings %v", r.Fills, r.Warnings)
	}
}

// Two instruments share the capital: half each; a gross cap of 0.5 halves that again.
func TestAllocation(t *testing.T) {
	e := execution()
	x := func() table {
		return table{contract: linear, columns: map[string][]float64{"close": {100, 100}}, target: []float64{1, 1}}
	}
	r := runOf(t, e, x(), x())
	wantSeries(t, "quantities", []float64{r.Quantity[0][1], r.Quantity[1][1]}, []float64{5, 5})
	e.GrossCap = 0.5
	r = runOf(t, e, x(), x())
	wantSeries(t, "capped quantities", []float64{r.Quantity[0][1], r.Quantity[1][1]}, []float64{2.5, 2.5})
}

// Long 10 at 100; at −1 the equity is −10.
func TestRuinEndsTheRun(t *testing.T) {
	x := table{contract: linear, columns: map[string][]float64{"close": {100, 100, 250, 100}}, target: []float64{-1, -1, -1, -1}}
	r := runOf(t, execution(), x)
	wantSeries(t, "equity", r.Equity, []float64{1000, 1000, -500, -500})
	wantSeries(t, "quantity", r.Quantity[0], []float64{0, -10, -10, 0})
	if !r.Ruined || len(r.Warnings) != 1 {
		t.Errorf("ruined %v, warnings %v", r.Ruined, r.Warnings)
	}
}

// The exchange's own example: 15,000 contracts bought at 750, funding of 0.25 % at a mark of 750, sold
// at 800: 1.25 XBT earned and 0.05 paid, here in dollars at 800 and 750.
func TestBitMEXExample(t *testing.T) {
	var v struct {
		B struct {
			Contracts, Entry, Exit float64
			Mark                   float64 `json:"mark_at_funding"`
			Rate                   float64 `json:"funding_rate"`
			Paid                   float64 `json:"long_pays_xbt"`
			Earned                 float64 `json:"price_pnl_xbt"`
		} `json:"bitmex_inverse"`
	}
	b, err := os.ReadFile(filepath.Join("..", "testdata", "perp_funding.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	e := execution()
	e.Funding, e.InitialCapital = true, v.B.Contracts
	r := runOf(t, e, table{contract: inverse, columns: map[string][]float64{
		"close": {v.B.Entry, v.B.Entry, v.B.Mark, v.B.Exit},
	}, target: []float64{1, 1, 0, 0}, funding: []bars.Settlement{{Time: 2 * minute, Rate: v.B.Rate, Mark: v.B.Mark}}})
	wantSeries(t, "quantity", r.Quantity[0], []float64{0, v.B.Contracts, v.B.Contracts, 0})
	wantSeries(t, "XBT", []float64{r.Total.PricePnL / v.B.Exit, r.Total.Funding / v.B.Mark}, []float64{v.B.Earned, -v.B.Paid})
	wantSeries(t, "equity", r.Equity[3:], []float64{15000 + 1000 - 37.5})
}

// drawTable draws a random instrument: prices, gaps, bars without trades, funding, targets.
func drawTable(t *rapid.T, n int) table {
	x := table{contract: rapid.SampledFrom([]datasets.Contract{
		linear, inverse, spot, {Multiplier: 0.01}, {Inverse: true, Multiplier: 100},
	}).Draw(t, "contract"), columns: map[string][]float64{}, target: make([]float64, n)}
	open, closes, trades, turnover := make([]float64, n), make([]float64, n), make([]float64, n), fill(n, 1e6)
	p := rapid.Float64Range(0.01, 1e5).Draw(t, "price")
	for k := range n {
		turnover[k] *= rapid.Float64Range(0.5, 2).Draw(t, "turnover")
		open[k] = p * rapid.Float64Range(0.98, 1.02).Draw(t, "open")
		p *= rapid.Float64Range(0.95, 1.05).Draw(t, "step")
		closes[k] = p
		trades[k] = float64(rapid.IntRange(0, 3).Draw(t, "trades"))
		if rapid.IntRange(0, 9).Draw(t, "missing") == 0 {
			open[k], closes[k], trades[k] = nan, nan, nan
		}
		x.target[k] = rapid.SampledFrom([]float64{-1, -0.5, 0, 0.5, 1, nan}).Draw(t, "target")
		if rapid.IntRange(0, 4).Draw(t, "settles") == 0 {
			x.funding = append(x.funding, bars.Settlement{Time: int64(k) * minute, Rate: rapid.Float64Range(-0.01, 0.01).Draw(t, "rate"), Mark: p})
		}
	}
	x.columns["open"], x.columns["close"], x.columns["trades"] = open, closes, trades
	x.columns["turnover"] = turnover
	return x
}

func drawExecution(t *rapid.T) study.ExecutionConfig {
	return study.ExecutionConfig{
		Delay: rapid.IntRange(1, 3).Draw(t, "delay"), Price: rapid.SampledFrom([]string{"open", "close"}).Draw(t, "at"),
		TakerBps: rapid.Float64Range(0, 20).Draw(t, "taker"), HalfSpreadBps: rapid.Float64Range(0, 20).Draw(t, "half spread"),
		Funding: true, InitialCapital: 1e5, Sizing: rapid.SampledFrom([]string{"compounding", "fixed"}).Draw(t, "sizing"),
		Allocation:    rapid.SampledFrom([]string{"equal", study.InverseVolatility}).Draw(t, "allocation"),
		Impact:        rapid.SampledFrom([]study.ImpactConfig{{Model: "none"}, {Model: study.SquareRoot, K: 0.1}}).Draw(t, "impact"),
		RebalanceBand: rapid.SampledFrom([]float64{0, 0.02}).Draw(t, "band"), GrossCap: rapid.SampledFrom([]float64{0, 0.7}).Draw(t, "cap"),
		MaxShare:  rapid.SampledFrom([]float64{0, 0, 0.02}).Draw(t, "share"),
		SpotShort: rapid.SampledFrom([]*study.SpotShortConfig{nil, {BorrowBps: 1e5}}).Draw(t, "spot short"),
	}
}

// Whatever the market, equity changes by the ledger's sum and each position's price PnL is what its fills
// say: linear Σ q·(last mark − reference); the identity itself is checked by Simulate.
func TestLedgerAddsUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 40).Draw(t, "bars")
		var tables []table
		for range rapid.IntRange(1, 3).Draw(t, "instruments") {
			tables = append(tables, drawTable(t, n))
		}
		m, target, w := market(tables...)
		e := drawExecution(t)
		r, err := simulate(m, target, w, e)
		if err != nil {
			t.Fatal(err)
		}
		brief, err := simulateEquity(m, target, w, e, false)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(brief.Equity, r.Equity) || !slices.Equal(brief.Fills, r.Fills) || brief.Total != r.Total || brief.Bar != nil {
			t.Fatal("a run of which only the equity is kept earns something else")
		}
		before := r.Capital
		for k, e := range r.Equity {
			if math.Abs(e-before-r.Bar[k].Net()) > 1e-9*r.Capital {
				t.Fatalf("bar %d: equity went from %v to %v, its ledger says %v", k, before, e, r.Bar[k].Net())
			}
			before = e
		}
		for i, x := range tables {
			if x.contract.Inverse || r.Ruined {
				continue
			}
			last, pnl := nan, 0.0
			for _, p := range x.columns["close"] {
				if !math.IsNaN(p) {
					last = p
				}
			}
			for _, f := range r.Fills {
				if f.Instrument == i {
					pnl += f.Quantity * x.contract.Multiplier * (last - f.Reference)
				}
			}
			if math.Abs(pnl-r.ByInstrument[i].PricePnL) > 1e-9*r.Capital {
				t.Fatalf("instrument %d: price PnL %v, its fills say %v", i, r.ByInstrument[i].PricePnL, pnl)
			}
		}
		for _, f := range r.Fills {
			if f.Row < f.Decided+1 || !(m.Panel("trades").Col(f.Instrument)[f.Row] > 0) {
				t.Fatalf("fill %+v", f)
			}
		}
	})
}

// Under fixed sizing the opposite target earns the opposite gross price PnL, and no target earns nothing.
func TestFlippedTargetFlipsPricePnL(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 40).Draw(t, "bars")
		x := drawTable(t, n)
		if x.contract.Spot {
			x.contract = linear
		}
		e := drawExecution(t)
		e.Sizing, e.RebalanceBand = "fixed", 0
		replay := func(side float64) *run {
			y := x
			y.target = make([]float64, n)
			for k, v := range x.target {
				y.target[k] = side * v
			}
			m, target, w := market(y)
			r, err := simulate(m, target, w, e)
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		long, short, flat := replay(1), replay(-1), replay(0)
		if long.Ruined || short.Ruined {
			t.Skip()
		}
		if d := long.Total.PricePnL + short.Total.PricePnL; math.Abs(d) > 1e-9*long.Capital {
			t.Fatalf("price PnL %v and %v", long.Total.PricePnL, short.Total.PricePnL)
		}
		if flat.Total != (Attribution{}) || flat.Equity[n-1] != flat.Capital || len(flat.Fills) > 0 {
			t.Fatalf("a zero target earned %+v", flat.Total)
		}
	})
}

// What comes after a bar does not change what a run did up to it.
func TestSimulateDoesNotLookAhead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(3, 40).Draw(t, "bars")
		x, e := drawTable(t, n), drawExecution(t)
		m, target, w := market(x)
		whole, err := simulate(m, target, w, e)
		if err != nil {
			t.Fatal(err)
		}
		cut := rapid.IntRange(1, n-1).Draw(t, "cut")
		for name, col := range x.columns {
			x.columns[name] = slices.Clone(col)
			for k := cut; k < n; k++ {
				x.columns[name][k] *= 1.07
			}
		}
		for k := cut; k < n; k++ {
			x.target[k] = 0.123
		}
		m, target, w = market(x)
		poisoned, err := simulate(m, target, w, e)
		if err != nil {
			t.Fatal(err)
		}
		for k := range cut {
			if math.Float64bits(whole.Equity[k]) != math.Float64bits(poisoned.Equity[k]) || whole.Quantity[0][k] != poisoned.Quantity[0][k] {
				t.Fatalf("bar %d of a cut at %d: equity %v, with another future %v", k, cut, whole.Equity[k], poisoned.Equity[k])
			}
		}
	})
}

func TestSimulateDoesNotAllocatePerBar(t *testing.T) {
	allocs := func(n int) float64 {
		m, target, w := market(table{contract: linear, columns: map[string][]float64{"close": fill(n, 100)}, target: fill(n, 1)})
		return testing.AllocsPerRun(3, func() {
			if _, err := simulate(m, target, w, execution()); err != nil {
				t.Fatal(err)
			}
		})
	}
	// The runtime may add one of its own in between, more so under the race detector: what counts is that none comes with bars.
	if a, b := allocs(100), allocs(10_000); (b-a)/9_900 > 0.001 {
		t.Errorf("%v allocations over 100 bars, %v over 10,000", a, b)
	}
}
