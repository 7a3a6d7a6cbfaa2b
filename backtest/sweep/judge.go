package sweep

import (
	"math"

	"github.com/qf-dev/qf/backtest/evaluate"
	"github.com/qf-dev/qf/backtest/metrics"
	"github.com/qf-dev/qf/datasets"
)

// Judgement is what the best of a sweep is worth, given how many were tried. Everything is of the days on which all of its trials are
// known, and after costs; a figure is null where it cannot be computed.
type Judgement struct {
	Trials    int             `json:"trials"`     // with an outcome
	Days      int             `json:"days"`       // on which all of those that ever traded are known
	Effective evaluate.Figure `json:"effective"`  // number of independent trials that they amount to (metrics.Deflate)
	Expected  evaluate.Figure `json:"expected"`   // annual Sharpe ratio that the best of as many worthless trials is expected to show
	PSR       evaluate.Figure `json:"psr"`        // probability that the best's true Sharpe ratio is above 0
	DSR       evaluate.Figure `json:"dsr"`        // that it is above Expected: deflated
	PBO       evaluate.Figure `json:"pbo"`        // probability of backtest overfitting (metrics.CSCV)
	SPA       evaluate.Figure `json:"spa_p"`      // Hansen's p-value that the best earns nothing, the consistent one
	Reality   evaluate.Figure `json:"reality_p"`  // White's
	StepDown  evaluate.Figure `json:"stepdown_p"` // the best's, by Romano and Wolf
	Found     int             `json:"found"`      // trials whose step-down p-value is below 5 %
	Holm      evaluate.Figure `json:"ic_holm_p"`  // of the best's IC, over the trials
	FDR       evaluate.Figure `json:"ic_fdr_p"`   // by Benjamini and Yekutieli
}

// Blocks and draws of the judgement, as their authors use them.
const (
	cscvBlocks = 16
	draws      = 2000
)

// Judge judges the best at the objective.
func (r *Result) Judge() Judgement {
	null := evaluate.Figure(math.NaN())
	j := Judgement{Effective: null, Expected: null, PSR: null, DSR: null, PBO: null, SPA: null, Reality: null, StepDown: null, Holm: null, FDR: null}
	best := r.Best()
	j.Trials = len(best)
	if len(best) == 0 {
		return j
	}
	returns, places, _ := r.common(best)
	first := -1 // the best among returns
	for k, at := range places {
		if at == 0 {
			first = k
		}
	}
	if len(returns) > 0 {
		j.Days = len(returns[0])
	}
	if first >= 0 {
		ratios := make([]float64, len(returns))
		for k, x := range returns {
			ratios[k] = metrics.InferSharpe(x).Ratio
		}
		var pairs metrics.Correlations
		pairs.Within(returns)
		d := metrics.Deflate(ratios, pairs.Mean())
		s := metrics.InferSharpe(returns[first])
		j.Effective, j.Expected = evaluate.Figure(d.Effective), evaluate.Figure(d.Best*math.Sqrt(365))
		j.PSR, j.DSR = evaluate.Figure(s.Probabilistic(0)), evaluate.Figure(s.Deflated(d))
		blocks := cscvBlocks
		for blocks > 2 && j.Days < 4*blocks {
			blocks -= 2
		}
		if len(returns) > 1 && j.Days >= 2*blocks {
			j.PBO = evaluate.Figure(metrics.CSCV(returns, blocks).Probability)
		}
		spa := metrics.TestSuperiority(returns, draws, r.Base.Evaluation.Seed)
		j.SPA, j.Reality, j.StepDown = evaluate.Figure(spa.Value), evaluate.Figure(spa.Reality), evaluate.Figure(spa.StepDown[first])
		for _, p := range spa.StepDown {
			if p < 0.05 {
				j.Found++
			}
		}
	}
	p := make([]float64, len(best))
	for k, o := range best {
		p[k] = float64(o.IC.P)
	}
	j.Holm, j.FDR = evaluate.Figure(metrics.Holm(p)[0]), evaluate.Figure(metrics.BenjaminiYekutieli(p)[0])
	return j
}

// common gives the returns of the outcomes on the days that all of them know, their places among the outcomes, and the days. Outcomes that know
// fewer than half of the days stand aside.
func (r *Result) common(list []*Outcome) (returns [][]float64, places []int, days []datasets.Day) {
	known := func(o *Outcome) (n int) {
		for _, v := range o.Daily {
			if v == v {
				n++
			}
		}
		return n
	}
	var kept []*Outcome
	for k, o := range list {
		if 2*known(o) >= len(r.Days) {
			kept, places = append(kept, o), append(places, k)
		}
	}
	returns = make([][]float64, len(kept))
	for d := range r.Days {
		all := true
		for _, o := range kept {
			all = all && o.Daily[d] == o.Daily[d]
		}
		if !all {
			continue
		}
		days = append(days, r.Days[d])
		for k, o := range kept {
			returns[k] = append(returns[k], float64(o.Daily[d]))
		}
	}
	if len(returns) == 0 || len(days) == 0 {
		return nil, nil, nil
	}
	return returns, places, days
}
