package opinions

import "github.com/qf-dev/qf/backtest/evaluate"

// calibrationRow compares what a model believed with what came of it over a cadence.
func calibrationRow(model, cadence string, list []outcome) CalibrationRow {
	taken := sides(list)
	s := scoreOf(taken)
	row := CalibrationRow{
		Model: model, Horizon: cadence, N: s.n, Neutral: len(list) - s.n,
		Confidence: evaluate.Figure(s.confidence), HitRate: evaluate.Figure(s.hits), Brier: evaluate.Figure(s.brier), BrierSkill: evaluate.Figure(1 - s.brier/(s.hits*(1-s.hits))),
		MeanReturn: evaluate.Figure(s.meanReturn), T: evaluate.Figure(timeT(taken, outcome.gain)),
	}
	why := reasons{}
	if s.n == 0 {
		why.all(noSides, "confidence", "hit_rate", "brier", "brier_skill", "mean_return", "t")
	}
	why.null("brier_skill", &row.BrierSkill, "every answer was right, or none")
	why.null("t", &row.T, oneTime)
	row.Reasons = why.given()
	return row
}

const reliabilityBins = 10

// reliabilityRows cut the answers that take a side by their confidence.
func reliabilityRows(model string, list []outcome) []ReliabilityRow {
	bins := make([][]outcome, reliabilityBins)
	for _, a := range sides(list) {
		k := min(int(a.confidence*reliabilityBins), reliabilityBins-1)
		bins[k] = append(bins[k], a)
	}
	var rows []ReliabilityRow
	for k, bin := range bins {
		s := scoreOf(bin)
		row := ReliabilityRow{
			Model: model, Bin: k + 1, From: float64(k) / reliabilityBins, To: float64(k+1) / reliabilityBins,
			N: s.n, Confidence: evaluate.Figure(s.confidence), HitRate: evaluate.Figure(s.hits),
		}
		if s.n == 0 {
			const why = "no answer has such a confidence"
			row.Reasons = map[string]string{"confidence": why, "hit_rate": why}
		}
		rows = append(rows, row)
	}
	return rows
}
