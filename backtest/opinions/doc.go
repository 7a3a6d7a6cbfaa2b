// Package opinions is what language models said about the bars of a study, and how good that was.
//
//  1. Listen begins a span of rows. Listener.Next takes them block by block: labels, composite, factors, prices.
//  2. At the first bar after each multiple of the cadence whose composite exists, an instrument is asked about: the
//     composite and the factors that a prompt shows become a question (package signals/llm renders it).
//  3. The answers come from the cache, never from the network. Each holds from its question to the next of that
//     instrument: a column by opinion (the ensemble's, then each model's) and instrument.
//  4. Combine makes the score that is traded from composite and opinion.
//  5. What the market did from a question over one cadence is noted as soon as the later price arrives.
//  6. Listener.Close gives every question, reply and forward return, or says why a backtest does not run on them.
//  7. Judge sums that up, once the runs are evaluated: cost, calibration, agreement, what the models add to the
//     composite, what they may have known before it happened, and plain against anonymized prompts.
//
// An audit plays the same rows with another future. It does not ask again: Listener.Recall finds what was said by the
// rendered prompt.
package opinions
