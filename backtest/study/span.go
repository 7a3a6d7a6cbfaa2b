package study

// Span is what one replay covers: grid rows [Lo, Hi), which cover the time (From, To] in Unix µs.
type Span struct {
	Index    int
	Lo, Hi   int
	From, To int64
}
