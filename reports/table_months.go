package reports

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/qf-dev/qf/backtest/evaluate"
)

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
		total = float64(total * (1 + float64(m.Return)))
		y.Total = percent(evaluate.Figure(total-1), 1)
		v := monthView{Text: percent(m.Return, 1), Title: fmt.Sprintf("%s: %s over %d days", m.Month, percent(m.Return, 2), m.Days), Tone: tone(float64(m.Return))}
		if most > 0 && finite(float64(m.Return)) {
			v.Strength = whole(math.Round(100*(math.Abs(float64(m.Return))/most)), 100)
		}
		y.Months[k-1] = v
	}
	return out
}
