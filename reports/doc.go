// Package reports turns a finished backtest into documents: compute, then describe, then print.
//
// New makes a Report, all the numbers, of a backtest.Result; Write puts a run's folder on disk; Open
// reads one back; Render and Rerender show a Run again; Runs lists run folders; Compare finds the
// numbers in which two runs differ.
//
// # A run's folder
//
// A run is a folder {name}-{digest}, and latest beside it points to the newest:
//
//	report.json        every number; keys below
//	manifest.json      configuration, qf version, source files
//	report.html        one page that needs no network and no script
//	ic.csv             the rows of ic
//	windows.csv        a line per run and window: span, IC at the primary horizon, PnL figures
//	trades.csv         a line per fill
//	trades.parquet     the same as a table
//	equity.parquet     a row per bar: equity and what changed it
//	positions.parquet  a row per bar and instrument, by time: close, target, quantity, weight
//
// The format csv has the CSV files, parquet the Parquet files, whatever the size of the study.
//
// report.json and manifest.json are always there, and they are enough: the page, ic.csv and
// windows.csv are made of them alone and come out the same to the byte when they are made again.
//
// Equal results give equal bytes: no clock, host, path or version of qf is written, but for the
// version in manifest.json.
//
// # report.json
//
// Times are RFC 3339 in UTC, days are YYYY-MM-DD. Returns and shares are fractions, money is in quote
// currency. A figure that cannot be computed is null, and reasons, where it stands beside it, says
// why under the figure's key. Numbers are the shortest decimals that read back as the same float64.
// New keys may come at any time; schema grows when one changes its meaning or goes away.
//
// The document:
//
//	schema             version of this layout
//	name               of the study
//	digest             of configuration and data: it names the run
//	verdict            the two questions in a word each (predicts, pays)
//	score              signal of what was traded and what verdict, daily_ic, distribution, variants,
//	                   monthly and curves are about: composite, or combined where models had their say
//	span               the evaluated time
//	currency           of all money: the quote currency of the instruments
//	bars               the grid; in ic, levels and transitions: a number of bars
//	instruments        what was traded
//	factors            what each factor is made of
//	windows            the replays; the first is "all", the whole span
//	primary_horizon    the one that the verdict stands on
//	ic                 information coefficients by signal, instrument, window and horizon
//	daily_ic           the score's IC by UTC day at the primary horizon
//	memory             how fast each signal changes
//	slices             the IC at the primary horizon by volatility regime and by hour
//	quantiles          mean forward return by bucket of each signal
//	quantile_spreads   what the buckets of a signal say together
//	distribution       histogram of the score over the span
//	levels             how each level of a score behaved, by window and horizon
//	transitions        which level follows which at the next bar
//	pnl                what each run earned, by window
//	metrics            the conventions of each figure of pnl
//	pnl_by_instrument  the run over the whole span, split
//	net_unknown        the runs whose net is not known, each from when on
//	variants           the whole span traded otherwise: delay, zero_cost, buy_and_hold, survivors
//	stability          how figures held over the windows, where there are several
//	universe           who was traded when; left out where the study has no universe
//	monthly            its return by calendar month
//	trials             what was tried beside it; left out with evaluation.ledger off, and where net is not known
//	models             what language models said and were worth; left out where the study asks none
//	coverage           what the lake held, by instrument and feed, warm-up included
//	looks_ahead        choices of the study that let later data into earlier rows
//	causality          the certificate of qf backtest --audit; left out without it
//	warnings           findings, in order of appearance
//	curves             the run over the whole span, thinned for drawing
//
// What names a row:
//
//	signal             a factor's name, "composite", and with models "llm" (their joint opinion),
//	                   "llm:MODEL" and "combined"
//	model, other       as the endpoint calls it; "*" for all together
//	instrument         exchange:SYMBOL, or "*" for all together
//	window             "all" or the window's index
//	horizon            how far ahead, as the study writes it
//	level              strong_short, short, neutral, long or strong_long
//	from, to           levels, in transitions; elsewhere times
//	by, slice          volatility: low, normal or high; hour: 00 to 23 UTC
//	variant, delay     of a row of variants; delay is in bars
//	figure             ic or total_return, in stability; in metrics a key of pnl
//	quantile           from 1, the lowest
//	day, month         of a row by day or month
//	feed               of a row of coverage
//
// verdict:
//
//	predicts           yes, no, reversed (the wrong sign) or unknown; p < 0.05 decides
//	pays               yes or no after costs, idle (nothing traded) or unknown, as where more than a tenth of
//	                   the days, or of what was earned, lies in days that the lake lacks
//
// span, windows, bars, instruments:
//
//	from, to           the time (from, to]; in coverage the first and the last day, both included
//	days               length; in monthly and coverage a number of days
//	warm_up_bars       rows before from, which feed trailing statistics and nothing else
//	kind, every, size  of the bars: every for time bars, size for the others
//	bars_per_year      what annualization counts with
//	clock              local_timestamp or timestamp
//	count              bars in the span
//	expr               of a factor: the study's own formula
//	kind, formula      else its kind with parameters, and that kind's formula
//	lookback_bars      how many bars, its own included, a value may depend on
//	inputs, feeds      bar columns, those of references as close["bybit:BTCUSDT"], and series; the feeds that carry them
//	contract           spot, linear or inverse
//	multiplier         base coins (inverse: quote currency) in one unit of amount
//	bars_missing       of the span, without a price
//
// ic and daily_ic:
//
//	n                  pairs; in daily the days, in quantiles and distribution the values
//	n_effective        independent pairs that would give the same standard error
//	pearson, spearman  correlation of the values and of their ranks
//	spearman_t, spearman_p  of spearman, found as t and p are
//	pearson_low, pearson_high  95 % bootstrap interval
//	t                  of the IC: hansen_hodrick, newey_west or cosines, as t_method says,
//	t_method           or insufficient; in levels of the mean return
//	t_hansen_hodrick   over all pairs, with lags up to the horizon
//	t_non_overlapping  over every h-th pair, the median over the h pairs to begin with
//	p                  two-sided, of t
//	p_holm             adjusted over the horizons other than the primary one
//	daily              the IC by UTC day: n, mean, std, icir = mean/std
//	mean, std, icir    of daily; mean and std in distribution too
//	ic                 of a day or a slice
//	warnings           few_spans: the factor changed its mind fewer than 10 times
//	reasons            why a figure is null
//
// levels, quantiles, transitions:
//
//	share              of the bars that have a score; in transitions of the bars at level
//	mean_holding_bars  mean length of a stay
//	mean_return        log return over the horizon, signed as it is
//	hit_rate           share of returns above zero, below zero for short levels
//
//	spread             highest bucket less lowest: gross exposure 2
//	monotonicity       rank correlation of the buckets' numbers with their means
//	break_even_bps     cost a side at which the mean return is gone; in pnl of traded notional
//
// memory:
//
//	autocorrelation    at a lag of one bar
//	half_life_bars     first lag whose autocorrelation is at most a half
//	integrated_bars    bars that count as one independent value
//
// distribution counts [lo + k·w, lo + (k+1)·w), w = (hi − lo)/len(counts):
//
//	missing            bars without a score; in coverage days without a file
//	min, max           extreme values
//	lo, hi             ends of the bins
//	below, above       values beyond them
//	counts             per bin
//	thresholds         the level boundaries strong_short, short, long, strong_long
//	strong_short, short, long, strong_long
//
// pnl has a key for each figure of metrics, where its definition stands: a figure is described by the report that has it.
// Some of them are in pnl_by_instrument, variants and comparison too:
//
//	price_pnl          from prices; net = price_pnl − fees − slippage − impact + funding
//	fees, slippage, impact
//	funding            received less paid, and less the borrowing of short spot
//	net                the sum of the above
//	pnl_without_funding  the same without funding
//	total_return       final equity over initial equity − 1
//	sharpe             of daily returns, per year
//	max_drawdown       on bar equity, negative
//	trades             fills
//	buy_and_hold       in curves: equity of holding equal parts under the same costs
//
// net_unknown: a position was held over funding that the data does not show. What is net and later than that is null.
//
//	from               the first such instant; instrument is the first for which it was so
//	reason             why the data does not show what was paid
//
// metrics:
//
//	unit               of the figure; "1" for a share
//	definition         its formula; r are daily returns
//	periods_per_year   what it is annualized with; null where it is not
//	ddof               what n is lessened by in its deviation or moments; null where there is none
//	baseline           what it is measured against; empty where against nothing
//	counted_by         the key of pnl that counts its observations; empty where none does
//
// stability:
//
//	positive           share of the windows in which the figure is above 0
//	worst, worst_window
//
// universe:
//
//	rule               how members are chosen
//	candidates         out of how many
//	members_delisted   members at some time that were delisted within the span
//	members_at_end     who would be chosen at the span's end
//	survivors_return   what the same study returns on these alone
//	survivors_excess   that, less what was earned: survivors' luck
//	membership         who is a member from a day on
//	members            by turnover at the last choice
//	joined, left       who came and went with the change
//	chosen             false where a member was delisted
//
// trials: ratios are per year; formulas and sources stand at evaluate.Trials and in package metrics:
//
//	count              trials in the lake's ledger, this one included, of an instrument in common on spans that overlap
//	mean_correlation   of their daily returns
//	effective          independent trials that they amount to
//	sharpe_std         of their Sharpe ratios
//	expected_best_sharpe  what the best of as many worthless trials is expected to show
//	dsr                probability that the true ratio is above that; so in pnl, of each row's days
//	compared           trials that know the same days: the rest is about them
//	rank               of this one by Sharpe ratio, 1 the best
//	best_sharpe        of them
//	pbo                share of the halvings of the days after which the best ranks in the lower half
//	pbo_slope          of the best's ratio out of sample on that in sample
//	pbo_loss           share of the halvings after which the best loses
//	pbo_blocks         into which the days were cut
//	spa_p_lower, spa_p, spa_p_upper  Hansen's test that no trial earns anything
//	reality_check_p    White's
//	mean_block_days    of their bootstrap
//	p_romano_wolf      of this one, adjusted for all, as are
//	p_benjamini_hochberg, p_benjamini_yekutieli
//
// monthly:
//
//	return             of the days of the month that lie in the span
//
// coverage:
//
//	present, empty     days with rows, and days on which the venue recorded nothing
//	empty_days, missing_days
//
// models:
//
//	combine            how score and opinion become one: blend, gate or replace
//	weight             of the opinion in a blend
//	ensemble           how opinions become one: mean, majority or weights
//	cadence            how often the models are asked
//	anonymized         prompts hide symbol, dates and price level
//	questions          put to each model; in agreement those that at least two answered validly
//	usage              what was asked and paid, by model and for all
//	calibration        stated confidence against how often it was right, by model
//	reliability        the same by tenths of the confidence
//	agreement          how far the models agree: pairs is the same for each two of them
//	comparison         the study with and without its models
//	cutoffs            figures before and after a model's knowledge cut-off
//	verdicts           whether a model may have known: clean, overlaps, contaminated or unknown;
//	                   p is of the test for contamination
//	paired             answers to anonymized prompts against answers to plain ones
//	examples           of each model its surest long and short and its first invalid answer, cut
//
//	calls, requests    answers in the cache, and requests that were billed for them
//	valid, invalid     answers; an invalid one traded as neutral. In examples invalid is the reason
//	prompt_tokens, answer_tokens
//	cost_usd           at the study's prices
//	cost_per_call_usd
//	latency_p50_seconds, latency_p95_seconds
//	cost_per_bp_usd    by basis point that the run with the model earned on the initial capital
//	cost_per_added_bp_usd  by basis point that it earned more than the composite alone
//	at_prices          what the same tokens would cost with each priced model
//	neutral            valid answers that take no side
//	confidence         stated; a mean but in examples
//	brier              mean of (confidence − hit)²
//	brier_skill        1 − brier/(h(1 − h)), h the hit rate
//	bin                tenth of the confidence, from 1; from and to are its ends
//	unanimous, opposed  share of questions with one action, and with both long and short
//	pairs
//	same_action        share of questions
//	correlation        of the opinions
//	added_return       total_return less that of the composite alone
//	knowledge_cutoff   first day that the model cannot have read about
//	period             before or after
//	text               the verdict in a sentence
//	hit_rate_anonymized, hit_rate_plain, hit_rate_difference, hit_rate_t
//	mean_return_anonymized, mean_return_plain, mean_return_difference, mean_return_t
//	action             long, short, neutral or invalid
//	position_size      stated, −1 to 1
//	opinion            2 · sign(action) · confidence · abs(position_size)
//	reasoning          the first 400 letters
//
// causality: ticks were cut at some instants, the future replaced, and everything made again:
//
//	cuts               at: the instant; place: where that is; future: poisoned or absent; bars: known by then
//	at, place, future
//	values_checked     that were known by then, and had to agree to the bit
//	violations         what did not: the first bar of each panel and instrument, and both values
//	panel, bar, cut, value, recomputed
//	expected           leaks that the study declares
//
// curves:
//
//	equity             of the run, by bar; the first point is the capital at the start
//	without_funding    the same where equity is not known, without the funding that the data does not show
//	zero_cost          equity of the same targets traded without fees, spread and impact
//	drawdown           equity over its highest value so far, minus 1
//	buy_and_hold_drawdown  the same of buy_and_hold
//	positions          by instrument
//	ts                 times of the points
//	price, weight      close, and the signed fraction of equity held
package reports
