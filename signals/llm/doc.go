// Package llm asks language models for trading opinions and reads what they said from a cache.
//
// At a cadence, the factor values of a bar become a Question. A study's Config and Prompts turn each
// question and model into a Call: the request to the byte, named by its Key. Fill sends the calls
// that the Cache lacks, under a rate and a budget; Read needs no network and turns what the cache
// holds into Opinions, in [−2, 2], the scale of the composite.
//
// # The cache
//
// Each call has a file {key}.json in a subfolder of the key's first two characters. Its first line
// holds the SHA-256 of all that follows, which tail -n +2 FILE | sha256sum gives too; then come the
// request, the answer's text, that of a repair if there was one, tokens, latency, and what was read
// from the text or why it is invalid. The key is the SHA-256 of the request, which holds no host: an
// answer is found again whatever endpoint gave it, and in whatever response format it took the request.
//
// Nothing here knows the key of the endpoint but the client that sends it.
package llm
