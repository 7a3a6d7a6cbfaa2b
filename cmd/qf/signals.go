package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/qf-dev/qf/backtest"
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
}

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

func newSignalsLs(s streams, c *common, run func(context.Context, streams, signalsOptions) error) *cobra.Command {
	o := signalsOptions{common: c}
	cmd := &cobra.Command{
		Use:   "ls --config FILE",
		Short: "List what the models answered to a study's questions",
		Long: `Lists each question of a study and each model's answer: valid, invalid or missing, what it said,
and the file that holds it.
` + exitPlain,
		Example: `  qf signals ls --config study.yaml
  qf signals ls --config study.yaml --model gemini-2.5-flash --json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), s, o) },
	}
	o.bind(cmd)
	return cmd
}

func newSignalsVerify(s streams, c *common, run func(context.Context, streams, signalsOptions) error) *cobra.Command {
	o := signalsOptions{common: c}
	cmd := &cobra.Command{
		Use:   "verify --config FILE",
		Short: "Check a study's cache: whole, valid, complete",
		Long: `Reads every file of a study's cache, compares it with the digest that it carries and its answer
with the text it was read from; then lists the answers of the study that are invalid, and counts
those that are missing.

Exit codes: 0 a backtest can use the cache; 1 files were changed, more answers are invalid than
max_invalid allows, or answers are missing that the study wants, or failed; 2 wrong usage or
configuration; 130 interrupted.`,
		Example: `  qf signals verify --config study.yaml`,
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), s, o) },
	}
	o.bind(cmd)
	return cmd
}

// asked is a study's questions and the models that they are put to.
type asked struct {
	study     *backtest.Study
	config    llm.Config
	cache     *llm.Cache
	questions []llm.Question
}

// open loads the study and works out its questions.
func (o signalsOptions) open(ctx context.Context, s streams) (asked, error) {
	a, err := o.load()
	if err != nil {
		return a, err
	}
	return a, a.work(ctx, s, o)
}

// load loads the study.
func (o signalsOptions) load() (a asked, err error) {
	if o.config == "" {
		return a, usageError{errors.New("which study? want --config FILE")}
	}
	if a.study, err = loadStudy(o.config, o.set); err != nil {
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
		fmt.Fprintf(s.err, "qf: %v\n", err)
		return quietError(exitPartly)
	case err != nil:
		return err
	case report.Failed+report.Left == 0:
		return nil
	case got > 0:
		return quietError(exitPartly)
	}
	return quietError(exitFailed)
}

type fillPlanRow struct {
	Model        string          `json:"model"`
	Calls        int             `json:"calls"`
	Cached       int             `json:"cached"`
	Missing      int             `json:"missing"`
	PromptTokens int             `json:"prompt_tokens_at_most"`
	AnswerTokens int             `json:"answer_tokens_at_most"`
	CostUSD      backtest.Figure `json:"cost_usd_at_most"` // null where the price is not known
}

// printFillPlan says what a fill would ask, by model and in all.
func printFillPlan(s streams, o *llm.Opinions, asJSON bool) error {
	sum := fillPlanRow{Model: "*"}
	var rows []fillPlanRow
	for k, m := range o.Config.Models {
		e, cached := o.MissingOf(k), o.Billed(k).Calls
		row := fillPlanRow{m.Name, e.Calls + cached, cached, e.Calls, e.Prompt, e.Answer, backtest.Figure(e.USD)}
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
	CostUSD      backtest.Figure `json:"cost_usd"`
	Lost         int             `json:"lost_requests"` // that may have been billed though no answer came; their cost is in cost_usd
	Failures     []string        `json:"failures"`
}

// printFill says what a fill did.
func printFill(s streams, r llm.FillReport, dir string, asJSON bool) error {
	if asJSON {
		out := fillJSON{
			r.Asked, r.Valid, r.Invalid, r.Failed, r.Held, r.Left, r.Prompt, r.Answer, backtest.Figure(r.USD), r.Lost, []string{},
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

type replyJSON struct {
	Time       string          `json:"time"`
	Instrument string          `json:"instrument"`
	Model      string          `json:"model"`
	State      string          `json:"state"`
	Action     string          `json:"action,omitempty"`
	Confidence backtest.Figure `json:"confidence"`
	Size       backtest.Figure `json:"position_size"`
	Opinion    backtest.Figure `json:"opinion"`
	Reasoning  string          `json:"reasoning,omitempty"`
	Reason     string          `json:"invalid_because,omitempty"`
	Requests   int             `json:"requests"`
	Prompt     int             `json:"prompt_tokens"`
	Answer     int             `json:"answer_tokens"`
	Latency    float64         `json:"latency_seconds"`
	Key        llm.Key         `json:"key"`
}

func runSignalsLs(ctx context.Context, s streams, o signalsOptions) error {
	a, err := o.open(ctx, s)
	if err != nil {
		return err
	}
	held, err := llm.Read(a.cache, a.config, a.questions)
	if err != nil {
		return err
	}
	if o.json {
		return printJSON(s, repliesJSON(held))
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "time\tinstrument\tmodel\tstate\taction\tconfidence\tsize\tfile")
	states := map[string]int{}
	for _, r := range repliesJSON(held) {
		states[r.State]++
		said := "\t\t"
		if r.State == llm.Valid.String() {
			said = fmt.Sprintf("%s\t%v\t%v", r.Action, r.Confidence, r.Size)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%.12s…\n", r.Time, r.Instrument, r.Model, r.State, said, r.Key)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "%s: %d valid, %d invalid, %d missing\n", a.cache.Dir(), states["valid"], states["invalid"], states["missing"])
	return err
}

// repliesJSON lists the replies by question, then model.
func repliesJSON(o *llm.Opinions) []replyJSON {
	out := []replyJSON{}
	for q, question := range o.Questions {
		for m, model := range o.Config.Models {
			r := o.Replies[m][q]
			row := replyJSON{
				Time: time.UnixMicro(question.Time).UTC().Format(time.RFC3339), Instrument: question.Instrument.String(), Model: model.Name,
				State: r.State.String(), Confidence: backtest.Figure(math.NaN()), Size: backtest.Figure(math.NaN()), Opinion: backtest.Figure(math.NaN()),
				Reason: r.Reason, Requests: r.Calls, Key: r.Key,
			}
			if r.State != llm.Missing {
				row.Prompt, row.Answer, row.Latency = r.Prompt, r.Complete, r.Latency.Seconds()
			}
			if r.State == llm.Valid {
				row.Action, row.Reasoning = r.Answer.Action, r.Answer.Reasoning
				row.Confidence, row.Size, row.Opinion = backtest.Figure(r.Answer.Confidence), backtest.Figure(r.Answer.PositionSize), backtest.Figure(r.Opinion)
			}
			out = append(out, row)
		}
	}
	return out
}

type verifySignals struct {
	Files   int         `json:"files"`
	Damaged []string    `json:"damaged"`
	Invalid []replyJSON `json:"invalid"`
	Missing int         `json:"missing"`
	Known   bool        `json:"study_known"` // else invalid and missing say nothing: the lake does not give the questions
	Usable  bool        `json:"usable"`      // by a backtest of the study
}

func runSignalsVerify(ctx context.Context, s streams, o signalsOptions) error {
	a, err := o.load()
	if err != nil {
		return err
	}
	out := verifySignals{Damaged: []string{}, Invalid: []replyJSON{}}
	files, damaged, err := a.cache.Verify()
	if err != nil {
		return err
	}
	out.Files = files
	for _, d := range damaged {
		out.Damaged = append(out.Damaged, d.Error())
	}
	unread := out.read(ctx, s, o, &a)
	if o.json {
		err = printJSON(s, out)
	} else {
		err = printVerified(s, a.cache, out)
	}
	switch {
	case err != nil:
		return err
	case len(damaged) == 0 && unread != nil:
		return unread
	case !out.Usable:
		return quietError(exitFailed)
	}
	return nil
}

// read looks the study's answers up. The error says why that was not possible.
func (v *verifySignals) read(ctx context.Context, s streams, o signalsOptions, a *asked) error {
	if err := a.work(ctx, s, o); err != nil {
		return err
	}
	held, err := llm.Read(a.cache, a.config, a.questions)
	if err != nil {
		return err
	}
	for _, r := range repliesJSON(held) {
		if r.State == llm.Invalid.String() {
			v.Invalid = append(v.Invalid, r)
		}
	}
	v.Known, v.Missing = true, held.Missing().Calls
	v.Usable = len(v.Damaged) == 0 && a.study.Signals.LLM.Refuses(held) == nil
	return nil
}

func printVerified(s streams, cache *llm.Cache, v verifySignals) error {
	for _, d := range v.Damaged {
		fmt.Fprintf(s.out, "damaged  %s\n", d)
	}
	for _, r := range v.Invalid {
		fmt.Fprintf(s.out, "invalid  %s %s, %s: %s\n         %s\n", r.Time, r.Instrument, r.Model, r.Reason, cache.Path(r.Key))
	}
	fmt.Fprintf(s.out, "%s: %d file(s), %d damaged", cache.Dir(), v.Files, len(v.Damaged))
	if v.Known {
		fmt.Fprintf(s.out, "; of the study's answers %d invalid, %d missing", len(v.Invalid), v.Missing)
	}
	_, err := fmt.Fprintln(s.out)
	return err
}
