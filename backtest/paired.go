package backtest

import (
	"fmt"

	"github.com/qf-dev/qf/signals/llm"
)

// otherForm reads what the cache has of the same questions with anonymized prompts where the study's are
// plain, and the other way round; nil where it has nothing, or where the templates make no such form.
func (r *Result) otherForm() (*llm.Opinions, error) {
	o, l := r.Models.Opinions, r.Study.Signals.LLM
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

// pairedRows compare the answers to both forms of prompts; without rows where the cache has one form alone.
func (r *Result) pairedRows() []PairedRow {
	rows := []PairedRow{}
	if r.Models.other == nil {
		return rows
	}
	plain, anonymized := r.Models.Opinions, r.Models.other
	if plain.Config.Anonymize {
		plain, anonymized = anonymized, plain
	}
	for m, model := range plain.Config.Models {
		if pairs := join(r.told(plain, m), r.told(anonymized, m)); len(pairs) > 0 {
			rows = append(rows, pairedRow(model.Name, pairs))
		}
	}
	return rows
}

// pair is a question that was answered validly in both forms.
type pair struct{ plain, anonymized told }

// join pairs answers by their question; both lists are in its order.
func join(plain, anonymized []told) []pair {
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
		all.add(p.plain, p.plain.side*p.plain.forward, p.anonymized.side*p.anonymized.forward)
		if p.plain.side != 0 && p.anonymized.side != 0 {
			both.add(p.plain, share(p.plain.hit()), share(p.anonymized.hit()))
		}
	}
	row.SameAction = Figure(same / float64(row.N))
	row.HitRatePlain, row.HitRateAnonymized, row.HitRateDifference, row.HitRateT = both.figures()
	row.MeanReturnPlain, row.MeanReturnAnonymized, row.MeanReturnDifference, row.MeanReturnT = all.figures()
	why := reasons{}
	for key, f := range map[string]*Figure{
		"hit_rate_plain": &row.HitRatePlain, "hit_rate_anonymized": &row.HitRateAnonymized, "hit_rate_difference": &row.HitRateDifference,
	} {
		why.null(key, f, "no question has both answers take a side")
	}
	why.null("hit_rate_t", &row.HitRateT, oneTime)
	why.null("mean_return_t", &row.MeanReturnT, oneTime)
	row.Reasons = why.given()
	return row
}

func share(hit bool) float64 {
	if hit {
		return 1
	}
	return 0
}

// differences collects a figure of plain and anonymized answers.
type differences struct {
	list              []told // forward holds the difference
	plain, anonymized float64
}

func (d *differences) add(at told, plain, anonymized float64) {
	at.forward = plain - anonymized
	d.list = append(d.list, at)
	d.plain += plain
	d.anonymized += anonymized
}

// figures are both means, their difference and its t.
func (d *differences) figures() (plain, anonymized, difference, t Figure) {
	n := float64(len(d.list))
	plain, anonymized = Figure(d.plain/n), Figure(d.anonymized/n)
	return plain, anonymized, plain - anonymized, Figure(timeT(d.list, func(a told) float64 { return a.forward }))
}
