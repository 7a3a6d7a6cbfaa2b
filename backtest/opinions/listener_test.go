package opinions

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets/bars"
	"github.com/qf-dev/qf/signals/llm"
)

var lengths = []int{1, 7, 64, 8192}

// definition is what a listener gives, worked out over whole columns. At each row each instrument that has a composite
// is asked about, unless a row of the same hour was before; an hour ends with its last label.
func (p *play) definition(t *testing.T) *played {
	t.Helper()
	out := &played{opinions: make([][][]float64, 3)}
	hour := 60 * minute
	var questions []llm.Question
	for row := p.span.Lo; row < p.span.Hi; row++ {
		for i, in := range p.grid.Instruments {
			before := false
			for s := p.span.Lo; s < row; s++ {
				before = before || (p.close[s]-1)/hour == (p.close[row]-1)/hour && !math.IsNaN(p.score[i][s])
			}
			if before || math.IsNaN(p.score[i][row]) {
				continue
			}
			questions = append(questions, llm.Question{Instrument: in, Row: row, Time: p.close[row], Close: p.closes[i][row], Summary: llm.Summary{
				Momentum1W: p.columns[0][i][row], Momentum1M: nan, Volatility: p.columns[1][i][row], Regime: nan, LiquidityScore: nan, FundingRate: nan,
				OrderFlowImbalance: p.columns[0][i][row], Composite: p.score[i][row],
			}})
			next := row
			for next < len(p.close) && p.close[next] < p.close[row]+hour {
				next++
			}
			d, r := p.study.Execution.Delay, nan
			if next+d < p.span.Hi {
				r = math.Log(p.price[i][next+d] / p.price[i][row+d])
			}
			out.forward = append(out.forward, r)
		}
	}
	cfg, err := p.study.Signals.LLM.Config()
	if err != nil {
		t.Fatal(err)
	}
	if out.said, err = llm.Read(llm.OpenCache(p.study.Signals.LLM.CacheDir()), cfg, questions); err != nil {
		t.Fatal(err)
	}
	joint := out.said.Ensemble()
	for _, in := range p.grid.Instruments {
		prompts := make([]float64, len(p.close))
		columns := [3][]float64{}
		now := [3]float64{nan, nan, nan}
		for row := range p.close {
			for q, question := range questions {
				if question.Row == row && question.Instrument == in {
					now = [3]float64{joint[q], out.said.Replies[0][q].Opinion, out.said.Replies[1][q].Opinion}
					digits, err := strconv.ParseUint(string(out.said.Replies[0][q].Key[:13]), 16, 64)
					if err != nil {
						t.Fatal(err)
					}
					prompts[row] = float64(digits)
				}
			}
			for v := range columns {
				columns[v] = append(columns[v], now[v])
			}
		}
		out.prompts = append(out.prompts, prompts)
		for v, x := range columns {
			out.opinions[v] = append(out.opinions[v], x)
		}
	}
	return out
}

func compare(t *testing.T, got, want *played) {
	t.Helper()
	for _, c := range []struct {
		what      string
		got, want any
	}{
		{"questions", got.said.Questions, want.said.Questions}, {"replies", got.said.Replies, want.said.Replies}, {"forward returns", got.forward, want.forward},
		{"opinions", got.opinions, want.opinions}, {"prompts", got.prompts, want.prompts},
	} {
		if diff := cmp.Diff(c.want, c.got, cmpopts.EquateNaNs()); diff != "" {
			t.Errorf("%s: %s", c.what, diff)
		}
	}
}

// Whatever the length of blocks, questions, opinions and forward returns are those of whole columns.
func TestListenerIsItsDefinition(t *testing.T) {
	for seed := range uint64(3) {
		p := newPlay(t, seed)
		p.fill(t, follows)
		want := p.definition(t)
		if n := len(want.said.Questions); n < 40 || n > 80 {
			t.Fatalf("%d questions in some 30 hours", n)
		}
		for _, length := range lengths {
			got, err := p.listen(t, p.listener(t, true), length)
			if err != nil {
				t.Fatal(err)
			}
			compare(t, got, want)
			silent, err := p.listen(t, p.listener(t, false), length)
			if err != nil || len(silent.opinions) > 0 || silent.said.Replies != nil {
				t.Fatalf("nobody is asked: %v, %v", silent, err)
			}
			if diff := cmp.Diff(want.said.Questions, silent.said.Questions, cmpopts.EquateNaNs()); diff != "" {
				t.Error(diff)
			}
		}
	}
}

// A prompt may show 0 where a value is missing.
func TestSummaryOfZeros(t *testing.T) {
	p := newPlay(t, 1)
	p.study.Signals.LLM.Summary.Missing = "zero"
	got, err := p.listen(t, p.listener(t, false), 7)
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range got.said.Questions {
		x := p.columns[1][slices.Index(p.grid.Instruments, q.Instrument)][q.Row]
		if math.IsNaN(x) {
			x = 0
		}
		if q.Summary.Momentum1M != 0 || q.Summary.Volatility != x {
			t.Errorf("%v shows %+v", q, q.Summary)
		}
	}
}

