package tardistest

import (
	"flag"
	"fmt"
	"iter"
	"math"
	"testing"

	"github.com/qf-dev/qf/datasets"
)

var seeds = flag.Int("seeds", 1, "markets on which the default composite is judged, with and without the plant")

// barsOf are 1-minute bars, one a row, of what the default composite needs.
type barsOf struct {
	open, close, turnover, ofi []float64
}

// minuteBars folds the days [first, first+n) of the market's trades, by arrival.
func minuteBars(m *Market, in datasets.Instrument, n int) *barsOf {
	nan := math.NaN()
	b := &barsOf{}
	const window = 100
	var ring [window]struct{ buy, sell float64 }
	seen, price := 0, nan
	l := listingOf(in)
	for day := range n {
		next, stop := iter.Pull(m.fills(l, m.day(in, m.Start+datasets.Day(day))))
		f, ok := next()
		for minute := range minutes {
			end := (m.Start + datasets.Day(day)).Start() + int64(minute+1)*60_000_000
			open, turnover := math.NaN(), 0.0
			for ; ok && f.local < end; f, ok = next() {
				price = float64(f.price) / float64(pow10[l.tickDecimals])
				notional := l.Notional(price, float64(f.amount)/float64(pow10[l.lotDecimals]))
				if turnover == 0 {
					open = price
				}
				turnover += notional
				slot := &ring[seen%window]
				slot.buy, slot.sell = 0, 0
				if f.buy {
					slot.buy = notional
				} else {
					slot.sell = notional
				}
				seen++
			}
			if turnover == 0 {
				open = price
			}
			var buy, sell float64
			for _, s := range ring {
				buy, sell = buy+s.buy, sell+s.sell
			}
			ofi := nan
			if seen >= window {
				ofi = (buy - sell) / (buy + sell)
			}
			b.open, b.close = append(b.open, open), append(b.close, price)
			b.turnover, b.ofi = append(b.turnover, turnover), append(b.ofi, ofi)
		}
		stop()
	}
	return b
}

// rolling gives the trailing mean and ddof-1 standard deviation of the finite values, NaN below minPeriods.
func rolling(x []float64, w, minPeriods int) (mean, std []float64) {
	mean, std = make([]float64, len(x)), make([]float64, len(x))
	var n, s, q float64
	add := func(v, sign float64) {
		if !math.IsNaN(v) {
			n, s, q = n+sign, s+sign*v, q+sign*v*v
		}
	}
	for t, v := range x {
		add(v, 1)
		if t >= w {
			add(x[t-w], -1)
		}
		mean[t], std[t] = math.NaN(), math.NaN()
		if n >= float64(minPeriods) {
			mean[t] = s / n
			std[t] = math.Sqrt(max(0, (q-s*s/n)/(n-1)))
		}
	}
	return mean, std
}

func zscore(x []float64) []float64 {
	const w = 30 * minutes
	mean, std := rolling(x, w, w/4)
	z := make([]float64, len(x))
	for t := range x {
		z[t] = (x[t] - mean[t]) / std[t]
	}
	return z
}

// defaultComposite is F = 0.40 z(momentum_14d) − 0.20 z(volatility_20d) + 0.25 z(liquidity) + 0.15 z(ofi).
func defaultComposite(b *barsOf) []float64 {
	n := len(b.close)
	r, illiquidity := make([]float64, n), make([]float64, n)
	r[0] = math.NaN()
	for t := range n {
		if t > 0 {
			r[t] = math.Log(b.close[t] / b.close[t-1])
		}
		illiquidity[t] = math.NaN()
		if b.turnover[t] > 0 {
			illiquidity[t] = 1e6 * math.Abs(r[t]) / b.turnover[t]
		}
	}
	momentum, _ := rolling(r, 14*minutes, 14*minutes*9/10)
	_, volatility := rolling(r, 20*minutes, 20*minutes*9/10)
	amihud, _ := rolling(illiquidity, 20, 1)
	liquidity := make([]float64, n)
	for t := range n {
		liquidity[t] = 1 / (1 + amihud[t])
	}
	zm, zv, zl, zo := zscore(momentum), zscore(volatility), zscore(liquidity), zscore(b.ofi)
	f := make([]float64, n)
	for t := range f {
		f[t] = 0.40*zm[t] - 0.20*zv[t] + 0.25*zl[t] + 0.15*zo[t]
	}
	return f
}

