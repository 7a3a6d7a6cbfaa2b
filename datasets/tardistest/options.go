package tardistest

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/qf-dev/qf/datasets"
)

// option is one contract of the simulated chain, priced in coins of its underlying.
type option struct {
	symbol, index string
	call          bool
	strike        float64
	expiration    int64 // Unix µs
}

func (c option) kind() string {
	if c.call {
		return "call"
	}
	return "put"
}

// chainOf lists the day's options on a coin at price: weekly expiries on the next three Fridays at
// 08:00 UTC, and seven strikes around the price, each as put and call.
func chainOf(coin string, price float64, on datasets.Day) []option {
	step := math.Pow(10, math.Floor(math.Log10(price))) / 4
	var chain []option
	friday := on + 1
	for friday.Time().Weekday() != time.Friday {
		friday++
	}
	for week := range 3 {
		expiry := friday + datasets.Day(7*week)
		date := strings.ToUpper(expiry.Time().Format("2Jan06"))
		for i := -3; i <= 3; i++ {
			strike := (math.Round(price/step) + float64(i)) * step
			for _, letter := range []string{"P", "C"} {
				chain = append(chain, option{
					symbol:     fmt.Sprintf("%s-%s-%s-%s", coin, date, strconv.FormatFloat(strike, 'f', -1, 64), letter),
					index:      "SYN." + coin + "-" + date,
					call:       letter == "C",
					strike:     strike,
					expiration: expiry.Start() + 8*3600*1_000_000,
				})
			}
		}
	}
	return chain
}

// writeOptions writes the options on the instrument's coin, each at regular times, the chain spread
// over them. Some never traded; worthless ones have no bid.
func (m *Market) writeOptions(o *csvWriter, l listing, d *day) {
	r := m.random("options", d.in, d.day)
	p := m.mid(d)
	every := int64(orDefault(m.OptionsEvery, 600)) * 1_000_000
	chain := chainOf(l.coin, math.Exp(d.price[0]), d.day)
	for at := int64(0); at < seconds*1_000_000; at += every {
		for i, c := range chain {
			us := at + every*int64(i)/int64(len(chain)) + 5_000
			if us >= seconds*1_000_000 {
				return
			}
			local := d.day.Start() + us
			forward := p.at(us)
			years := float64(c.expiration-local) / (365 * datasets.MicrosPerDay)
			moneyness := math.Log(c.strike/forward) / math.Sqrt(years)
			iv := annualVol*d.vol[us/60_000_000]*0.5 + 0.3 + 0.1*moneyness*moneyness - 0.02*moneyness
			v := black(forward, c.strike, years, iv, c.call)
			coins := v.value / forward
			half := 0.0005 + 0.01*coins

			o.name(d.in.Exchange, c.symbol)
			o.row(exchangeTime(r, local), local)
			o.text(c.kind())
			o.number(c.strike)
			o.int(c.expiration)
			o.rounded(10*float64(1+i%40), 1)
			if i%7 == 6 {
				o.text("") // last_price: never traded
			} else {
				o.rounded(max(0.0001, coins), 4)
			}
			if bid := coins - half; bid >= 0.0001 {
				o.rounded(bid, 4)
				o.rounded(0.1+20*r.Float64(), 1)
				o.rounded(100*iv-1, 2)
			} else {
				o.text("")
				o.text("")
				o.text("")
			}
			o.rounded(coins+half, 4)
			o.rounded(0.1+20*r.Float64(), 1)
			o.rounded(100*iv+1, 2)
			o.rounded(coins, 6)
			o.rounded(100*iv, 2)
			o.text(c.index)
			o.rounded(forward, 2)
			for _, greek := range []float64{v.delta, v.gamma, v.vega, v.theta, v.rho} {
				o.rounded(greek, 5)
			}
			o.end()
		}
	}
}

// worth is an option's value in quote currency with its greeks: vega and rho for one percentage
// point, theta for one day.
type worth struct{ value, delta, gamma, vega, theta, rho float64 }

// black values an option on forward f with strike k, t years and volatility v, at no interest (Black 1976).
func black(f, k, t, v float64, call bool) worth {
	sd := v * math.Sqrt(t)
	d1 := math.Log(f/k)/sd + sd/2
	d2 := d1 - sd
	density := math.Exp(-d1*d1/2) / math.Sqrt(2*math.Pi)
	w := worth{
		value: f*normal(d1) - k*normal(d2),
		delta: normal(d1),
		gamma: density / (f * sd),
		vega:  f * density * math.Sqrt(t) / 100,
		theta: -f * density * v / (2 * math.Sqrt(t)) / 365,
		rho:   k * t * normal(d2) / 100,
	}
	if !call { // put-call parity
		w.value += k - f
		w.delta--
		w.rho -= k * t / 100
	}
	return w
}

// normal is the standard normal distribution function.
func normal(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }
