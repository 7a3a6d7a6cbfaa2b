package opinions

import (
	"math"
	"slices"

	"github.com/qf-dev/qf/backtest/evaluate"
	"github.com/qf-dev/qf/backtest/metrics"
	"github.com/qf-dev/qf/signals/llm"
)

// agreement sums up how far the models say the same.
func agreement(o *llm.Opinions) AgreementSummary {
	shares := slices.DeleteFunc(o.Agreement(), math.IsNaN)
	s := AgreementSummary{Questions: len(shares), Mean: evaluate.Figure(metrics.Mean(shares)), Pairs: []AgreementRow{}}
	for q, share := range o.Agreement() {
		if math.IsNaN(share) {
			continue
		}
		if share == 1 {
			s.Unanimous++
		}
		if opposed(o, q) {
			s.Opposed++
		}
	}
	s.Unanimous /= evaluate.Figure(s.Questions)
	s.Opposed /= evaluate.Figure(s.Questions)
	why := reasons{}
	for key, f := range map[string]*evaluate.Figure{"mean": &s.Mean, "unanimous": &s.Unanimous, "opposed": &s.Opposed} {
		why.null(key, f, "no question has valid answers of two models")
	}
	s.Reasons = why.given()
	for a := range o.Replies {
		for b := a + 1; b < len(o.Replies); b++ {
			s.Pairs = append(s.Pairs, agreementRow(o, a, b))
		}
	}
	return s
}

// opposed reports whether one model said long and another short.
func opposed(o *llm.Opinions, q int) bool {
	said := map[string]bool{}
	for m := range o.Replies {
		if reply := o.Replies[m][q]; reply.State == llm.Valid {
			said[reply.Answer.Action] = true
		}
	}
	return said["long"] && said["short"]
}

func agreementRow(o *llm.Opinions, a, b int) AgreementRow {
	row := AgreementRow{Model: o.Config.Models[a].Name, Other: o.Config.Models[b].Name}
	var x, y []float64
	same := 0
	for q := range o.Questions {
		one, other := o.Replies[a][q], o.Replies[b][q]
		if one.State != llm.Valid || other.State != llm.Valid {
			continue
		}
		x, y = append(x, one.Opinion), append(y, other.Opinion)
		if one.Answer.Action == other.Answer.Action {
			same++
		}
	}
	row.N = len(x)
	row.Same, row.Correlation = evaluate.Figure(float64(same)/float64(len(x))), evaluate.Figure(metrics.Pearson(x, y))
	why := reasons{}
	why.null("same_action", &row.Same, "no question has valid answers of both")
	why.null("correlation", &row.Correlation, "fewer than 3 such questions, or one of them always says the same")
	row.Reasons = why.given()
	return row
}
