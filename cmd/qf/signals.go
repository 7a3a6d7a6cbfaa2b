package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/qf-dev/qf/backtest"
	"github.com/qf-dev/qf/backtest/study"
	"github.com/qf-dev/qf/datasets"
	"github.com/qf-dev/qf/signals/llm"
)

type signalsOptions struct {
	*common
	lake   lakeFlag
	config string
	set    []string
	models []string
	dryRun bool
	budget string
	json   bool
}

func newSignals(s streams, c *common) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "signals",
		Short: "Ask language models for what a study lacks; list and check their answers",
		Long: `A study with a section signals.llm asks language models for an opinion once a day, or at another
cadence. qf backtest reads the answers from a cache beside the study and nothing from the network;
fill asks for what the cache lacks, ls lists the answers, verify checks them.
` + exitPlain,
		Example: `  qf signals fill --config study.yaml --dry-run
  qf signals fill --config study.yaml --budget 2
  qf backtest --config study.yaml`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newSignalsFill(s, c, runSignalsFill), newSignalsLs(s, c, runSignalsLs), newSignalsVerify(s, c, runSignalsVerify))
	return cmd
}

// bind gives a command what all of them have: which study, over which lake, and which of its models.
func (o *signalsOptions) bind(cmd *cobra.Command) {
	f := cmd.Flags()
	o.lake.bind(cmd)
	bindConfig(cmd, &o.config, "the study in `FILE`")
	bindSet(cmd, &o.set)
	f.StringArrayVar(&o.models, "model", nil, "only the model `NAME` of the study (repeatable)")
	f.BoolVar(&o.json, "json", false, "print as JSON")
	var names []string
	for _, m := range llm.Prices() {
		names = append(names, m.Name)
	}
	complete(cmd, "model", fixed(names...))
}

// asked is a study's questions and the models that they are put to.
type asked struct {
	study     *study.Study
	config    llm.Config
	cache     *llm.Cache
	questions []llm.Question
}

// open loads the study and works out its questions.
func (o signalsOptions) open(ctx context.Context, s streams) (asked, error) {
	a, err := o.load(s)
	if err != nil {
		return a, err
	}
	return a, a.work(ctx, s, o)
}

// load loads the study.
func (o signalsOptions) load(s streams) (a asked, err error) {
	if o.config == "" {
		return a, usageError{errors.New("which study? want --config FILE")}
	}
	if a.study, err = loadStudy(s, o.lake, o.config, o.set); err != nil {
		return a, err
	}
	section := a.study.Signals.LLM
	if section == nil {
		return a, usageError{fmt.Errorf("%s asks no models: want a section signals.llm, as in --set 'signals.llm={}'", o.config)}
	}
	if a.config, err = section.Config(); err != nil {
		return a, usageError{err}
	}
	a.cache = llm.OpenCache(section.CacheDir())
	if err := o.restrict(&a.config); err != nil {
		return a, usageError{err}
	}
	return a, nil
}

// work works out the questions from the lake.
func (a *asked) work(ctx context.Context, s streams, o signalsOptions) error {
	lake, err := o.lake.open(s, a.study.Data.Lake, o.config)
	if err != nil {
		return err
	}
	a.questions, err = backtest.Questions(ctx, lake, a.study, backtest.Options{Log: o.logger(s)})
	return err
}

// restrict leaves the models that --model names and puts --budget in place.
func (o signalsOptions) restrict(c *llm.Config) error {
	if o.budget != "" {
		usd, err := strconv.ParseFloat(o.budget, 64)
		if err != nil || !(usd >= 0) || math.IsInf(usd, 0) {
			return fmt.Errorf("--budget %s: want USD, as in 2.50", o.budget)
		}
		c.BudgetUSD = usd
	}
	var names []string
	for _, m := range c.Models {
		if !math.IsNaN(c.BudgetUSD) && !m.Priced() {
			return fmt.Errorf("model %s has no price, and there is a budget: give its input_usd and output_usd", m.Name)
		}
		names = append(names, m.Name)
	}
	for _, name := range o.models {
		if !slices.Contains(names, name) {
			return fmt.Errorf("--model %s: the study does not ask it%s", name, datasets.DidYouMean(name, names))
		}
	}
	if len(o.models) > 0 {
		c.Models = slices.DeleteFunc(c.Models, func(m llm.Model) bool { return !slices.Contains(o.models, m.Name) })
	}
	return nil
}
