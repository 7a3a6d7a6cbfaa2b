package opinions

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"

	"github.com/qf-dev/qf/backtest/evaluate"
	"github.com/qf-dev/qf/backtest/metrics"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/signals/llm"
)

// Periods of a CutoffRow.
const (
	before = "before"
	after  = "after"
)

// cutAt divides answers by the time of the question: before are those asked up to the first instant that the model cannot
// have read about.
func cutAt(list []outcome, cutoff datasets.Day) (early, late []outcome) {
	for _, a := range list {
		if a.time <= cutoff.Start() {
			early = append(early, a)
		} else {
			late = append(late, a)
		}
	}
	return early, late
}

// cutoffRows say how a model did before and after its knowledge cut-off.
func cutoffRows(model llm.Model, list []outcome, instruments int) []CutoffRow {
	early, late := cutAt(list, model.KnowledgeCutoff)
	var rows []CutoffRow
	for _, part := range []struct {
		period string
		list   []outcome
	}{{before, early}, {after, late}} {
		s := scoreOf(sides(part.list))
		row := CutoffRow{
			Model: model.Name, Cutoff: model.KnowledgeCutoff.String(), Period: part.period, N: s.n,
			HitRate: evaluate.Figure(s.hits), IC: evaluate.Figure(opinionIC(part.list, instruments)), Brier: evaluate.Figure(s.brier), MeanReturn: evaluate.Figure(s.meanReturn),
		}
		why := reasons{}
		why.null("hit_rate", &row.HitRate, noSides)
		why.null("brier", &row.Brier, noSides)
		why.null("mean_return", &row.MeanReturn, noSides)
		why.null("ic", &row.IC, "fewer than 3 answers to an instrument, or all the same")
		row.Reasons = why.given()
		rows = append(rows, row)
	}
	return rows
}

// opinionIC is the n-weighted mean over instruments of the Pearson correlation of opinion and forward return.
func opinionIC(list []outcome, instruments int) float64 {
	var sum, n float64
	for i := range instruments {
		var x, y []float64
		for _, a := range list {
			if a.instrument == i {
				x, y = append(x, a.opinion), append(y, a.forward)
			}
		}
		if ic := metrics.Pearson(x, y); !math.IsNaN(ic) {
			sum += float64(ic * float64(len(x)))
			n += float64(len(x))
		}
	}
	return sum / n
}

// contaminationLevel is the p-value below which a model is called contaminated.
const contaminationLevel = 0.0025

const permutations = 3999

// contamination tests whether a model did better before its knowledge cut-off than after it. An answer that
// takes a side scores 1 where the forward return lies on that side of the median of its period and
// instrument, −1 on the other: always going long in a market that rose earns nothing. With x̄ the mean over the
// times of asking of the mean score at each,
//
//	p = (1 + #{permutations of the times with x̄_before − x̄_after as large}) / (1 + 3999)
//
// which is exact where times of asking are exchangeable, whatever the distribution. NaN where either side has no
// score.
//
// The level is 0.0025 and not 0.01, so that an honest model whose hits come in runs, since what it follows does, is
// accused in fewer than 1 % of cases, too: that holds as long as runs do not multiply the variance of x̄ by more
// than 1.45. Of 2000 simulated honest models of each of seven kinds 0 to 0.25 % are accused; of those that know the
// 45 days before a cut-off that 45 days follow, 98 to 100 % are.
func contamination(early, late []outcome) float64 {
	x := medianScores(early)
	n := len(x)
	x = append(x, medianScores(late)...)
	if n == 0 || n == len(x) {
		return math.NaN()
	}
	// The difference of the means grows with the sum before.
	least := metrics.Sum(x[:n]) - 1e-9
	r := rand.New(rand.NewPCG(1, 0))
	count := 1
	for range permutations {
		for k := range n { // the first n of a shuffle
			j := k + r.IntN(len(x)-k)
			x[k], x[j] = x[j], x[k]
		}
		if metrics.Sum(x[:n]) >= least {
			count++
		}
	}
	return float64(count) / (permutations + 1)
}

// medianScores are the mean scores by time of asking of contamination's answers.
func medianScores(list []outcome) []float64 {
	medians := map[int]float64{}
	for _, a := range list {
		if _, ok := medians[a.instrument]; !ok {
			var x []float64
			for _, b := range list {
				if b.instrument == a.instrument {
					x = append(x, b.forward)
				}
			}
			medians[a.instrument] = metrics.Quantile(x, 0.5)
		}
	}
	return byTime(sides(list), func(a outcome) float64 {
		switch x := a.side * (a.forward - medians[a.instrument]); {
		case x > 0:
			return 1
		case x < 0:
			return -1
		}
		return 0
	})
}

// verdict says whether a model may have known the span.
func (in *Input) verdict(model llm.Model, list []outcome) ModelVerdict {
	v := ModelVerdict{Model: model.Name, Windows: []string{}, P: null}
	if model.KnowledgeCutoff == 0 {
		v.Verdict = UnknownCutoff
		v.Text = "the study gives no knowledge_cutoff: whether the model has read about this time is not known"
		v.Reasons = map[string]string{"p": "no knowledge_cutoff is given"}
		return v
	}
	v.Cutoff = model.KnowledgeCutoff.String()
	cutoff := model.KnowledgeCutoff.Start()
	if in.Span.From >= cutoff {
		v.Verdict = Clean
		v.Text = fmt.Sprintf("the span begins at the knowledge cut-off %s or after it", v.Cutoff)
		v.Reasons = map[string]string{"p": "nothing lies before the cut-off"}
		return v
	}
	v.Verdict = Overlaps
	v.Windows = append(v.Windows, evaluate.All)
	for _, w := range in.Windows {
		if len(in.Windows) > 1 && w.From < cutoff {
			v.Windows = append(v.Windows, strconv.Itoa(w.Index))
		}
	}
	early, late := cutAt(list, model.KnowledgeCutoff)
	b, a := scoreOf(sides(early)), scoreOf(sides(late))
	if v.P = evaluate.Figure(contamination(early, late)); math.IsNaN(float64(v.P)) {
		v.Text = fmt.Sprintf("the model may have read about what lies before its knowledge cut-off %s: no answer on one of its sides to compare with", v.Cutoff)
		v.Reasons = map[string]string{"p": "before or after the cut-off no answer takes a side"}
		return v
	}
	found := fmt.Sprintf("right on %.0f %% of %d before its knowledge cut-off %s and on %.0f %% of %d after it (p %.4f)",
		100*b.hits, b.n, v.Cutoff, 100*a.hits, a.n, float64(v.P))
	if v.P <= contaminationLevel {
		v.Verdict = Contaminated
		v.Text = found + ": it knew what was to come; believe what lies after the cut-off alone"
	} else {
		v.Text = found + ": it may have read about the time before, and that does not show"
	}
	return v
}
