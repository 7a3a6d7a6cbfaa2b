package reports

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml"

	"github.com/qf-dev/qf/backtest"
	"github.com/qf-dev/qf/reports/chart"
)

//go:embed page
var pageFiles embed.FS

var pageTemplate = template.Must(template.New("report.html").Funcs(template.FuncMap{
	"minute": minute,
	"share":  share,
	"count":  func(n int) string { return count(float64(n)) },
	"mark":   chart.Mark,
	"short":  func(s string) string { return clip(s, maxText) },
	"signal": signalName,
}).ParseFS(pageFiles, "page/report.html"))

// Bounds on what a page shows, so that it opens quickly whatever the study; the other files of a run
// hold everything.
const (
	maxRows      = 600 // of a table
	maxPositions = 20  // instruments drawn
	openWide     = 3   // of them, shown at once
	maxFeeds     = 60  // coverage strips
	maxText      = 600 // letters of a name or a warning
)

// page is what the template shows: words and drawings, no computation left.
type page struct {
	Style      template.CSS
	Script     template.JS
	ScriptHash string // of the only script that the page lets run
	*Run
	Subtitle, Bars, Coverage                     string
	Predicts, Pays                               word
	PredictText, PayText, Sure                   string
	Findings                                     []finding
	Headline                                     []headline
	Equity, Drawdown, IC, Daily, Quantiles       template.HTML
	Distribution, Waterfall, WindowPnL, WindowIC template.HTML
	Delays, ByVolatility, ByHour                 template.HTML
	Signals                                      []string
	Positions, MorePositions                     []positionView
	Feeds                                        []feedView
	ICTable, ICSignals, ICDetails                grid
	LevelTable, LevelDetails, Transitions        grid
	Memory, Variants, Stability, Sources         grid
	Models                                       *modelsView
	PnLColumns                                   []heading
	PnL                                          []pnlGroup
	Months                                       []yearView
	Config                                       string
	SourceRows, SourceFiles, SourceBytes         string
	ByInstrument                                 grid
	DistributionNote, QuantileNote               string
}

// word is a verdict of a few words with its tone: good, bad or open.
type word struct{ Text, Tone string }

// headline is one large figure.
type headline struct{ Label, Value, Note, Tone string }

type positionView struct {
	Instrument    string
	Price, Weight template.HTML
}

type feedView struct {
	Coverage
	Strip template.HTML
}

// yearView is one row of the heat map of months.
type yearView struct {
	Year   string
	Months [12]monthView
	Total  string
}

type monthView struct {
	Text, Title, Tone string
	Strength          int // 0 to 100
}

// modelsView is the section on language models.
type modelsView struct {
	*Models
	Setup, Text, Usage                             string
	Added                                          word
	Names                                          []string
	Reliability                                    template.HTML
	Comparison, UsageTable, Cost, Prices           grid
	Calibration, Bins, Cutoffs, Pairs, PairedTable grid
}

// writeHTML writes report.html: one file that needs no network, and no script to be read.
func writeHTML(w io.Writer, run *Run) error {
	p, err := newPage(run)
	if err != nil {
		return fmt.Errorf("html: %w", err)
	}
	var b bytes.Buffer
	if err := pageTemplate.ExecuteTemplate(&b, "report.html", p); err != nil {
		return fmt.Errorf("html: %w", err)
	}
	_, err = w.Write(bytes.Map(visible, b.Bytes()))
	return err
}

// visible puts a mark in place of what has no shape but changes how the text around it is shown:
// control characters, and those that turn the direction of writing. Lines and tabs stay.
func visible(r rune) rune {
	switch {
	case r == '\n' || r == '\t':
		return r
	case unicode.Is(unicode.Cc, r), unicode.Is(unicode.Bidi_Control, r):
		return unicode.ReplacementChar
	}
	return r
}

