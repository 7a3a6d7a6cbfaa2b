package evaluate

import (
	"math"
	"slices"
	"strings"
)

// ICFigure is one figure of ICRow: everything that is said about it, wherever.
type ICFigure struct {
	Key   string // in report.json; those of Daily after "daily."
	Label string // of its column on a page; "" for none
	Show  Show   // how it stands there
	Unit  string
	About string // what it is

	from string // what it follows from, whose reason it shares where it has none of its own
	of   func(*ICRow) *Figure
}

// ICFigures is the table of figures of ICRow, in the order of a page's columns.
func ICFigures() []ICFigure { return slices.Clone(icFigures) }

// Of is the figure of a row.
func (f *ICFigure) Of(r *ICRow) Figure { return *f.of(r) }

// Why says why it is null; empty where it is not.
func (f *ICFigure) Why(r *ICRow) string {
	if why := r.Reasons[f.Key]; why != "" || !f.within() {
		return why
	}
	return r.Reasons[f.from]
}

// within reports whether the figure is part of a group, whose key has the reason why all of it is null.
func (f *ICFigure) within() bool { return strings.HasPrefix(f.Key, f.from+".") }

// Units of more than one figure.
const (
	ofCorrelation = "correlation"
	ofProbability = "probability"
	ofErrors      = "standard errors"
)

// icFigures is the table. What a figure follows from stands before it.
var icFigures = []ICFigure{
	{Key: "pearson", Label: "IC", Show: Show{AsSigned, 4}, Unit: ofCorrelation, About: "Pearson correlation of the signal with the forward return", of: func(r *ICRow) *Figure { return &r.Pearson }},
	{Key: "spearman", Label: "Rank IC", Show: Show{AsSigned, 4}, Unit: ofCorrelation, About: "Spearman correlation", from: "pearson", of: func(r *ICRow) *Figure { return &r.Spearman }},
	{Key: "spearman_t", Show: Show{AsSigned, 2}, Unit: ofErrors, About: "t of the Spearman correlation, with average ranks in place of signal and return", from: "spearman", of: func(r *ICRow) *Figure { return &r.SpearmanT }},
	{Key: "spearman_p", Show: Show{As: AsProbability}, Unit: ofProbability, About: "two-sided, of spearman_t", from: "spearman_t", of: func(r *ICRow) *Figure { return &r.SpearmanP }},
	{Key: "pearson_low", Show: Show{AsSigned, 4}, Unit: ofCorrelation, About: "lower end of the 95 % stationary-bootstrap interval of pearson", from: "pearson", of: func(r *ICRow) *Figure { return &r.Low }},
	{Key: "pearson_high", Show: Show{AsSigned, 4}, Unit: ofCorrelation, About: "its upper end", from: "pearson", of: func(r *ICRow) *Figure { return &r.High }},
	{Key: "t", Label: "t", Show: Show{AsSigned, 2}, Unit: ofErrors, About: "of the IC, robust to overlapping horizons", from: "pearson", of: func(r *ICRow) *Figure { return &r.T }},
	{Key: "t_hansen_hodrick", Show: Show{AsSigned, 2}, Unit: ofErrors, About: "t of all pairs, with lags up to the horizon", from: "pearson", of: func(r *ICRow) *Figure { return &r.THansenHodrick }},
	{Key: "t_non_overlapping", Show: Show{AsSigned, 2}, Unit: ofErrors, About: "t of every h-th pair, the median over the h pairs to begin with", from: "pearson", of: func(r *ICRow) *Figure { return &r.TNonOverlap }},
	{Key: "p", Label: "p", Show: Show{As: AsProbability}, Unit: ofProbability, About: "two-sided, of t", from: "t", of: func(r *ICRow) *Figure { return &r.P }},
	{Key: "p_holm", Label: "p Holm", Show: Show{As: AsProbability}, Unit: ofProbability, About: "adjusted over the horizons other than the primary one", from: "t", of: func(r *ICRow) *Figure { return &r.PHolm }},
	{Key: "daily.mean", Label: "Daily IC", Show: Show{AsSigned, 4}, Unit: ofCorrelation, About: "mean over UTC days", from: "daily", of: func(r *ICRow) *Figure { return &r.Daily.Mean }},
	{Key: "daily.std", Show: Show{AsPlain, 4}, Unit: ofCorrelation, About: "standard deviation over UTC days", from: "daily", of: func(r *ICRow) *Figure { return &r.Daily.Std }},
	{Key: "daily.icir", Label: "ICIR", Show: Show{AsSigned, 2}, Unit: "standard deviations", About: "daily mean over daily standard deviation", from: "daily", of: func(r *ICRow) *Figure { return &r.Daily.ICIR }},
	{Key: "n_effective", Label: "Effective n", Show: Show{As: AsCount}, Unit: "pairs", About: "n that independent pairs would need for the same standard error", from: "pearson", of: func(r *ICRow) *Figure { return &r.NEffective }},
}

// blank makes every figure null.
func (r *ICRow) blank() {
	for _, f := range icFigures {
		*f.of(r) = null
	}
}

// explain gives every figure that follows from another one that is missing the other's reason.
func (r *ICRow) explain() {
	for _, f := range icFigures {
		if _, said := r.Reasons[f.Key]; math.IsNaN(float64(*f.of(r))) && !said && !f.within() {
			r.reason(f.Key, r.Reasons[f.from])
		}
	}
}
