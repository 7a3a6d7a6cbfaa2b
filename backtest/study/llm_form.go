package study

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"unicode"

	"github.com/qf-dev/qf/backtest/yamlconf"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/signals/llm"
)

// DecodeNode reads the section over its defaults.
func (l *LLMConfig) DecodeNode(c *yamlconf.Cursor) {
	type form LLMConfig
	f := form(defaultLLM())
	c.Decode(&f)
	*l = LLMConfig(f)
}

// JSONSchema describes the section, defaults included.
func (l LLMConfig) JSONSchema() map[string]any {
	type form LLMConfig
	return yamlconf.Object(form(defaultLLM()))
}

// modelForm is the long form of a model.
type modelForm struct {
	Name            string       `yaml:"name" doc:"as the endpoint calls it"`
	InputUSD        *float64     `yaml:"input_usd" range:"[0,1e6]" doc:"USD per million tokens of prompts"`
	OutputUSD       *float64     `yaml:"output_usd" range:"[0,1e6]" doc:"USD per million tokens of answers"`
	KnowledgeCutoff datasets.Day `yaml:"knowledge_cutoff" doc:"first day that the model cannot have read about"`
	Weight          float64      `yaml:"weight" range:"[0,1e6]" doc:"in an ensemble by weights"`
	Params          modelParams  `yaml:"params" doc:"fields of its requests, none leaves one out: {max_completion_tokens: 4000, temperature: none}"`
}

// modelParams are fields of a model's requests.
type modelParams []llm.Param

// leftOut stands for no value.
const leftOut = "none"

// DecodeNode reads a mapping of scalars.
func (list *modelParams) DecodeNode(c *yamlconf.Cursor) {
	if !c.Want(yamlconf.Map) {
		return
	}
	for i, k := range c.Keys {
		at := c.Item(i)
		p := llm.Param{Name: k.Name}
		switch {
		case llm.OwnField(p.Name):
			at.Errorf("%s is not a model's to set", p.Name)
			continue
		case at.Kind == yamlconf.Null || at.Kind == yamlconf.Scalar && at.Text == leftOut:
		case at.Want(yamlconf.Scalar):
			if p.JSON = at.Text; at.Quoted || !json.Valid([]byte(p.JSON)) {
				text, _ := json.Marshal(at.Text)
				p.JSON = string(text)
			}
		}
		*list = append(*list, p)
	}
}

// EncodeNode writes the mapping.
func (list modelParams) EncodeNode() *yamlconf.Node {
	n := &yamlconf.Node{Kind: yamlconf.Map}
	for _, p := range list {
		var text string
		switch {
		case p.JSON == "":
			n.Add(p.Name, yamlconf.ScalarOf(leftOut, false))
		case json.Unmarshal([]byte(p.JSON), &text) == nil:
			n.Add(p.Name, yamlconf.ScalarOf(text, true))
		default:
			n.Add(p.Name, yamlconf.ScalarOf(p.JSON, false))
		}
	}
	return n
}

// JSONSchema describes the mapping.
func (list modelParams) JSONSchema() map[string]any {
	return map[string]any{"type": "object", "additionalProperties": map[string]any{"type": []string{"string", "number", "boolean", "null"}}}
}

// DecodeNode reads a list of names or mappings.
func (list *LanguageModels) DecodeNode(c *yamlconf.Cursor) {
	if !c.Want(yamlconf.List) {
		return
	}
	*list = nil
	var names []string
	for i := range c.Items {
		at := c.Item(i)
		f := modelForm{Weight: 1}
		if at.Kind == yamlconf.Map {
			at.Decode(&f)
		} else if at.Want(yamlconf.Scalar) {
			f.Name = at.Text
		}
		switch {
		case f.Name == "":
			at.Errorf("name is missing: want a model such as deepseek-v3.2")
			continue
		case f.Name == "*" || strings.ContainsFunc(f.Name, unicode.IsControl):
			at.Errorf("%q is no model's name", f.Name)
		case slices.Contains(names, f.Name):
			at.Errorf("%q stands here twice", f.Name)
		}
		names = append(names, f.Name)
		m := languageModel(f.Name)
		m.KnowledgeCutoff, m.Weight, m.Params = f.KnowledgeCutoff, f.Weight, f.Params
		if f.InputUSD != nil {
			m.Input = *f.InputUSD
		}
		if f.OutputUSD != nil {
			m.Output = *f.OutputUSD
		}
		*list = append(*list, m)
	}
	if len(c.Items) == 0 {
		c.Errorf("empty: want at least one model, such as [deepseek-v3.2]")
	}
}

// EncodeNode writes the long form; what is not known is null.
func (list LanguageModels) EncodeNode() *yamlconf.Node {
	out := &yamlconf.Node{Kind: yamlconf.List}
	for _, m := range list {
		f := modelForm{Name: m.Name, KnowledgeCutoff: m.KnowledgeCutoff, Weight: m.Weight, Params: m.Params}
		if !math.IsNaN(m.Input) {
			f.InputUSD = &m.Input
		}
		if !math.IsNaN(m.Output) {
			f.OutputUSD = &m.Output
		}
		n := yamlconf.Encode(f)
		if m.KnowledgeCutoff == 0 {
			n = n.Without("knowledge_cutoff")
		}
		if len(m.Params) == 0 {
			n = n.Without("params")
		}
		out.Items = append(out.Items, n)
	}
	return out
}

// JSONSchema describes both forms of a model.
func (list LanguageModels) JSONSchema() map[string]any {
	var names []any
	for _, m := range llm.Prices() {
		names = append(names, m.Name)
	}
	return map[string]any{"type": "array", "minItems": 1, "items": map[string]any{"anyOf": []any{
		map[string]any{"type": "string", "description": "as the endpoint calls it", "examples": names},
		yamlconf.Object(modelForm{Weight: 1}),
	}}}
}

// DecodeNode reads a file's name or {text: …}.
func (t *Template) DecodeNode(c *yamlconf.Cursor) {
	var f templateForm
	switch c.Kind {
	case yamlconf.Null:
	case yamlconf.Map:
		c.Decode(&f)
		*t = Template{Text: f.Text}
	default:
		if c.Want(yamlconf.Scalar) {
			*t = Template{Path: c.Text}
		}
	}
}

// EncodeNode writes the text: a resolved study says what its prompts are, not where they lay.
func (t Template) EncodeNode() *yamlconf.Node {
	if t.Text == "" {
		return &yamlconf.Node{}
	}
	return yamlconf.Encode(templateForm(struct{ Text string }{t.Text}))
}

type templateForm struct {
	Text string `yaml:"text"`
}

// JSONSchema describes both forms of a template.
func (t Template) JSONSchema() map[string]any {
	return map[string]any{"anyOf": []any{map[string]any{"type": "string"}, yamlconf.Object(templateForm{})}}
}

// identity is the section without where things lie and how the cache is filled. A study without models is named
// as if there were no such section.
func (o SignalsConfig) Identity(section *yamlconf.Node) *yamlconf.Node {
	models := section.Get("llm")
	section = section.Without("llm")
	if o.LLM == nil {
		return section
	}
	for _, key := range []string{
		"base_url", "api_key_env", "cache", "budget_usd", "requests_per_minute", "tokens_per_minute", "concurrency", "max_retries",
	} {
		models = models.Without(key)
	}
	return section.Add("llm", models)
}
