package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/qf-dev/qf/backtest/evaluate"
	"github.com/qf-dev/qf/signals/llm"
)

func newSignalsFill(s streams, c *common, run func(context.Context, streams, signalsOptions) error) *cobra.Command {
	o := signalsOptions{common: c}
	cmd := &cobra.Command{
		Use:   "fill --config FILE",
		Short: "Ask the models for the answers that the cache lacks",
		Long: `Asks the models of a study for every answer that its cache lacks, under the study's rate and
budget, and stores each as soon as it is there: the same command again goes on where it stopped and
pays for nothing twice. The key of the endpoint is read from the variable that the study names,
HOLYSHEEP_API_KEY by default (get one at https://www.holysheep.ai), and is written nowhere.

Exit codes: 0 the cache has every answer; 1 failed: nothing came in, or the endpoint refuses the
key; 2 wrong usage or configuration; 3 partly done: the budget is used up, or some calls failed;
130 interrupted, with every answer that was paid for in the cache.`,
		Example: `  qf signals fill --config study.yaml --dry-run
  qf signals fill --config study.yaml --model deepseek-v3.2 --budget 0.50`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), s, o) },
	}
	o.bind(cmd)
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "print calls, tokens and cost, and ask nothing")
	cmd.Flags().StringVar(&o.budget, "budget", "", "spend at most so many `USD`, whatever the study says")
	return cmd
}

func runSignalsFill(ctx context.Context, s streams, o signalsOptions) error {
	a, err := o.open(ctx, s)
	if err != nil {
		return err
	}
	held, err := llm.Read(a.cache, a.config, a.questions)
	if err != nil {
		return err
	}
	if o.dryRun {
		return printFillPlan(s, held, o.json)
	}
	key := strings.TrimSpace(s.getenv(a.config.APIKeyEnv))
	if missing := held.Missing(); missing.Calls > 0 && key == "" && a.config.APIKeyEnv != "" {
		return usageError{fmt.Errorf("%s is not set, and %d answers are to be asked for: get a key at %s; for an endpoint without keys, say api_key_env: \"\"",
			a.config.APIKeyEnv, missing.Calls, a.config.KeySite())}
	}
	progress := newFillProgress(s, o.common)
	report, err := llm.Fill(ctx, a.cache, a.config, a.questions, llm.FillOptions{
		Key: key, UserAgent: "qf/" + qfVersion(), Progress: progress.observe,
	})
	progress.close()
	if err != nil && report.Asked+report.Held+report.Left == 0 {
		return err
	}
	if printErr := printFill(s, report, a.cache.Dir(), o.json); printErr != nil {
		return printErr
	}
	got := report.Valid + report.Invalid + report.Held
	switch {
	case errors.Is(err, llm.ErrBudget) && got > 0:
		if !o.quiet {
			fmt.Fprintf(s.err, "qf: %v\n", err)
		}
		return quietly(exitPartly, "%v", err)
	case err != nil:
		return err
	case report.Failed+report.Left == 0:
		return nil
	case got > 0:
		return quietly(exitPartly, "signals fill: %d answer(s) failed, %d are left", report.Failed, report.Left)
	}
	return quietly(exitFailed, "signals fill: %d answer(s) failed, %d are left", report.Failed, report.Left)
}

type fillPlanRow struct {
	Model        string          `json:"model"`
	Calls        int             `json:"calls"`
	Cached       int             `json:"cached"`
	Missing      int             `json:"missing"`
	PromptTokens int             `json:"prompt_tokens_at_most"`
	AnswerTokens int             `json:"answer_tokens_at_most"`
	CostUSD      evaluate.Figure `json:"cost_usd_at_most"` // null where the price is not known
}

