package opinions

import (
	"fmt"

	"github.com/qf-dev/qf/backtest/evaluate"
	"github.com/qf-dev/qf/signals/llm"
)

// otherForm reads what the cache has of the same questions with anonymized prompts where the study's are
// plain, and the other way round; nil where it has nothing, or where the templates make no such form.
func (in *Input) otherForm() (*llm.Opinions, error) {
	o, l := in.Opinions, in.Study.Signals.LLM
	cfg := o.Config
	cfg.Anonymize = !cfg.Anonymize
	if _, err := cfg.Calls(o.Questions); err != nil {
		return nil, nil // the templates name what anonymized prompts must not
	}
	other, err := llm.Read(llm.OpenCache(l.CacheDir()), cfg, o.Questions)
	if err != nil {
		return nil, fmt.Errorf("signals.llm: %w", err)
	}
	for m := range other.Replies {
		for q, reply := range other.Replies[m] {
			if reply.State != llm.Missing && reply.Key != o.Replies[m][q].Key {
				return other, nil
			}
		}
	}
	return nil, nil
}

// pairedRows compare the answers to both forms of prompts; there are none where the cache has one form alone.
func (in *Input) pairedRows(other *llm.Opinions) []PairedRow {
	rows := []PairedRow{}
	if other == nil {
		return rows
	}
	plain, anonymized := in.Opinions, other
	if plain.Config.Anonymize {
		plain, anonymized = anonymized, plain
	}
	for m, model := range plain.Config.Models {
		if pairs := join(in.outcomes(plain, m), in.outcomes(anonymized, m)); len(pairs) > 0 {
			rows = append(rows, pairedRow(model.Name, pairs))
		}
	}
	return rows
}

// pair is a question that was answered validly in both forms.
type pair struct{ plain, anonymized outcome }

// join pairs answers by their question; both lists are in its order.
func join(plain, anonymized []outcome) []pair {
	var out []pair
	for k := 0; len(plain) > 0 && k < len(anonymized); {
		switch a, b := plain[0], anonymized[k]; {
		case a.question < b.question:
			plain = plain[1:]
		case a.question > b.question:
			k++
		default:
			out = append(out, pair{a, b})
			plain = plain[1:]
			k++
		}
	}
	return out
}

func pairedRow(model string, pairs []pair) PairedRow {
	row := PairedRow{Model: model, N: len(pairs)}
	var same float64
	all, both := differences{}, differences{}
	for _, p := range pairs {
		if p.plain.side == p.anonymized.side {
			same++
		}
		all.add(p.plain, p.plain.gain(), p.anonymized.gain())
		if p.plain.side != 0 && p.anonymized.side != 0 {
			both.add(p.plain, share(p.plain.hit()), share(p.anonymized.hit()))
		}
	}
	row.SameAction = evaluate.Figure(same / float64(row.N))
	row.HitRatePlain, row.HitRateAnonymized, row.HitRateDifference, row.HitRateT = both.figures()
	row.MeanReturnPlain, row.MeanReturnAnonymized, row.MeanReturnDifference, row.MeanReturnT = all.figures()
	why := reasons{}
	for key, f := range map[string]*evaluate.Figure{
		"hit_rate_plain": &row.HitRatePlain, "hit_rate_anonymized": &row.HitRateAnonymized, "hit_rate_difference": &row.HitRateDifference,
	} {
		why.null(key, f, "no question has both answers take a side")
	}
	why.null("hit_rate_t", &row.HitRateT, oneTime)
	why.null("mean_return_t", &row.MeanReturnT, oneTime)
	row.Reasons = why.given()
	return row
}

// differences collects a figure of plain and anonymized answers.
type differences struct {
	list              []outcome // forward holds the difference
	plain, anonymized float64
}

func (d *differences) add(at outcome, plain, anonymized float64) {
	at.forward = plain - anonymized
	d.list = append(d.list, at)
	d.plain += plain
	d.anonymized += anonymized
}

// figures are both means, their difference and its t.
func (d *differences) figures() (plain, anonymized, difference, t evaluate.Figure) {
	n := float64(len(d.list))
	plain, anonymized = evaluate.Figure(d.plain/n), evaluate.Figure(d.anonymized/n)
	return plain, anonymized, plain - anonymized, evaluate.Figure(timeT(d.list, func(a outcome) float64 { return a.forward }))
}