// What was said is found again by the prompt, up to the row from which on another future begins; a prompt that shows
// what came later has no answer.
func TestRecall(t *testing.T) {
	p := newPlay(t, 2)
	p.fill(t, follows)
	was := p.definition(t)
	const known = 300
	for _, length := range lengths {
		q := newPlay(t, 2)
		q.study.Signals.LLM.Cache = filepath.Join(t.TempDir(), "none")
		for i := range q.score {
			for row := known; row < len(q.close); row++ {
				q.score[i][row], q.columns[0][i][row] = 9e9, -9e9
			}
		}
		l := q.listener(t, true)
		l.Recall(was.said, known)
		got, err := q.listen(t, l, length)
		if err != nil {
			t.Fatal(err)
		}
		for i := range q.score {
			for row := range known {
				if !same(got.prompts[i][row], was.prompts[i][row]) {
					t.Fatalf("prompt of instrument %d at row %d: %v, want %v", i, row, got.prompts[i][row], was.prompts[i][row])
				}
				for v := range was.opinions {
					if !same(got.opinions[v][i][row], was.opinions[v][i][row]) {
						t.Fatalf("opinion %d of instrument %d at row %d: %v, want %v", v, i, row, got.opinions[v][i][row], was.opinions[v][i][row])
					}
				}
			}
		}
		if last := got.said.Questions[len(got.said.Questions)-1]; last.Row >= known {
			t.Errorf("%v is of row %d", last, last.Row)
		}
		q.columns[0][0] = slices.Repeat([]float64{0.5}, len(q.close)) // now prompts of BTCUSDT differ
		l = q.listener(t, true)
		l.Recall(was.said, known)
		if got, err = q.listen(t, l, length); err != nil {
			t.Fatal(err)
		}
		for k, question := range got.said.Questions {
			if missing := got.said.Replies[0][k].State == llm.Missing; missing != (question.Instrument.Symbol == "BTCUSDT") {
				t.Errorf("%v: missing is %v", question, missing)
			}
		}
	}
}

// A backtest does not run on answers that are missing or changed.
func TestListenerRefuses(t *testing.T) {
	p := newPlay(t, 3)
	left := ""
	p.fill(t, func(model int, q llm.Question) string {
		if left == "" && model == 1 {
			left = q.String()
			return ""
		}
		return follows(model, q)
	})
	if _, err := p.listen(t, p.listener(t, true), 64); err == nil || !strings.Contains(err.Error(), "signals.llm: 1 of ") || !strings.Contains(err.Error(), "not in the cache") {
		t.Errorf("an answer is missing: %v", err)
	}
	p.study.Signals.LLM.OnMissing = study.MissingNeutral
	got, err := p.listen(t, p.listener(t, true), 64)
	if err != nil {
		t.Fatal(err)
	}
	if w := Unanswered(got.said); len(w) != 1 || !strings.Contains(w[0].Error(), "1 of "+strconv.Itoa(len(got.said.Questions))+" answers of b") {
		t.Errorf("warnings %v", w)
	}
	files, err := filepath.Glob(filepath.Join(p.study.Signals.LLM.CacheDir(), "*", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	text, err := os.ReadFile(files[5])
	if err != nil {
		t.Fatal(err)
	}
	text[len(text)/2] ^= 1
	if err := os.WriteFile(files[5], text, 0o666); err != nil {
		t.Fatal(err)
	}
	l := p.listener(t, true)
	var first error
	p.each(64, func(b *bars.Block, score, closes [][]float64, columns [][][]float64, price [][]float64) {
		if first == nil {
			_, first = l.Next(b, score, closes, columns, price)
		}
	})
	if first == nil || !strings.Contains(first.Error(), filepath.Base(files[5])) {
		t.Errorf("a file was changed: %v", first)
	}
}

// Without any composite nobody is asked, and that is said.
func TestNoComposite(t *testing.T) {
	p := newPlay(t, 4)
	for _, x := range p.score {
		for row := range x {
			x[row] = nan
		}
	}
	got, err := p.listen(t, p.listener(t, true), 7)
	if err != nil {
		t.Fatal(err)
	}
	for _, columns := range got.opinions {
		for _, x := range columns {
			if len(x) != len(p.close) || slices.ContainsFunc(x, func(v float64) bool { return !math.IsNaN(v) }) {
				t.Errorf("opinions %v", x)
			}
		}
	}
	if w := Unanswered(got.said); len(w) != 1 || !strings.Contains(w[0].Error(), "no bar has a composite") {
		t.Errorf("warnings %v", w)
	}
}

// The forward return runs from the fill of the decision, delay bars later, to that of a decision a cadence
// later: at 1-minute bars, delay 2 and cadence 3 minutes from row t+2 to row t+5.
func TestForwardOfACadence(t *testing.T) {
	open := []float64{100, 101, 102, 103, 104, 105, nan, 107, 108, 109}
	want := []float64{math.Log(105.0 / 102), nan, math.Log(107.0 / 104), math.Log(108.0 / 105), nan, nan}
	for _, length := range []int{1, 2, 3, 10} {
		f := &forwardReturns{cadence: 3 * minute, delay: 2, end: 9}
		for lo := 0; lo < len(open); lo += length {
			b := &bars.Block{Lo: lo, Hi: min(lo+length, len(open))}
			for t := b.Lo; t < b.Hi; t++ {
				b.Close = append(b.Close, int64(t+1)*minute)
				if t < len(want) {
					f.ask(0, t, int64(t+1)*minute)
				}
			}
			f.next(b, [][]float64{open[b.Lo:b.Hi]})
		}
		for row, w := range want {
			if got := f.returns[row]; !same(got, w) {
				t.Errorf("blocks of %d: from row %d: %v, want %v", length, row, got, w)
			}
		}
	}
}

func TestNames(t *testing.T) {
	if got := Names([]llm.Model{{Name: "a"}, {Name: "b"}}); !slices.Equal(got, []string{"llm", "llm:a", "llm:b"}) {
		t.Errorf("%v", got)
	}
}
