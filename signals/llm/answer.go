package llm

// Answer is what a model said, in the form that it was asked for.
type Answer struct {
	Action       string  `json:"action"`        // long, short or neutral
	Confidence   float64 `json:"confidence"`    // 0 to 1
	PositionSize float64 `json:"position_size"` // −1 to 1, of the action's sign
	Reasoning    string  `json:"reasoning"`
}

// ParseAnswer finds the JSON object in a text, code fences and prose around it aside, and checks it
// strictly. The error says what does not fit.
func ParseAnswer(text string) (Answer, error) { panic("llm: ParseAnswer") }

// Opinion is 2 · sign(action) · confidence · |position_size|, in [−2, 2].
func (a Answer) Opinion() float64 { panic("llm: Answer.Opinion") }
