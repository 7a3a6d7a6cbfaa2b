package llm

import (
	_ "embed"
	"errors"
	"fmt"
	"strings"
	"sync"
	"text/template"
	"time"
)

//go:embed prompts/system.tmpl
var defaultSystem string

//go:embed prompts/user.tmpl
var defaultUser string

// Prompts are the two templates of a study (text/template). Both see
//
//	.Asset     the symbol, or "the asset" under Anonymize
//	.Time      the bar's label, as 2024-01-05T00:00:00Z; empty under Anonymize
//	.Price     the bar's close; empty under Anonymize
//	.Summary   all of this and the factors as a JSON object
//	.Factors   each value as a text, null where it is missing, by its name in the JSON object:
//	           momentum_1w, momentum_1m, volatility, regime, liquidity_score, funding_rate,
//	           order_flow_imbalance, composite
type Prompts struct{ system, user *template.Template }

// maxPrompt bounds a rendered template.
const maxPrompt = 256 << 10

// ParsePrompts reads the two templates; an empty text is the default's. Both are tried on a sample,
// so that what a template gets wrong is said here.
func ParsePrompts(system, user string) (*Prompts, error) {
	var errs []error
	parse := func(name, text, standard string) *template.Template {
		if text == "" {
			text = standard
		}
		t, err := template.New(name).Option("missingkey=error").Parse(text)
		if err == nil {
			_, err = render(t, sampleView())
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s prompt: %s", name, strings.TrimPrefix(err.Error(), "template: ")))
		}
		return t
	}
	p := &Prompts{parse("system", system, defaultSystem), parse("user", user, defaultUser)}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return p, nil
}

// standardPrompts are the embedded templates.
var standardPrompts = sync.OnceValue(func() *Prompts {
	p, err := ParsePrompts("", "")
	if err != nil {
		panic("llm: an embedded template does not parse")
	}
	return p
})

// view is what a template sees of a question.
type view struct {
	Asset, Time, Price, Summary string
	Factors                     map[string]string
}

func sampleView() view {
	q := Question{Time: time.Date(2024, 1, 5, 0, 0, 0, 0, time.UTC).UnixMicro(), Close: 1}
	q.Instrument.Symbol = "SAMPLE"
	return q.view(false)
}

// messages renders both templates.
func (p *Prompts) messages(v view) ([]Message, error) {
	system, err := render(p.system, v)
	if err != nil {
		return nil, err
	}
	user, err := render(p.user, v)
	if err != nil {
		return nil, err
	}
	return []Message{{"system", system}, {"user", user}}, nil
}

// render is the template's text without the white space around it.
func render(t *template.Template, v view) (string, error) {
	var b limited
	if err := t.Execute(&b, v); err != nil {
		return "", err
	}
	text := strings.TrimSpace(strings.ToValidUTF8(b.String(), "\uFFFD"))
	if text == "" {
		return "", errors.New("the text is empty")
	}
	return text, nil
}

// limited is a text that refuses to grow beyond maxPrompt.
type limited struct{ strings.Builder }

// Write appends b or fails.
func (l *limited) Write(b []byte) (int, error) {
	if l.Len()+len(b) > maxPrompt {
		return 0, fmt.Errorf("the text grows beyond %d bytes", maxPrompt)
	}
	return l.Builder.Write(b)
}
