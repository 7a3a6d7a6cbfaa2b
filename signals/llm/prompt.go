package llm

// Prompts are the two templates of a study.
type Prompts struct{ system, user string }

// ParsePrompts reads the templates (text/template); an empty text is the default's. name stands in errors.
func ParsePrompts(system, user string) (*Prompts, error) { panic("llm: ParsePrompts") }
