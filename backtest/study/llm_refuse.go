package study

import (
	"fmt"
	"math"
	"strconv"

	"github.com/qf-dev/qf/signals/llm"
)

// Refuses says why a backtest does not run on what the cache holds: answers are missing, or too many of a
// model's are invalid. It is nil where it runs.
func (l *LLMConfig) Refuses(o *llm.Opinions) error {
	if missing := o.Missing(); missing.Calls > 0 && l.OnMissing == MissingFails {
		return fmt.Errorf("signals.llm: %d of %d answers are %w %s: qf signals fill --config %s asks for them (%s)",
			missing.Calls, len(o.Questions)*len(o.Config.Models), llm.ErrMissing, l.CacheDir(), l.file, dollars("for at most", missing.USD))
	}
	for k, m := range o.Config.Models {
		if b := o.Billed(k); float64(b.Invalid) > l.MaxInvalid*float64(b.Calls) {
			return fmt.Errorf("signals.llm: %d of %d answers of %s are invalid, more than max_invalid %v: qf signals verify --config %s shows them",
				b.Invalid, b.Calls, m.Name, l.MaxInvalid, l.file)
		}
	}
	return nil
}

// dollars writes a cost that may not be known.
func dollars(words string, usd float64) string {
	if math.IsNaN(usd) {
		return "a price is not known: input_usd and output_usd of the model give it"
	}
	return words + " " + strconv.FormatFloat(usd, 'f', 4, 64) + " USD"
}
