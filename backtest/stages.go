package backtest

import (
	"context"

	"github.com/qf-dev/qf/backtest/portfolio"
	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/backtest/universe"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/datasets/bars"
	"github.com/qf-dev/qf/datasets/series"
	"github.com/qf-dev/qf/factors"
	"github.com/qf-dev/qf/signals"
)

// stages is the way from ticks to positions, a function a stage. There is one; tests of the audit break a stage of it
// to see that they are caught.
type stages struct {
	open    func(context.Context, bars.Store, []bars.Request, bars.Options) (*bars.Source, error)
	choose  func(d *universe.Days, c study.UniverseConfig, instants []datasets.Day) universe.Schedule
	blocks  func(b *bars.Block, fields []string) // what becomes of a block before factors see it
	series  func(s *series.Series, dst []float64, labels []int64)
	columns func(ctx context.Context, play *factors.Play, b *bars.Block, workers int) ([][][]float64, error)
	score   func(scoring *factors.Scoring, columns [][][]float64) (score [][]float64, z [][][]float64)
	targets func(rule signals.Stepper, target, score []float64, rows signals.Rows)
	replay  func(p *portfolio.Portfolio, b *bars.Block, fields []int, target [][]float64) *portfolio.Rows
}

var production = stages{
	open:   bars.OpenSource,
	choose: universe.Select,
	blocks: func(*bars.Block, []string) {},
	series: (*series.Series).At,
	columns: func(ctx context.Context, play *factors.Play, b *bars.Block, workers int) ([][][]float64, error) {
		return play.Next(ctx, b, workers)
	},
	score: func(scoring *factors.Scoring, columns [][][]float64) ([][]float64, [][][]float64) {
		return scoring.Next(columns)
	},
	targets: func(rule signals.Stepper, target, score []float64, rows signals.Rows) { rule.Step(target, score, rows) },
	replay: func(p *portfolio.Portfolio, b *bars.Block, fields []int, target [][]float64) *portfolio.Rows {
		return p.Step(b, fields, target)
	},
}
