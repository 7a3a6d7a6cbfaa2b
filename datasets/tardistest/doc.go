// Package tardistest simulates days of crypto markets in the data vendor's CSV form and serves them as
// the vendor's server would, on the loopback interface, for `qf demo`, tests and benchmarks.
//
// # The market
//
// Time runs in minutes t. What an instrument i is worth follows
//
//	ln P_{i,t+1} = ln P_{i,t} + σ_{i,t}·( √ρ·c_t + √(1−ρ)·e_{i,t} + κ·s_{i,t} )
//
// with c common to all instruments and e its own, both standard normal, so that ρ = 0.7 is the
// correlation between instruments. Volatility is σ_{i,t} = σ·g_t·√a_t·exp(v_{i,t}): a regime g that
// is calm (0.7) or stormy (1.4) for 15 days on average, the activity a of that hour of the UTC day,
// and gusts v, an AR(1) with a half-life of 90 minutes. Between minutes the price is a Brownian bridge.
//
// The order-flow state s is a standard normal AR(1) with a half-life of an hour. It always shows in
// what one can see:
//
//	P(taker buys)  = (1 + tanh(s/2))/2
//	E[amount]      ∝ σ_{i,t}/σ · exp(s/2)
//
// so that order-flow imbalance and liquidity both lean with it, but it moves the price only through κ,
//
//	κ = Signal · √60 / Σ_{k<60} φ^k,   φ = 2^(−1/60),
//
// which makes Signal the correlation of s with the return of the next hour. Signal = 0 is the twin:
// flow is as persistent as before and returns are martingale differences given everything visible.
//
// Taker orders arrive as a Hawkes process (see clock) and fill in 1.6 prints on average, at the best
// price and one tick worse now and then. The perpetual's basis over its index is an AR(1) with a
// half-life of 12 hours; its mean since the last settlement makes the funding rate (see fundingRate),
// which settles at 00:00, 08:00 and 16:00 UTC. Open interest is a slow AR(1). Quotes, snapshots and
// book updates are drawn around the same price path, each feed on its own: their best prices agree,
// their amounts do not.
//
// # Random access
//
// The chance in a day comes from (Seed, purpose, instrument, day) alone. Only the state at midnight is
// carried on, which the market finds by running the minutes since Start once, well under a millisecond a day.
package tardistest
