package backtest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"github.com/qf-dev/qf/backtest/study"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	arrowmem "github.com/apache/arrow/go/v15/arrow/memory"

	"go.uber.org/goleak"

	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/factors"
)

// tradesLake has days of random trades: so many each, -1 for a missing one. There are unknown sides, amounts of 0,
// prices that stand still for long, and times shared by several trades.
func tradesLake(t testing.TB, first datasets.Day, lengths ...int) *datasets.Lake {
	t.Helper()
	lake, err := datasets.OpenLake(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	schema, err := datasets.Trades.Schema()
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(11, 12))
	price, drift := 50_000.0, 0.0
	for i, n := range lengths {
		if n < 0 {
			continue
		}
		day := first + datasets.Day(i)
		b := array.NewRecordBuilder(arrowmem.DefaultAllocator, schema)
		side := b.Field(3).(*array.BinaryDictionaryBuilder)
		names := array.NewStringBuilder(arrowmem.DefaultAllocator)
		names.AppendValues([]string{"buy", "sell", "unknown"}, nil)
		if err := side.InsertStringDictValues(names.NewStringArray()); err != nil {
			t.Fatal(err)
		}
		for k := range n {
			at := day.Start() + int64(k/3*3)*datasets.MicrosPerDay/int64(n)
			if r.IntN(30) == 0 {
				drift = float64(r.IntN(5) - 2)
			}
			if k%400 < 350 {
				price += 0.1 * math.Round(3*r.NormFloat64()+drift)
			}
			taker := "buy"
			switch u := r.Float64() - 0.1*drift; {
			case u < 0.04:
				taker = "unknown"
			case u < 0.5:
				taker = "sell"
			}
			b.Field(0).(*array.TimestampBuilder).Append(arrow.Timestamp(at - 900_000))
			b.Field(1).(*array.TimestampBuilder).Append(arrow.Timestamp(at))
			b.Field(2).AppendNull()
			if err := side.AppendString(taker); err != nil {
				t.Fatal(err)
			}
			b.Field(4).(*array.Float64Builder).Append(price)
			b.Field(5).(*array.Float64Builder).Append(float64(r.IntN(40)) / 8)
		}
		w, err := lake.Create(t.Context(), datasets.Partition{Instrument: tradesOf, Type: datasets.Trades, Day: day})
		if err != nil {
			t.Fatal(err)
		}
		defer w.Abort()
		if n > 0 {
			if err := w.Write(b.NewRecord()); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := w.Commit(datasets.SourceMeta{}); err != nil {
			t.Fatal(err)
		}
	}
	return lake
}

var tradesOf = datasets.Instrument{Exchange: "binance-futures", Symbol: "BTCUSDT"}

// articleOn is a preset on the days of tradesLake.
func articleOn(t testing.TB, preset string, from datasets.Day, days int, overrides ...string) *study.Study {
	t.Helper()
	text, err := study.Preset(preset)
	if err != nil {
		t.Fatal(err)
	}
	overrides = append([]string{"data.from=" + from.String(), fmt.Sprintf("data.to=%s", from+datasets.Day(days))}, overrides...)
	s, err := study.Parse(preset, text, overrides)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustBacktest(t testing.TB, lake *datasets.Lake, s *study.Study, o Options) *Result {
	t.Helper()
	o.NoCache = true
	r, err := Backtest(t.Context(), lake, s, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const streamStart = datasets.Day(19_800)

var streamStudies = []struct {
	name      string
	preset    string
	overrides []string
}{
	{"article", "article", nil},
	{"article-math", "article-math", nil},
	{"costs", "article", []string{"execution.taker_bps=2", "execution.half_spread_bps=1", "execution.delay=3"}},
	{"fixed sizing until ruin", "article", []string{"execution.taker_bps=40", "execution.sizing=fixed"}},
	{"trailing", "article", []string{"composite.normalize={method: rolling, window: 200}", "data.clock=timestamp"}},
	{"band", "article", []string{"execution.rebalance_band=0.01"}},
}

// Whatever the chunks and the workers, a streamed study says what the study of whole columns says, but for what it
// says it does not compute.
func TestStreamIsTheWhole(t *testing.T) {
	lake := tradesLake(t, streamStart-1, 500, 2500, 900, -1, 1300, 0, 40, 2100)
	for _, c := range streamStudies {
		t.Run(c.name, func(t *testing.T) {
			s := articleOn(t, c.preset, streamStart, 7, c.overrides...)
			whole := mustBacktest(t, lake, s, Options{})
			for _, o := range []Options{{Workers: 1, chunkRows: 8192}, {Workers: 2, chunkRows: 512}, {Workers: 8, chunkRows: 97}} {
				o.streamFrom = 1
				streamed := mustBacktest(t, lake, s, o)
				if streamed.Streamed == nil || streamed.Streamed.Bars != whole.Span.Hi-whole.Span.Lo || streamed.Streamed.WarmUp != whole.Span.Lo {
					t.Fatalf("%+v: %+v, want %d bars after %d", o, streamed.Streamed, whole.Span.Hi-whole.Span.Lo, whole.Span.Lo)
				}
				sameRows(t, whole, streamed)
				sameEvaluation(t, whole.Evaluation, streamed.Evaluation)
				if streamed.Digest != whole.Digest {
					t.Errorf("digest %s, of the whole %s", streamed.Digest, whole.Digest)
				}
				for _, w := range whole.Warnings {
					if !slices.ContainsFunc(streamed.Warnings, func(o error) bool { return o.Error() == w.Error() }) {
						t.Errorf("the whole warns: %v", w)
					}
				}
			}
		})
	}
}

// sameRows compares the rows that a streamed result keeps, to the bit.
func sameRows(t *testing.T, whole, streamed *Result) {
	t.Helper()
	row := map[[2]float64]bool{}
	for k := range whole.All.Equity {
		row[[2]float64{float64(whole.Market.Close[whole.Span.Lo+k]), whole.All.Equity[k]}] = true
	}
	for k, e := range streamed.All.Equity {
		if !row[[2]float64{float64(streamed.Market.Close[k]), e}] {
			t.Fatalf("row %d of those drawn, equity %v at %s, is not one of the whole", k, e, instant(streamed.Market.Close[k]))
		}
	}
	if last := whole.All.Equity[len(whole.All.Equity)-1]; streamed.All.Equity[len(streamed.All.Equity)-1] != last {
		t.Errorf("final equity %v, of the whole %v", streamed.All.Equity[len(streamed.All.Equity)-1], last)
	}
	if slices.Min(streamed.All.Equity) != slices.Min(whole.All.Equity) || slices.Max(streamed.All.Equity) != slices.Max(whole.All.Equity) {
		t.Errorf("equity is drawn from %v to %v, and of the whole goes from %v to %v", slices.Min(streamed.All.Equity), slices.Max(streamed.All.Equity),
			slices.Min(whole.All.Equity), slices.Max(whole.All.Equity))
	}
	if streamed.All.Total != whole.All.Total || streamed.All.Ruined != whole.All.Ruined {
		t.Errorf("total %+v, of the whole %+v", streamed.All.Total, whole.All.Total)
	}
	var costs Ledger
	for _, l := range streamed.All.Bar {
		costs.add(l)
	}
	if math.Abs(costs.Fees-whole.All.Total.Fees) > 1e-9*whole.All.Total.Fees {
		t.Errorf("the rows drawn have fees of %v in all, want %v", costs.Fees, whole.All.Total.Fees)
	}
}

// sameEvaluation compares row by row and field by field; what is missing must have a reason, and be a figure
// that needs whole columns.
func sameEvaluation(t *testing.T, whole, streamed *Evaluated) {
	t.Helper()
	compareRows(t, "ic", whole.IC, streamed.IC, func(r ICRow) string { return r.Signal + r.Instrument + r.Horizon }, func(r ICRow) map[string]string { return r.Reasons }, 1e-8)
	compareRows(t, "levels", whole.Levels, streamed.Levels, func(r LevelRow) string { return r.Level + r.Horizon }, func(r LevelRow) map[string]string { return r.Reasons }, 1e-8)
	compareRows(t, "transitions", whole.Transitions, streamed.Transitions, func(r TransitionRow) string { return r.From + r.To }, func(r TransitionRow) map[string]string { return r.Reasons }, 0)
	compareRows(t, "pnl", whole.PnL, streamed.PnL, func(r PnLRow) string { return r.Signal }, func(r PnLRow) map[string]string { return r.Reasons }, 0)
	others := func(r VariantRow) bool { return r.Variant == "delay" && r.Delay != streamed.Variants[0].Delay } // a replay each
	compareRows(t, "variants", slices.DeleteFunc(slices.Clone(whole.Variants), others), streamed.Variants, func(r VariantRow) string { return fmt.Sprint(r.Variant, r.Delay) }, func(r VariantRow) map[string]string { return r.Reasons }, 0)
	compareRows(t, "daily", whole.Daily, streamed.Daily, func(r DailyIC) string { return r.Signal + r.Day }, func(DailyIC) map[string]string { return nil }, 1e-8)
}

func compareRows[T any](t *testing.T, what string, whole, streamed []T, key func(T) string, reasons func(T) map[string]string, tolerance float64) {
	t.Helper()
	if len(whole) != len(streamed) {
		t.Errorf("%s: %d rows, of the whole %d", what, len(streamed), len(whole))
		return
	}
	order := func(a, b T) int { return cmp.Compare(key(a), key(b)) }
	whole, streamed = slices.SortedFunc(slices.Values(whole), order), slices.SortedFunc(slices.Values(streamed), order)
	for k := range whole {
		compareFields(t, what+" "+key(whole[k]), reflect.ValueOf(whole[k]), reflect.ValueOf(streamed[k]), reasons(streamed[k]), tolerance)
	}
}

func compareFields(t *testing.T, what string, whole, streamed reflect.Value, reasons map[string]string, tolerance float64) {
	t.Helper()
	for i := range whole.NumField() {
		name, _, _ := strings.Cut(whole.Type().Field(i).Tag.Get("json"), ",")
		a, b := whole.Field(i).Interface(), streamed.Field(i).Interface()
		switch x := a.(type) {
		case Figure:
			y := b.(Figure)
			switch {
			case math.IsNaN(float64(y)):
				if math.IsNaN(float64(x)) {
					continue
				}
				if !strings.Contains(reasons[name], notStreamed) {
					t.Errorf("%s: %s is missing because %q, of the whole it is %v", what, name, reasons[name], x)
				}
			case math.Abs(float64(x-y)) > tolerance*math.Max(math.Abs(float64(x)), 1e-3):
				t.Errorf("%s: %s is %v, of the whole %v", what, name, y, x)
			case math.IsNaN(float64(x)):
				t.Errorf("%s: %s is %v, of the whole missing", what, name, y)
			}
		case DailySummary:
			compareFields(t, what+" daily", whole.Field(i), streamed.Field(i), nil, tolerance)
		case map[string]string, []string: // reasons, and few_spans, which needs the autocorrelation
		default:
			if !reflect.DeepEqual(a, b) {
				t.Errorf("%s: %s is %v, of the whole %v", what, name, b, a)
			}
		}
	}
}

// Every factor, the composite and the targets have the bits of whole columns, row by row.
func TestStreamedFrameIsTheWhole(t *testing.T) {
	lake := tradesLake(t, streamStart-1, 500, 2500, 900, -1, 1300, 0, 40, 2100)
	for _, c := range streamStudies {
		s := articleOn(t, c.preset, streamStart, 7, c.overrides...)
		whole := mustBacktest(t, lake, s, Options{})
		for _, size := range []int{64, 1000} {
			st, err := streamed(t.Context(), lake, s, Options{streamFrom: 1, chunkRows: size})
			if err != nil {
				t.Fatal(err)
			}
			if err := st.learn(t.Context()); err != nil {
				t.Fatal(err)
			}
			next := whole.Span.Lo
			err = st.playback(t.Context(), st.span.Lo, st.span.Hi, st.chunks.Fields(), st.decide, func(sheet *sheet) error {
				if sheet.lo != next {
					t.Fatalf("rows from %d, want %d", sheet.lo, next)
				}
				next = sheet.hi
				same := func(name string, got []float64, p *factors.Panel) {
					for k, v := range got {
						if w := p.Col(0)[sheet.lo+k]; math.Float64bits(v) != math.Float64bits(w) && !(math.IsNaN(v) && math.IsNaN(w)) {
							t.Fatalf("%s, chunks of %d: %s at row %d is %v, of the whole %v", c.name, size, name, sheet.lo+k, v, w)
						}
					}
				}
				for k, p := range whole.Factors.Panels {
					same(p.Name, sheet.columns[k], p)
				}
				same("composite", sheet.score, whole.Score.Panel)
				same("target", sheet.target, whole.Target)
				for k, at := range sheet.ts {
					if at != whole.Market.Close[sheet.lo+k] {
						t.Fatalf("row %d is labelled %s, of the whole %s", sheet.lo+k, instant(at), instant(whole.Market.Close[sheet.lo+k]))
					}
				}
				return nil
			})
			if err != nil || next != whole.Span.Hi {
				t.Fatalf("played up to row %d of %d: %v", next, whole.Span.Hi, err)
			}
		}
	}
}

// What cannot be streamed is refused, and says so.
func TestStreamSaysWhatItCannotDo(t *testing.T) {
	lake := tradesLake(t, streamStart, 300)
	for override, want := range map[string]string{
		"windows={length: 100}":                              "windows",
		"signals.min_holding=5":                              "signals",
		"execution.impact=square_root":                       "impact",
		"composite.normalize={method: expanding}":            "expanding",
		"composite.normalize={method: full_sample, clip: 3}": "clip",
		"composite.missing=renormalize":                      "renormalize",
	} {
		s := articleOn(t, "article", streamStart, 1, override)
		_, err := Backtest(t.Context(), lake, s, Options{streamFrom: 100, NoCache: true})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "streamed") {
			t.Errorf("%s: %v", override, err)
		}
	}
}

// A study that is stopped in the middle of either pass ends with the cause, and leaves nothing running.
func TestStreamStops(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	lake := tradesLake(t, streamStart, 2000)
	why := errors.New("enough")
	for _, stop := range []int{0, 1, 5} {
		ctx, cancel := context.WithCancelCause(t.Context())
		st, err := streamed(t.Context(), lake, articleOn(t, "article", streamStart, 1), Options{Workers: 3, streamFrom: 1, chunkRows: 100})
		if err != nil {
			t.Fatal(err)
		}
		if err := st.learn(ctx); err != nil {
			t.Fatal(err)
		}
		seen := 0
		err = st.playback(ctx, st.span.Lo, st.span.Hi, st.chunks.Fields(), st.decide, func(*sheet) error {
			if seen++; seen > stop {
				cancel(why)
			}
			return nil
		})
		if !errors.Is(err, why) {
			t.Errorf("stopped after %d chunks: %v", stop, err)
		}
		if _, err := Backtest(ctx, lake, articleOn(t, "article", streamStart, 1), Options{streamFrom: 100}); err == nil {
			t.Error("a study that was stopped succeeds")
		}
	}
}

// The audit of a streamed study proves what can be proved, on days that fit into memory, and says so.
func TestAuditOfAStream(t *testing.T) {
	lake := tradesLake(t, streamStart, -1, 400, 300, 200, 100)
	r := mustBacktest(t, lake, articleOn(t, "article", streamStart, 5), Options{streamFrom: 1})
	c, err := Audit(t.Context(), lake, r, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Violations) > 0 || c.Checked == 0 || len(c.Cuts) < 3 {
		t.Errorf("%d values at %d cuts, violations %v", c.Checked, len(c.Cuts), c.Violations)
	}
	expected := strings.Join(c.Expected, "\n")
	for _, want := range []string{"full_sample normalization", "volatility_percentile, regime", "1000 bars are streamed", (streamStart + 1).String(), (streamStart + 4).String()} {
		if !strings.Contains(expected, want) {
			t.Errorf("the certificate does not say %q:\n%s", want, expected)
		}
	}
}

// Rows replays what was traded: every row and fill of the whole, to the bit.
func TestStreamedRows(t *testing.T) {
	lake := tradesLake(t, streamStart-1, 300, 1500, -1, 700, 0, 900)
	for _, c := range streamStudies {
		s := articleOn(t, c.preset, streamStart, 5, c.overrides...)
		whole := mustBacktest(t, lake, s, Options{})
		streamed := mustBacktest(t, lake, s, Options{streamFrom: 1, chunkRows: 50})
		var rows RunRows
		var decided []int64
		at := whole.Span.Lo
		err := streamed.Streamed.Rows(func(x *RunRows) error {
			for k, f := range x.Fills {
				f.Row += at
				f.Decided = whole.All.Fills[len(rows.Fills)].Decided // by its label
				rows.Fills, decided = append(rows.Fills, f), append(decided, x.Decided[k])
			}
			at += len(x.TS)
			rows.TS, rows.Bar = append(rows.TS, x.TS...), append(rows.Bar, x.Bar...)
			rows.Equity, rows.Hold = append(rows.Equity, x.Equity...), append(rows.Hold, x.Hold...)
			rows.Quantity, rows.Weight = append(rows.Quantity, x.Quantity...), append(rows.Weight, x.Weight...)
			rows.Target, rows.Close = append(rows.Target, x.Target...), append(rows.Close, x.Close...)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		lo, hi := whole.Span.Lo, whole.Span.Hi
		for _, column := range []struct {
			name      string
			got, want any
		}{
			{"ts", rows.TS, whole.Market.Close[lo:hi]}, {"equity", rows.Equity, whole.All.Equity}, {"hold", rows.Hold, whole.Evaluation.Hold[0]},
			{"quantity", rows.Quantity, whole.All.Quantity[0]}, {"weight", rows.Weight, whole.All.Weight[0]}, {"ledger", rows.Bar, whole.All.Bar},
			{"target", rows.Target, whole.Target.Col(0)[lo:hi]}, {"close", rows.Close, whole.Market.Panel("close").Col(0)[lo:hi]}, {"fills", rows.Fills, whole.All.Fills},
		} {
			if !reflect.DeepEqual(column.got, column.want) {
				t.Errorf("%s: %s differs from the whole's", c.name, column.name)
			}
		}
		for k, f := range whole.All.Fills {
			if decided[k] != whole.Market.Close[f.Decided] {
				t.Fatalf("%s: fill %d was decided at %s, of the whole at %s", c.name, k, instant(decided[k]), instant(whole.Market.Close[f.Decided]))
			}
		}
	}
}

// The frame that is written has the columns of the whole's, to the bit.
func TestStreamedFrameRows(t *testing.T) {
	lake := tradesLake(t, streamStart-1, 300, 700, 500)
	s := articleOn(t, "article-math", streamStart, 2)
	whole, err := Frame(t.Context(), lake, s, Options{NoCache: true})
	if err != nil {
		t.Fatal(err)
	}
	streamed, err := Frame(t.Context(), lake, s, Options{streamFrom: 1, chunkRows: 64})
	if err != nil {
		t.Fatal(err)
	}
	panels := append(slices.Concat(whole.Market.Panels, whole.Factors.Panels), whole.Score.Panel)
	at := whole.Span.Lo
	err = streamed.Streamed.Frame(func(x *FrameRows) error {
		for k, name := range streamed.Streamed.Columns() {
			if panels[k].Name != name {
				t.Fatalf("column %d is %s, of the whole %s", k, name, panels[k].Name)
			}
			for i, v := range x.Columns[k] {
				if w := panels[k].Col(0)[at+i]; math.Float64bits(v) != math.Float64bits(w) && !(math.IsNaN(v) && math.IsNaN(w)) {
					t.Fatalf("%s at row %d is %v, of the whole %v", name, at+i, v, w)
				}
			}
		}
		at += len(x.TS)
		return nil
	})
	if err != nil || at != whole.Span.Hi || len(panels) != len(streamed.Streamed.Columns()) {
		t.Fatalf("%d rows and %d columns, want %d and %d: %v", at, len(streamed.Streamed.Columns()), whole.Span.Hi, len(panels), err)
	}
}

// BenchmarkStream is the article's study of two days of 400,000 trades, from Parquet: both passes, without a report.
func BenchmarkStream(b *testing.B) {
	const days, n = 2, 400_000
	lake := tradesLake(b, streamStart, n, n)
	s := articleOn(b, "article", streamStart, days)
	for b.Loop() {
		mustBacktest(b, lake, s, Options{streamFrom: 1})
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/days/n, "ns/trade")
}
