package evaluate

import (
	"math"

	"github.com/qf-dev/qf/backtest/metrics"
	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets"
)

// Trials is what remains of a run once it is known how many were tried. Ratios are per year.
type Trials struct {
	Count       int    `json:"count"`                // trials that the run is judged beside, itself among them
	Correlation Figure `json:"mean_correlation"`     // of their daily returns, over pairs of trials
	Effective   Figure `json:"effective"`            // independent trials that they amount to
	Spread      Figure `json:"sharpe_std"`           // standard deviation of their Sharpe ratios
	Expected    Figure `json:"expected_best_sharpe"` // Sharpe ratio that the best of as many worthless trials is expected to show
	DSR         Figure `json:"dsr"`                  // probability that the run's true ratio is above that

	Compared int    `json:"compared"` // trials that know the same days: what follows is about these
	Rank     int    `json:"rank"`     // of the run among them by Sharpe ratio, 1 the best
	Best     Figure `json:"best_sharpe"`
	PBO      Figure `json:"pbo"` // probability of backtest overfitting; see metrics.CSCV
	Slope    Figure `json:"pbo_slope"`
	Loss     Figure `json:"pbo_loss"`
	Blocks   int    `json:"pbo_blocks"`

	// p-values that the best earns nothing, given that it was picked; see metrics.TestSuperiority.
	SPALower Figure   `json:"spa_p_lower"`
	SPA      Figure   `json:"spa_p"`
	SPAUpper Figure   `json:"spa_p_upper"`
	Reality  Figure   `json:"reality_check_p"`
	Length   Figure   `json:"mean_block_days"` // of their bootstrap
	Logits   []Figure `json:"-"`               // of metrics.CSCV

	// p-values that the run earns nothing: alone, and adjusted for the trials that it is compared with.
	Alone    Figure `json:"p"` // 1 − psr
	StepDown Figure `json:"p_romano_wolf"`
	Holm     Figure `json:"p_holm"`
	BH       Figure `json:"p_benjamini_hochberg"`
	BY       Figure `json:"p_benjamini_yekutieli"`

	Reasons map[string]string `json:"reasons,omitempty"` // why a figure is null, by its key
}

// Deflate says what the best of the trials has to beat on some days, ascending. It is nil where trials are not counted, which
// judges a run as the only one.
type Deflate func(days []datasets.Day) metrics.Deflation

// Judge judges a run, the own-th of those that are compared, beside all trials: d sums all of them up over the run's days, and
// compared are the daily returns of those that know these days.
func Judge(d metrics.Deflation, compared [][]float64, own int, e study.EvaluationConfig) Trials {
	year := math.Sqrt(daysPerYear)
	t := Trials{
		Count: d.Trials, Compared: len(compared), Correlation: Figure(d.Correlation), Effective: Figure(d.Effective),
		Spread: Figure(math.Sqrt(d.Variance) * year), Expected: Figure(d.Best * year), Best: null,
	}
	ratios, alone := make([]float64, len(compared)), make([]float64, len(compared))
	for k, r := range compared {
		s := metrics.InferSharpe(r)
		ratios[k] = s.Ratio
		alone[k] = 1 - s.Probabilistic(0)
		if !(float64(t.Best) >= s.Ratio*year) && metrics.Defined(s.Ratio) {
			t.Best = Figure(s.Ratio * year)
		}
	}
	t.Rank = 1
	for _, r := range ratios {
		if r > ratios[own] {
			t.Rank++
		}
	}
	t.DSR = Figure(metrics.InferSharpe(compared[own]).Deflated(d))
	t.Alone = Figure(alone[own])
	t.Holm = Figure(metrics.Holm(alone)[own])
	t.BH = Figure(metrics.BenjaminiHochberg(alone)[own])
	t.BY = Figure(metrics.BenjaminiYekutieli(alone)[own])
	days := len(compared[own])
	t.overfit(compared, days)
	s := metrics.TestSuperiority(compared, e.Bootstrap, e.Seed)
	t.SPALower, t.SPA, t.SPAUpper, t.Reality = Figure(s.Lower), Figure(s.Value), Figure(s.Upper), Figure(s.Reality)
	t.Length, t.StepDown = Figure(s.Block), Figure(s.StepDown[own])
	t.explain(days, e)
	return t
}

// maxBlocks are the blocks of metrics.CSCV, 924 halvings; fewer where a block would be shorter than four days.
const maxBlocks = 12

func (t *Trials) overfit(compared [][]float64, days int) {
	t.PBO, t.Slope, t.Loss = null, null, null
	t.Blocks = min(maxBlocks, days/8*2)
	if t.Blocks < 4 || len(compared) < 2 {
		t.Blocks = 0
		return
	}
	o := metrics.CSCV(compared, t.Blocks)
	t.PBO, t.Slope, t.Loss = Figure(o.Probability), Figure(o.Slope), Figure(o.Loss)
	for _, l := range o.Logits {
		t.Logits = append(t.Logits, Figure(l))
	}
}

// explain says why figures are null.
func (t *Trials) explain(days int, e study.EvaluationConfig) {
	idle := sameReturn
	if days < 2 {
		idle = fewDays
	}
	resampled := idle
	switch {
	case e.Bootstrap == 0:
		resampled = "bootstrap is off"
	case days < minBootstrapDays:
		resampled = "fewer than 10 days"
	}
	halved := "the best is the same in every half"
	switch {
	case t.Compared < 2:
		halved = "no other trial knows the same days"
	case t.Blocks == 0:
		halved = "fewer than 16 days"
	}
	for _, f := range []struct {
		key, why string
		v        Figure
	}{
		{"mean_correlation", "no two trials vary over ten days or more that both know", t.Correlation},
		{"sharpe_std", "fewer than two trials have a Sharpe ratio", t.Spread},
		{"dsr", idle, t.DSR}, {"best_sharpe", idle, t.Best}, {"p", idle, t.Alone}, {"p_holm", idle, t.Holm},
		{"p_benjamini_hochberg", idle, t.BH}, {"p_benjamini_yekutieli", idle, t.BY},
		{"pbo", halved, t.PBO}, {"pbo_slope", halved, t.Slope}, {"pbo_loss", halved, t.Loss},
		{"spa_p_lower", resampled, t.SPALower}, {"spa_p", resampled, t.SPA}, {"spa_p_upper", resampled, t.SPAUpper},
		{"reality_check_p", resampled, t.Reality}, {"mean_block_days", resampled, t.Length}, {"p_romano_wolf", resampled, t.StepDown},
	} {
		if !metrics.Defined(float64(f.v)) {
			say(&t.Reasons, f.key, f.why)
		}
	}
}
