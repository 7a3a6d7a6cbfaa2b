package opinions

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/bars"
	"github.com/qf-dev/qf/factors"
	"github.com/qf-dev/qf/signals/llm"
)

// Listener lays what models said over the rows of a study as they come: each opinion holds from its question to the
// next of that instrument.
type Listener struct {
	config      *study.LLMConfig
	models      llm.Config
	instruments []datasets.Instrument
	questions   *questioner
	forward     *forwardReturns

	reader  *llm.Reader // nil where nobody is asked
	held    *held
	unasked []llm.Question // where nobody is asked
	recalls bool

	asked   *llm.Opinions // the questions of the last block
	of      []int         // the instrument of each
	lo, n   int           // rows of the last block
	prompts [][]float64
}

// Listen begins a span of rows of g, whose labels are not used. shown says by study.SummaryValues which of the factor
// columns a prompt shows, −1 for none. Without ask there are questions and forward returns but no opinions, as for
// `qf signals fill`. The study must have models. The error is of a template.
func Listen(s *study.Study, g *factors.Grid, span study.Span, shown []int, ask bool) (*Listener, error) {
	c := s.Signals.LLM
	if len(shown) != len(study.SummaryValues) {
		panic("opinions: not every value of a prompt is placed")
	}
	models, err := c.Config()
	if err != nil {
		return nil, fmt.Errorf("signals.llm: %w", err)
	}
	l := &Listener{
		config: c, models: models, instruments: g.Instruments, questions: newQuestioner(c, g.Instruments, span, shown),
		forward: &forwardReturns{cadence: c.Cadence.Time.Microseconds(), delay: s.Execution.Delay, end: span.Hi},
	}
	if ask {
		l.listen(llm.NewReader(llm.OpenCache(c.CacheDir()), models))
	}
	return l, nil
}

func (l *Listener) listen(r *llm.Reader) {
	l.reader, l.held = r, newHeld(1+len(l.models.Models), len(l.instruments))
}

// Recall takes what models said from the opinions of another play of the study, by the rendered prompts, instead of
// from the cache: a prompt that differs is one that nobody answered, and its opinion is neutral. Questions come before
// row known alone: what is later is not what it was. It precedes the first Next.
func (l *Listener) Recall(was *llm.Opinions, known int) {
	l.questions.hi = min(l.questions.hi, known)
	l.listen(was.Recall())
	l.recalls = true
}

// Next takes the rows of b, which follow those before: the composite, closes and execution prices by instrument, and
// the factor columns by factor, instrument. It gives the opinions that hold at each bar: by Names, then instrument;
// NaN before an instrument's first question, nil where nobody is asked. They are valid until the next Next. The error
// is of a prompt or of a file of the cache.
func (l *Listener) Next(b *bars.Block, score, closes [][]float64, columns [][][]float64, price [][]float64) ([][][]float64, error) {
	questions := l.questions.next(b, score, closes, columns)
	l.of, l.lo, l.n = l.of[:0], b.Lo, b.Len()
	for _, q := range questions {
		i := slices.Index(l.instruments, q.Instrument)
		l.of = append(l.of, i)
		l.forward.ask(i, q.Row, q.Time)
	}
	l.forward.next(b, price)
	if l.reader == nil {
		l.unasked = append(l.unasked, questions...)
		return nil, nil
	}
	var err error
	if l.asked, err = l.reader.Read(questions); err != nil {
		return nil, fmt.Errorf("signals.llm: %w", err)
	}
	return l.held.next(l.asked, l.of, l.lo, l.n), nil
}

// Prompts gives by instrument, for the rows of the last Next, a number that stands for every byte of the prompt that was
// put to the first model: the first 13 digits of that call's key; 0 at bars without a question. It is valid until the
// next Prompts.
func (l *Listener) Prompts() [][]float64 {
	if l.prompts == nil {
		l.prompts = make([][]float64, len(l.instruments))
	}
	for i, col := range l.prompts {
		l.prompts[i] = slices.Grow(col[:0], l.n)[:l.n]
		clear(l.prompts[i])
	}
	for q, i := range l.of {
		digits, err := strconv.ParseUint(string(l.asked.Replies[0][q].Key[:13]), 16, 64)
		if err != nil {
			panic("opinions: a key that is no number")
		}
		l.prompts[i][l.asked.Questions[q].Row-l.lo] = float64(digits)
	}
	return l.prompts
}

// Close gives every question, with the replies, and the forward return of each: the log return of its instrument from
// the fill of a decision at the question's bar to that of one a cadence later; NaN where a price is missing or past the
// span's end. The error says why a backtest does not run on the replies: a prompt shows what it may not, answers are
// missing, or too many are invalid. What is recalled was in order before.
func (l *Listener) Close() (*llm.Opinions, []float64, error) {
	if l.reader == nil {
		return &llm.Opinions{Config: l.models, Questions: l.unasked}, l.forward.returns, nil
	}
	o, err := l.reader.All()
	if err != nil {
		return nil, nil, fmt.Errorf("signals.llm: %w", err)
	}
	if !l.recalls {
		err = l.config.Refuses(o)
	}
	return o, l.forward.returns, err
}

// Names are those of the opinions that a Listener gives: study.Ensemble, then study.OneModel of each model.
func Names(models []llm.Model) []string {
	names := []string{study.Ensemble}
	for _, m := range models {
		names = append(names, study.OneModel+m.Name)
	}
	return names
}

// Unanswered says what of the answers is missing or invalid, by model, and that there was no question.
func Unanswered(o *llm.Opinions) []error {
	var list []error
	for k, m := range o.Config.Models {
		if missing := o.MissingOf(k).Calls; missing > 0 {
			list = append(list, fmt.Errorf("%d of %d answers of %s are not in the cache and trade as neutral", missing, len(o.Questions), m.Name))
		}
		if b := o.Billed(k); b.Invalid > 0 {
			list = append(list, fmt.Errorf("%d of %d answers of %s are invalid and trade as neutral", b.Invalid, b.Calls, m.Name))
		}
	}
	if len(o.Questions) == 0 {
		list = append(list, errors.New("signals.llm: no bar has a composite, so that the models are not asked"))
	}
	return list
}
