// Package llm asks language models for trading opinions and reads what they said from a cache.
//
// At a cadence, the factor values of a bar become a Question. A study's Config and Prompts turn each
// question and model into a Call: the request to the byte, named by its Key. Fill sends the calls
// that the Cache lacks, under a rate and a budget; Read needs no network and turns what the cache
// holds into Opinions, in [−2, 2], the scale of the composite.
//
// Nothing here knows the key of the endpoint but the client that sends it.
package llm
