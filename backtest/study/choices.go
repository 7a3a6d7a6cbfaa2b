package study

// Choices of ExecutionConfig that other packages ask for.
const (
	SquareRoot        = "square_root"        // ImpactConfig.Model
	InverseVolatility = "inverse_volatility" // ExecutionConfig.Allocation
	Fixed             = "fixed"              // ExecutionConfig.Sizing
)
