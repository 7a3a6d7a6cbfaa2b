package study

// Names of the signals that are judged beside the factors. A single model's name follows OneModel.
const (
	Composite = "composite" // F, without any model
	Ensemble  = "llm"       // the joint opinion
	OneModel  = "llm:"      // llm:MODEL, the opinion of one
	Combined  = "combined"  // what is traded: composite and joint opinion, combined as the study says
)
