package main

import (
	"context"
	"fmt"
	"math"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/qf-dev/qf/backtest/evaluate"
	"github.com/qf-dev/qf/signals/llm"
)

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

type replyJSON struct {
	Time       string          `json:"time"`
	Instrument string          `json:"instrument"`
	Model      string          `json:"model"`
	State      string          `json:"state"`
	Action     string          `json:"action,omitempty"`
	Confidence evaluate.Figure `json:"confidence"`
	Size       evaluate.Figure `json:"position_size"`
	Opinion    evaluate.Figure `json:"opinion"`
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
				State: r.State.String(), Confidence: evaluate.Figure(math.NaN()), Size: evaluate.Figure(math.NaN()), Opinion: evaluate.Figure(math.NaN()),
				Reason: r.Reason, Requests: r.Calls, Key: r.Key,
			}
			if r.State != llm.Missing {
				row.Prompt, row.Answer, row.Latency = r.Prompt, r.Complete, r.Latency.Seconds()
			}
			if r.State == llm.Valid {
				row.Action, row.Reasoning = r.Answer.Action, r.Answer.Reasoning
				row.Confidence, row.Size, row.Opinion = evaluate.Figure(r.Answer.Confidence), evaluate.Figure(r.Answer.PositionSize), evaluate.Figure(r.Opinion)
			}
			out = append(out, row)
		}
	}
	return out
}
