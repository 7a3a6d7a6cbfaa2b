package llm

// Prices are those of the models that have one without the study giving it, in USD per million
// tokens, as https://www.holysheep.ai lists them.
func Prices() []Model {
	return []Model{
		{Name: "deepseek-v3.2", Input: 0.42, Output: 0.42, Weight: 1},
		{Name: "gemini-2.5-flash", Input: 2.50, Output: 2.50, Weight: 1},
		{Name: "gpt-4.1", Input: 8.00, Output: 8.00, Weight: 1},
		{Name: "claude-sonnet-4.5", Input: 15.00, Output: 15.00, Weight: 1},
	}
}
