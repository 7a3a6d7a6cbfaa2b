package llm

import (
	"errors"
	"fmt"
)

// Calls renders the questions for every model: by model, then question. A rendered prompt that holds
// a date later than its bar or, under Anonymize, the symbol, the exchange, a date or a price of the
// span is an error that names the question, what was found and the template.
func (c Config) Calls(questions []Question) ([][]Call, error) {
	prompts := c.Prompts
	if prompts == nil {
		prompts = standardPrompts()
	}
	audit := newAudit(questions, c.Anonymize)
	calls := make([][]Call, len(c.Models))
	for m := range calls {
		calls[m] = make([]Call, len(questions))
	}
	var errs []error
	for i, q := range questions {
		v := q.view(c.Anonymize)
		messages, err := prompts.messages(v)
		if err != nil {
			return nil, fmt.Errorf("prompt for %s: %w", q, err)
		}
		if err := audit.check(q, v, messages); err != nil {
			errs = append(errs, err)
		}
		for m, model := range c.Models {
			calls[m][i] = Call{model.Name, messages, c.Temperature, c.MaxTokens, c.Seed, c.ResponseFormat}
		}
	}
	if len(errs) > 1 {
		return nil, fmt.Errorf("%w (and %d prompts more)", errs[0], len(errs)-1)
	}
	return calls, errors.Join(errs...)
}
