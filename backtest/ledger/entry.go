package ledger

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/qf-dev/qf/backtest/evaluate"
	"github.com/qf-dev/qf/backtest/metrics"
	"github.com/qf-dev/qf/backtest/portfolio"
	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets"
)

// Entry is one configuration that was scored on a span.
type Entry struct {
	Digest      string   `json:"digest"` // of what is traded and the span: names the entry
	Study       string   `json:"study"`  // the name under which it was first scored
	Instruments []string `json:"instruments"`
	From        string   `json:"from"` // of the span, RFC 3339
	To          string   `json:"to"`

	// The daily returns summed up. A figure is null where it cannot be computed, as that of a trial that never traded.
	Days     int             `json:"days"`
	Sharpe   evaluate.Figure `json:"sharpe_per_day"` // mean/std, ddof 1
	Skew     evaluate.Figure `json:"skew"`           // biased
	Kurtosis evaluate.Figure `json:"kurtosis"`       // biased and raw: 3 for the normal distribution

	// The returns of single days after costs: those of the stretches, one after the other, as little-endian float64.
	Stretches []Stretch `json:"stretches"`
	Returns   []byte    `json:"returns"`
}

// Stretch is some days in a row.
type Stretch struct {
	First datasets.Day `json:"first"`
	Days  int          `json:"days"`
}

// Digest names what a study trades over a span: everything of the study but its name, where things lie, how it is
// evaluated and what is written.
func Digest(s *study.Study, span study.Span) (string, error) {
	h := sha256.New()
	doc := s.Document()
	for i, k := range doc.Keys {
		item := doc.Items[i]
		switch k.Name {
		case "version", "name", "windows", "evaluation", "report":
			continue
		case "data":
			item = item.Without("lake")
		case "signals":
			item = s.Signals.Identity(item)
		}
		text, err := json.Marshal(item)
		if err != nil {
			return "", fmt.Errorf("ledger: digest of %s: %w", k.Name, err)
		}
		fmt.Fprintf(h, "%s %s\n", k.Name, text)
	}
	fmt.Fprintf(h, "span %d %d\n", span.From, span.To)
	return hex.EncodeToString(h.Sum(nil))[:32], nil
}

// NewEntry describes a study and what it earned over its span; false where its net PnL is not known, so that it was not
// scored.
func NewEntry(s *study.Study, a *portfolio.Account) (e Entry, scored bool, err error) {
	if a.Unknown != nil {
		return Entry{}, false, nil
	}
	digest, err := Digest(s, a.Span)
	if err != nil {
		return Entry{}, false, err
	}
	days := a.SingleDays()
	returns, _ := a.Daily()
	e = Entry{Digest: digest, Study: s.Name, From: stamp(a.Span.From), To: stamp(a.Span.To), Days: len(days)}
	for _, in := range s.Data.Instruments {
		e.Instruments = append(e.Instruments, in.Instrument.String())
	}
	e.sum(returns)
	for k, d := range days {
		if n := len(e.Stretches); k > 0 && days[k-1]+1 == d {
			e.Stretches[n-1].Days++
		} else {
			e.Stretches = append(e.Stretches, Stretch{d, 1})
		}
		e.Returns = binary.LittleEndian.AppendUint64(e.Returns, math.Float64bits(returns[k]))
	}
	return e, true, nil
}

func (e *Entry) sum(returns []float64) {
	s := metrics.InferSharpe(returns)
	e.Sharpe, e.Skew, e.Kurtosis = evaluate.Figure(s.Ratio), evaluate.Figure(s.Skew), evaluate.Figure(s.Kurtosis)
}

func stamp(us int64) string { return time.UnixMicro(us).UTC().Format(time.RFC3339) }

// Daily gives the days of an entry and their returns.
func (e *Entry) Daily() (days []datasets.Day, returns []float64) {
	for _, s := range e.Stretches {
		for k := range s.Days {
			days = append(days, s.First+datasets.Day(k))
		}
	}
	for k := range len(e.Returns) / 8 {
		returns = append(returns, math.Float64frombits(binary.LittleEndian.Uint64(e.Returns[8*k:])))
	}
	return days, returns
}

// text is the entry's file.
func (e *Entry) text() ([]byte, error) {
	b, err := json.Marshal(e)
	return append(b, '\n'), err
}

// parse reads an entry's file and checks that it agrees with itself.
func parse(digest string, text []byte) (*Entry, error) {
	e := &Entry{Sharpe: evaluate.Figure(math.NaN()), Skew: evaluate.Figure(math.NaN()), Kurtosis: evaluate.Figure(math.NaN())}
	if err := json.Unmarshal(text, e); err != nil {
		return nil, fmt.Errorf("not an entry: %w", err)
	}
	if e.Digest != digest {
		return nil, fmt.Errorf("holds the entry %q", e.Digest)
	}
	total := 0
	for _, s := range e.Stretches {
		if s.Days < 1 || s.Days > len(e.Returns) {
			return nil, fmt.Errorf("a stretch of %d days", s.Days)
		}
		total += s.Days
	}
	if total != e.Days || len(e.Returns) != 8*total {
		return nil, fmt.Errorf("%d days, but stretches of %d and %d bytes of returns", e.Days, total, len(e.Returns))
	}
	_, returns := e.Daily()
	again := Entry{}
	again.sum(returns)
	same := func(a, b evaluate.Figure) bool {
		return math.Float64bits(float64(a)) == math.Float64bits(float64(b)) || a != a && b != b
	}
	if slices.ContainsFunc(returns, func(v float64) bool { return !metrics.Defined(v) }) ||
		!same(again.Sharpe, e.Sharpe) || !same(again.Skew, e.Skew) || !same(again.Kurtosis, e.Kurtosis) {
		return nil, fmt.Errorf("its figures are not those of its returns")
	}
	return e, nil
}