func newPage(run *Run) (*page, error) {
	d := run.Report
	style, err := pageFiles.ReadFile("page/style.css")
	if err != nil {
		return nil, err
	}
	script, err := pageFiles.ReadFile("page/sort.js")
	if err != nil {
		return nil, err
	}
	config, err := yaml.JSONToYAML(run.Manifest.Config)
	if err != nil {
		return nil, err
	}
	hash := sha256.Sum256(script)
	p := &page{
		Style: template.CSS(style), Script: template.JS(script), ScriptHash: base64.StdEncoding.EncodeToString(hash[:]), Run: run,
		Subtitle: instrumentWords(d), Bars: count(float64(d.Bars.Count)) + " bars" + barWords(d.Bars) + prefixed("; ", warmUpWords(d)),
		Coverage:    coverageWords(d),
		PredictText: d.predictSentence(), PayText: d.paySentence(), Sure: d.sureSentence(),
		Findings: d.findings(), Headline: headlines(d),
		Equity: equityChart(d), Drawdown: drawdownChart(d), IC: icChart(d), Daily: dailyICChart(d),
		Quantiles: quantileChart(d), Distribution: distributionChart(d), Waterfall: waterfallChart(d),
		ICTable: icSummary(d), ICSignals: icSignals(d), ICDetails: icDetails(d),
		LevelTable: levelSummary(d), LevelDetails: levelDetails(d), Transitions: transitionGrid(d),
		Months: years(d), Config: string(config), ByInstrument: instrumentGrid(d),
		DistributionNote: distributionNote(d), QuantileNote: quantileNote(d),
		Delays: delayChart(d), Memory: memoryGrid(d), Variants: variantGrid(d), Stability: stabilityGrid(d),
		ByVolatility: sliceChart(d, "volatility", "IC by volatility regime"), ByHour: sliceChart(d, "hour", "IC by UTC hour"),
	}
	p.Predicts, p.Pays = d.Verdict.words()
	p.Signals = d.signalNames()
	p.Signals = p.Signals[:min(len(p.Signals), chart.MaxSeries)]
	p.PnLColumns, p.PnL = pnlTable(d)
	p.WindowPnL, p.WindowIC = windowCharts(d)
	for _, c := range d.Curves.Positions {
		if len(c.TS) > 1 {
			p.Positions = append(p.Positions, positionView{c.Instrument, priceChart(c), weightChart(c)})
		}
		if len(p.Positions) == maxPositions {
			break
		}
	}
	if len(p.Positions) > openWide+1 {
		p.Positions, p.MorePositions = p.Positions[:openWide], p.Positions[openWide:]
	}
	for _, c := range d.Coverage[:min(len(d.Coverage), maxFeeds)] {
		p.Feeds = append(p.Feeds, feedView{c, coverageChart(c)})
	}
	rows, size := int64(0), int64(0)
	for _, s := range run.Manifest.Sources {
		rows, size = rows+s.Rows, size+s.Bytes
	}
	p.Sources = sourceGrid(run.Manifest)
	p.SourceRows, p.SourceFiles, p.SourceBytes = count(float64(rows)), count(float64(len(run.Manifest.Sources))), bytesText(size)
	if m := d.Models; m != nil {
		p.Models = newModelsView(m)
	}
	return p, nil
}

func newModelsView(m *Models) *modelsView {
	v := &modelsView{
		Models: m, Setup: m.setup(), Text: m.addSentence(), Added: m.addWords(), Names: m.names(),
		Reliability: reliabilityChart(m), Comparison: comparisonGrid(m), UsageTable: usageGrid(m), Cost: costGrid(m), Prices: pricesGrid(m),
		Calibration: calibrationGrid(m), Bins: reliabilityGrid(m), Cutoffs: cutoffGrid(m), Pairs: agreementGrid(m), PairedTable: pairedGrid(m),
	}
	v.Names = v.Names[:min(len(v.Names), chart.MaxSeries)]
	if u := m.total(); u != nil {
		v.Usage = count(float64(u.Calls)) + " answers, " + usageWords(u)
	}
	return v
}

// Verdict is the verdict on what a model may have known, for reading.
func (*modelsView) Verdict(v string) word { return verdictName(v) }

// Confidence is a model's stated confidence and position size.
func (e Example) Stated() string {
	if e.Action == invalid {
		return "traded as neutral"
	}
	return fmt.Sprintf("confidence %s, position size %s, opinion %s", share(e.Confidence, 0), signed(e.PositionSize, 2), signed(e.Opinion, 2))
}

func (v Verdict) words() (predicts, pays word) {
	tones := map[string]string{green: "good", red: "bad", yellow: "open"}
	text, style := v.predictWords()
	predicts = word{text, tones[style]}
	text, style = v.payWords()
	return predicts, word{text, tones[style]}
}

// headlines are the six figures of the first screen.
func headlines(d *Report) []headline {
	var out []headline
	if ic := d.Headline(); ic != nil {
		lo, hi := interval(ic)
		note := "t " + signed(ic.T, 1) + ", p " + pValue(ic.P)
		if finite(lo) {
			note = "95%: " + span(backtest.Figure(lo), backtest.Figure(hi), 3)
		}
		out = append(out, headline{"IC, " + ic.Horizon + " ahead", signed(ic.Pearson, 3), note, ""})
	}
	p := d.Outcome()
	if p == nil {
		return out
	}
	earned := known(shares(p.TotalReturnLow, p.TotalReturnHigh))
	if earned != "" {
		earned = "95%: " + earned + "; "
	}
	sharpe := "annualized from " + count(float64(d.Span.Days)) + " days"
	if s := span(p.SharpeLow, p.SharpeHigh, 1); s != "" {
		sharpe = "95%: " + s + "; " + sharpe
	}
	costs := (p.Fees + p.Slippage + p.Impact) / p.InitialEquity
	return append(out,
		headline{"Return after costs", percent(p.TotalReturn, 1), earned + "holding " + percent(p.BuyAndHold, 1), tone(float64(p.TotalReturn))},
		headline{"Sharpe ratio", signed(p.Sharpe, 2), sharpe, ""},
		headline{"Maximum drawdown", percent(p.MaxDrawdown, 1), plain(p.MaxDrawdownDays, 0) + " days under water", ""},
		headline{"Costs", share(costs, 1), "of initial equity; " + percent(beforeCosts(p), 1) + " before them", ""},
		headline{"Break-even cost", plain(p.BreakEvenBps, 1) + " bps", "turnover " + multiple(p.TurnoverPerDay) + " a day", ""},
	)
}