// tested is u_t = z(f_t)·z(R_t,h) over the window from lo on, R from the open one bar later.
func tested(f, open []float64, lo, h int) []float64 {
	n := len(open) - lo - 1 - h
	x, y := make([]float64, n), make([]float64, n)
	for i := range n {
		t := lo + i
		x[i], y[i] = f[t], math.Log(open[t+1+h]/open[t+1])
	}
	standardize(x)
	standardize(y)
	for i := range x {
		x[i] *= y[i]
	}
	return x
}

func standardize(x []float64) {
	var s, q float64
	for _, v := range x {
		s += v
	}
	s /= float64(len(x))
	for _, v := range x {
		q += (v - s) * (v - s)
	}
	q = math.Sqrt(q / float64(len(x)))
	for i := range x {
		x[i] = (x[i] - s) / q
	}
}

// hansenHodrick gives mean and t of u with lag h − 1.
func hansenHodrick(u []float64, h int) (mean, t float64) {
	n := float64(len(u))
	for _, v := range u {
		mean += v / n
	}
	s := 0.0
	for l := range h {
		g := 0.0
		for i := l; i < len(u); i++ {
			g += (u[i] - mean) * (u[i-l] - mean)
		}
		if l > 0 {
			g *= 2
		}
		s += g / n
	}
	return mean, mean / math.Sqrt(s/n)
}

// The default composite finds the plant in 90 days of two instruments after 50 days of warm-up, and
// nothing in the twin market. -seeds 20 is the whole acceptance run, a few minutes.
func TestCompositeFindsThePlant(t *testing.T) {
	if testing.Short() {
		t.Skip("half a minute with the race detector")
	}
	const days, warm, h = 140, 50, 60
	found, fooled := 0, 0
	for seed := range *seeds {
		var line string
		for _, signal := range []float64{DefaultSignal, 0} {
			m := testMarket(uint64(seed+1), signal)
			var pooled []float64
			for _, in := range m.Instruments {
				b := minuteBars(m, in, days)
				u := tested(defaultComposite(b), b.open, warm*minutes, h)
				if pooled == nil {
					pooled = make([]float64, len(u))
				}
				for i, v := range u {
					pooled[i] += v / float64(len(m.Instruments))
				}
			}
			ic, stat := hansenHodrick(pooled, h)
			line += fmt.Sprintf("  signal %.2f: IC %+.4f t %+.2f", signal, ic, stat)
			if signal > 0 && stat > 3 {
				found++
			}
			if signal == 0 && math.Abs(stat) > 2 {
				fooled++
			}
		}
		t.Logf("seed %2d%s", seed+1, line)
	}
	if found < *seeds-*seeds/10 {
		t.Errorf("t > 3 in %d of %d markets with the plant", found, *seeds)
	}
	if fooled > *seeds*3/20 {
		t.Errorf("|t| > 2 in %d of %d markets without it", fooled, *seeds)
	}
}

var (
	btc = datasets.Instrument{Exchange: "binance-futures", Symbol: "BTCUSDT"}
	eth = datasets.Instrument{Exchange: "binance-futures", Symbol: "ETHUSDT"}

	inverse = datasets.Instrument{Exchange: "deribit", Symbol: "BTC-PERPETUAL"}
)

func testMarket(seed uint64, signal float64) *Market {
	start, err := datasets.ParseDay("2024-01-01")
	if err != nil {
		panic(err)
	}
	return &Market{Seed: seed, Start: start, Instruments: []datasets.Instrument{btc, eth}, Signal: signal}
}
