package opinions

import (
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/bars"
	"github.com/qf-dev/qf/factors"
	"github.com/qf-dev/qf/signals/llm"
)

const minute = int64(time.Minute / time.Microsecond)

// play is what a study's rows are: columns by instrument, factors by factor and instrument.
type play struct {
	study                *study.Study
	grid                 *factors.Grid
	span                 study.Span
	shown                []int
	close                []int64
	score, closes, price [][]float64
	columns              [][][]float64
}

// newPlay makes 600 rows of two instruments, some of them without composite, factor or price, 3 minutes apart on average
// and now and then with the same label; two models are asked once an hour.
func newPlay(t *testing.T, seed uint64) *play {
	t.Helper()
	const rows = 600
	r := rand.New(rand.NewPCG(seed, 5))
	in := []datasets.Instrument{{Exchange: "test", Symbol: "BTCUSDT"}, {Exchange: "test", Symbol: "ETHUSDT"}}
	p := &play{
		grid: &factors.Grid{Instruments: in}, span: study.Span{Lo: 37, Hi: 571}, shown: []int{0, -1, 1, -1, -1, -1, 0},
		study: &study.Study{
			Execution: study.ExecutionConfig{Delay: 1 + r.IntN(3), Price: "open"},
			Signals: study.SignalsConfig{LLM: &study.LLMConfig{
				Models:  study.LanguageModels{{Name: "a", Input: 1, Output: 2, Weight: 1}, {Name: "b", Input: 1, Output: 1, Weight: 1}},
				Cadence: factors.Window{Time: time.Hour}, Combine: study.CombineConfig{Mode: llm.Blend, Weight: 0.3}, Ensemble: llm.Mean,
				Cache: filepath.Join(t.TempDir(), "cache"), OnMissing: study.MissingFails, MaxInvalid: 1, MaxTokens: 500, ResponseFormat: llm.JSONSchema,
			}},
		},
	}
	label := 19000*datasets.MicrosPerDay + 560*minute
	for range rows {
		label += minute * int64(r.IntN(7))
		p.close = append(p.close, label)
	}
	column := func(missing float64, value func() float64) []float64 {
		x := make([]float64, rows)
		for t := range x {
			if x[t] = value(); r.Float64() < missing {
				x[t] = nan
			}
		}
		return x
	}
	p.columns = make([][][]float64, 2)
	for range in {
		p.score = append(p.score, column(0.4, r.NormFloat64))
		p.closes = append(p.closes, column(0.1, func() float64 { return 100 + r.Float64() }))
		p.price = append(p.price, column(0.1, func() float64 { return 100 + r.Float64() }))
		for f := range p.columns {
			p.columns[f] = append(p.columns[f], column(0.2, r.NormFloat64))
		}
	}
	return p
}

// each calls with blocks of a length.
func (p *play) each(length int, f func(b *bars.Block, score, closes [][]float64, columns [][][]float64, price [][]float64)) {
	for lo := 0; lo < len(p.close); lo += length {
		hi := min(lo+length, len(p.close))
		part := func(cols [][]float64) [][]float64 {
			out := make([][]float64, len(cols))
			for i, x := range cols {
				out[i] = slices.Clone(x[lo:hi])
			}
			return out
		}
		columns := make([][][]float64, len(p.columns))
		for k, cols := range p.columns {
			columns[k] = part(cols)
		}
		f(&bars.Block{Lo: lo, Hi: hi, Close: slices.Clone(p.close[lo:hi])}, part(p.score), part(p.closes), columns, part(p.price))
	}
}

// played is what a listener gave of all rows.
type played struct {
	opinions [][][]float64 // by opinion, instrument
	prompts  [][]float64
	said     *llm.Opinions
	forward  []float64
}

// listen plays all rows in blocks.
func (p *play) listen(t *testing.T, l *Listener, length int) (*played, error) {
	t.Helper()
	out := &played{prompts: make([][]float64, 2)}
	p.each(length, func(b *bars.Block, score, closes [][]float64, columns [][][]float64, price [][]float64) {
		opinions, err := l.Next(b, score, closes, columns, price)
		if err != nil {
			t.Fatal(err)
		}
		if out.opinions == nil {
			out.opinions = make([][][]float64, len(opinions))
			for v := range opinions {
				out.opinions[v] = make([][]float64, len(opinions[v]))
			}
		}
		for v := range opinions {
			for i, x := range opinions[v] {
				out.opinions[v][i] = append(out.opinions[v][i], x...)
			}
		}
		if opinions != nil {
			for i, x := range l.Prompts() {
				out.prompts[i] = append(out.prompts[i], x...)
			}
		}
	})
	var err error
	out.said, out.forward, err = l.Close()
	return out, err
}

func (p *play) listener(t *testing.T, ask bool) *Listener {
	t.Helper()
	l, err := Listen(p.study, p.grid, p.span, p.shown, ask)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// fill writes the entries of all calls; an empty answer leaves one out.
func (p *play) fill(t *testing.T, answer func(model int, q llm.Question) string) {
	t.Helper()
	asked, err := p.listen(t, p.listener(t, false), len(p.close))
	if err != nil {
		t.Fatal(err)
	}
	calls, err := asked.said.Config.Calls(asked.said.Questions)
	if err != nil {
		t.Fatal(err)
	}
	cache := llm.OpenCache(p.study.Signals.LLM.CacheDir())
	for m := range calls {
		for q, call := range calls[m] {
			text := answer(m, asked.said.Questions[q])
			if text == "" {
				continue
			}
			e := &llm.Entry{
				Key: call.Key(), Model: call.Model, Asked: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Request: call.Body(),
				Exchanges: []llm.Exchange{{ResponseFormat: call.ResponseFormat, Text: text, Finish: "stop", Usage: llm.Usage{Prompt: 400, Complete: 50}, LatencyMS: float64(1000 + q)}},
			}
			if a, err := llm.ParseAnswer(text); err == nil {
				e.Answer = &a
			} else {
				e.Invalid = err.Error()
			}
			if err := cache.Put(e); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// follows is a model that goes the composite's way, or against it.
func follows(model int, q llm.Question) string {
	if (q.Summary.Composite > 0) == (model == 0) {
		return `{"action": "long", "confidence": 0.6, "position_size": 0.8, "reasoning": "up"}`
	}
	return `{"action": "short", "confidence": 0.55, "position_size": -1, "reasoning": "down"}`
}

func same(a, b float64) bool {
	return math.Float64bits(a) == math.Float64bits(b) || math.IsNaN(a) && math.IsNaN(b)
}