// years lays the months out by year.
func years(d *Report) []yearView {
	var out []yearView
	most := 0.0
	for _, m := range d.Monthly {
		if v := math.Abs(float64(m.Return)); finite(v) {
			most = math.Max(most, v)
		}
	}
	total := 1.0
	for _, m := range d.Monthly {
		year, month, _ := strings.Cut(m.Month, "-")
		k, err := strconv.Atoi(month)
		if err != nil || k < 1 || k > 12 {
			continue
		}
		if len(out) == 0 || out[len(out)-1].Year != year {
			out = append(out, yearView{Year: year})
			total = 1
		}
		y := &out[len(out)-1]
		total *= 1 + float64(m.Return)
		y.Total = percent(backtest.Figure(total-1), 1)
		v := monthView{Text: percent(m.Return, 1), Title: fmt.Sprintf("%s: %s over %d days", m.Month, percent(m.Return, 2), m.Days), Tone: tone(float64(m.Return))}
		if most > 0 && finite(float64(m.Return)) {
			v.Strength = int(math.Round(100 * math.Abs(float64(m.Return)) / most))
		}
		y.Months[k-1] = v
	}
	return out
}

// instrumentGrid splits the run's PnL by instrument.
func instrumentGrid(d *Report) grid {
	g := grid{Caption: "PnL by instrument, quote currency", Head: []heading{{Text: "Instrument"}, {Text: "Contract"}}}
	for _, name := range []string{"Price PnL", "Funding", "Fees", "Slippage", "Impact", "Net"} {
		g.Head = append(g.Head, heading{Text: name, Numeric: true})
	}
	for k, r := range d.ByInstrument {
		contract := ""
		if k < len(d.Instruments) {
			contract = d.Instruments[k].Contract
		}
		line := []entry{words(r.Instrument), words(contract)}
		for _, v := range []backtest.Figure{r.PricePnL, r.Funding, -r.Fees, -r.Slippage, -r.Impact, r.Net} {
			line = append(line, figure(v, signed(v, 0), ""))
		}
		g.Rows = append(g.Rows, line)
	}
	return g
}

func distributionNote(d *Report) string {
	s := d.Distribution
	if s.N == 0 {
		return ""
	}
	note := fmt.Sprintf("mean %s, standard deviation %s", signed(s.Mean, 2), plain(s.Std, 2))
	if s.Below+s.Above > 0 {
		note += fmt.Sprintf("; %s values beyond the axis, from %s to %s", count(float64(s.Below+s.Above)), signed(s.Min, 1), signed(s.Max, 1))
	}
	return note
}

// quantileNote says what the score's buckets say together.
func quantileNote(d *Report) string {
	for _, s := range d.Spreads {
		if s.Signal == d.Score && s.Horizon == d.PrimaryHorizon && finite(float64(s.Spread)) {
			return fmt.Sprintf("highest less lowest %s bps, monotonicity %s", signed(s.Spread*1e4, 2), signed(s.Monotonicity, 2))
		}
	}
	return ""
}

// bytesText is a size for reading.
func bytesText(n int64) string {
	units := []string{"B", "kB", "MB", "GB", "TB"}
	v := float64(n)
	k := 0
	for v >= 1000 && k < len(units)-1 {
		v /= 1000
		k++
	}
	if k == 0 {
		return count(v) + " B"
	}
	return plain(backtest.Figure(v), 1) + " " + units[k]
}

// HasWindows reports whether more than one window was replayed.
func (p *page) HasWindows() bool { return p.WindowPnL != "" }

// Legend says whether the IC chart needs one.
func (p *page) Legend() bool { return len(p.Signals) > 1 }

// Unplotted is the number of signals for which the IC chart has no room.
func (p *page) Unplotted() int { return len(p.Report.signalNames()) - len(p.Signals) }

// Undrawn is the number of instruments whose position is not drawn.
func (p *page) Undrawn() int {
	return len(p.Report.Instruments) - len(p.Positions) - len(p.MorePositions)
}

// Unshown is the number of feeds whose coverage is not drawn.
func (p *page) Unshown() int { return len(p.Report.Coverage) - len(p.Feeds) }

// Warned is as many warnings as a page can take.
func (p *page) Warned() []string {
	shown, _ := bounded(p.Report.Warnings, "")
	return shown
}
