package tardistest

import (
	"testing"

	"github.com/qf-dev/qf/datasets"
)

// BenchmarkDay is one simulated day of one feed at the default rates, as the server sends it.
func BenchmarkDay(b *testing.B) {
	for _, feed := range datasets.DataTypes() {
		p := datasets.Partition{Instrument: btc, Type: feed}
		if feed == datasets.OptionsChain {
			p.Symbol = "OPTIONS"
		}
		b.Run(string(feed), func(b *testing.B) { benchmarkDays(b, testMarket(1, DefaultSignal), p) })
	}
	b.Run("trades=4M", func(b *testing.B) {
		m := testMarket(1, DefaultSignal)
		m.TradesPerDay = 4_000_000
		benchmarkDays(b, m, datasets.Partition{Instrument: btc, Type: datasets.Trades})
	})
}

// BenchmarkStart is what the first file of a market costs for each day since Start.
func BenchmarkStart(b *testing.B) {
	m := testMarket(1, DefaultSignal)
	n := datasets.Day(0)
	for b.Loop() {
		m.day(btc, m.Start+n)
		n++
	}
}

func benchmarkDays(b *testing.B, m *Market, p datasets.Partition) {
	s := &Server{Days: m}
	n := 0
	for b.Loop() {
		p.Day = m.Start + datasets.Day(n%140)
		f, err := s.compress(p)
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(f.body)))
		n++
	}
}
