package llm

import (
	"errors"
	"fmt"
)

// Calls renders the questions for every model: by model, then question. A rendered prompt that holds
// a date later than its bar or, under Anonymize, the symbol, the exchange, a date or a price of the
// span is an error that names the question, what was found and the template.
func (c Config) Calls(questions []Question) ([][]Call, error) {
	audit := newAudit(questions, c.Anonymize)
	calls := make([][]Call, len(c.Models))
	for m := range calls {
		calls[m] = make([]Call, len(questions))
	}
	var found findings
	for i, q := range questions {
		v, messages, err := c.prompt(q)
		if err != nil {
			return nil, err
		}
		found.add(audit.check(q, v, messages))
		for m := range calls {
			calls[m][i] = c.call(m, messages)
		}
	}
	return calls, found.err()
}

// prompt renders the messages of a question, and gives what the templates saw.
func (c Config) prompt(q Question) (view, []Message, error) {
	prompts := c.Prompts
	if prompts == nil {
		prompts = standardPrompts()
	}
	v := q.view(c.Anonymize)
	messages, err := prompts.messages(v)
	if err != nil {
		return v, nil, fmt.Errorf("prompt for %s: %w", q, err)
	}
	return v, messages, nil
}

// call puts messages to model m.
func (c Config) call(m int, messages []Message) Call {
	return Call{c.Models[m].Name, messages, c.Temperature, c.MaxTokens, c.Seed, c.ResponseFormat, c.Models[m].Params}
}

// findings are what prompts show that they may not.
type findings []error

func (f *findings) add(err error) {
	if err != nil {
		*f = append(*f, err)
	}
}

// err is the first of them, and how many there are.
func (f findings) err() error {
	if len(f) > 1 {
		return fmt.Errorf("%w (and %d prompts more)", f[0], len(f)-1)
	}
	return errors.Join(f...)
}
