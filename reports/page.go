package reports

import (
	"crypto/sha256"
	"encoding/base64"
	"html/template"

	"github.com/goccy/go-yaml"

	"github.com/qf-dev/qf/backtest/evaluate"
	"github.com/qf-dev/qf/reports/chart"
)

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
	PredictText, PayText                         string
	SurePrediction, SurePay                      string
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
	Persistence, Variants, Stability, Sources    grid
	Membership                                   grid
	Models                                       *modelsView
	PnLColumns                                   []heading
	PnL                                          []pnlGroup
	Months                                       []yearView
	Factors                                      grid
	Config                                       string
	SourceRows, SourceFiles, SourceBytes         string
	ByInstrument, Trials                         grid
	DistributionNote, QuantileNote               string
}

type positionView struct {
	Instrument    string
	Price, Weight template.HTML
}

type feedView struct {
	Coverage
	Strip template.HTML
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
		PredictText: d.predictSentence(), PayText: d.paySentence(),
		SurePrediction: d.surePrediction(), SurePay: d.surePay(),
		Findings: d.findings(), Headline: headlines(d),
		Equity: equityChart(d), Drawdown: drawdownChart(d), IC: icChart(d), Daily: dailyICChart(d),
		Quantiles: quantileChart(d), Distribution: distributionChart(d), Waterfall: waterfallChart(d),
		ICTable: icSummary(d), ICSignals: icSignals(d), ICDetails: icDetails(d),
		LevelTable: levelSummary(d), LevelDetails: levelDetails(d), Transitions: transitionGrid(d),
		Factors: factorGrid(d), Months: years(d), Config: string(config), ByInstrument: instrumentGrid(d),
		DistributionNote: distributionNote(d), QuantileNote: quantileNote(d),
		Trials: trialGrid(d.Trials), Delays: delayChart(d), Persistence: persistenceGrid(d), Variants: variantGrid(d), Stability: stabilityGrid(d), Membership: membershipGrid(d),
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

// HasWindows reports whether more than one window was replayed.
func (p *page) HasWindows() bool { return p.WindowPnL != "" }

// NetUnknown is what is not known of the whole run's net; nil where all is.
func (p *page) NetUnknown() *Unknown { return p.Report.netUnknown(evaluate.All) }

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