// printFillPlan says what a fill would ask, by model and in all.
func printFillPlan(s streams, o *llm.Opinions, asJSON bool) error {
	sum := fillPlanRow{Model: "*"}
	var rows []fillPlanRow
	for k, m := range o.Config.Models {
		e, cached := o.MissingOf(k), o.Billed(k).Calls
		row := fillPlanRow{m.Name, e.Calls + cached, cached, e.Calls, e.Prompt, e.Answer, evaluate.Figure(e.USD)}
		rows = append(rows, row)
		sum.Calls += row.Calls
		sum.Cached += row.Cached
		sum.Missing += row.Missing
		sum.PromptTokens += row.PromptTokens
		sum.AnswerTokens += row.AnswerTokens
		sum.CostUSD += row.CostUSD
	}
	rows = append(rows, sum)
	if asJSON {
		return printJSON(s, rows)
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "model\tcalls\tcached\tto ask\tprompt tokens\tanswer tokens\tUSD, at most")
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%s\n", r.Model, r.Calls, r.Cached, r.Missing, r.PromptTokens, r.AnswerTokens, usd(float64(r.CostUSD)))
	}
	return w.Flush()
}

// usd writes a cost to a hundredth of a cent.
func usd(x float64) string {
	if math.IsNaN(x) {
		return "not known"
	}
	return strconv.FormatFloat(x, 'f', 4, 64)
}

type fillJSON struct {
	Asked        int             `json:"asked"`
	Valid        int             `json:"valid"`
	Invalid      int             `json:"invalid"`
	Failed       int             `json:"failed"`
	Cached       int             `json:"cached_before"`
	Left         int             `json:"left"`
	PromptTokens int             `json:"prompt_tokens"`
	AnswerTokens int             `json:"answer_tokens"`
	CostUSD      evaluate.Figure `json:"cost_usd"`
	Lost         int             `json:"lost_requests"` // that may have been billed though no answer came; their cost is in cost_usd
	Failures     []string        `json:"failures"`
}

// printFill says what a fill did.
func printFill(s streams, r llm.FillReport, dir string, asJSON bool) error {
	if asJSON {
		out := fillJSON{
			r.Asked, r.Valid, r.Invalid, r.Failed, r.Held, r.Left, r.Prompt, r.Answer, evaluate.Figure(r.USD), r.Lost, []string{},
		}
		for _, f := range r.Failures {
			out.Failures = append(out.Failures, f.Error())
		}
		return printJSON(s, out)
	}
	fmt.Fprintf(s.out, "%s: %d answers were there, %d asked for: %d valid, %d invalid, %d failed", dir, r.Held, r.Asked, r.Valid, r.Invalid, r.Failed)
	if r.Left > 0 {
		fmt.Fprintf(s.out, "; %d left", r.Left)
	}
	fmt.Fprintf(s.out, "\n%d prompt and %d answer tokens, %s USD\n", r.Prompt, r.Answer, usd(r.USD))
	if r.Lost > 0 {
		fmt.Fprintf(s.out, "%d request(s) broke off and may have been billed; they are counted at their worst\n", r.Lost)
	}
	for _, f := range r.Failures {
		fmt.Fprintf(s.out, "  %v\n", f)
	}
	return nil
}

// fillProgress shows how a fill goes: a bar over calls with tokens and cost on a terminal, else a line
// for every twentieth of them, or each when verbose; nothing when quiet.
type fillProgress struct {
	*common
	s   streams
	bar *progressbar.ProgressBar
}

func newFillProgress(s streams, c *common) *fillProgress { return &fillProgress{common: c, s: s} }

func (p *fillProgress) observe(e llm.Progress) {
	so := fmt.Sprintf("%d+%d tokens, %s USD", e.Prompt, e.Answer, usd(e.USD))
	switch {
	case p.quiet:
	case p.s.errTTY && !p.verbose:
		if p.bar == nil {
			p.bar = progressbar.NewOptions(e.Total,
				progressbar.OptionSetWriter(p.s.err),
				progressbar.OptionSetWidth(30),
				progressbar.OptionShowCount(),
				progressbar.OptionSetPredictTime(true),
				progressbar.OptionThrottle(100*time.Millisecond),
				progressbar.OptionClearOnFinish(),
			)
		}
		p.bar.Describe(so)
		_ = p.bar.Set(e.Done) // fails only past its end
	case p.verbose || e.Done == e.Total || e.Done*20/e.Total > (e.Done-1)*20/e.Total:
		fmt.Fprintf(p.s.err, "[%d/%d] %s, %s left\n", e.Done, e.Total, so, e.ETA.Round(time.Second))
	}
}

func (p *fillProgress) close() {
	if p.bar != nil {
		_ = p.bar.Finish() // what it cannot draw is not missed
	}
}
