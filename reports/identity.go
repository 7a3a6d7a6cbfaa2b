package reports

import (
	"encoding/json"
	"strconv"
)

// rowNames are the keys that name the rows of each list of a report, in the order in which paths
// show them.
var rowNames = map[string][]string{
	"ic":                {"signal", "instrument", "window", "horizon"},
	"daily_ic":          {"signal", "day"},
	"memory":            {"signal", "instrument"},
	"slices":            {"signal", "by", "slice"},
	"quantiles":         {"signal", "horizon", "quantile"},
	"quantile_spreads":  {"signal", "horizon"},
	"levels":            {"signal", "window", "level", "horizon"},
	"transitions":       {"signal", "window", "from", "to"},
	"pnl":               {"signal", "window"},
	"metrics":           {"figure"},
	"pnl_by_instrument": {"instrument"},
	"variants":          {"variant", "delay"},
	"stability":         {"signal", "figure"},
	"monthly":           {"month"},
	"membership":        {"day"},
	"usage":             {"model"},
	"at_prices":         {"model"},
	"calibration":       {"model"},
	"reliability":       {"model", "bin"},
	"pairs":             {"model", "other"},
	"comparison":        {"signal"},
	"cutoffs":           {"model", "period"},
	"verdicts":          {"model"},
	"paired":            {"model"},
	"examples":          {"model", "action"},
	"coverage":          {"instrument", "feed"},
	"instruments":       {"instrument"},
	"windows":           {"window"},
	"positions":         {"instrument"},
}

// identities gives the identity of each row of the list at a path; ok is false unless every row is
// an object with one of its own.
func identities(at []step, rows []any) (out []keys, ok bool) {
	names := rowNames[at[len(at)-1].name]
	seen := map[string]bool{}
	for _, r := range rows {
		m, _ := r.(map[string]any)
		var id keys
		for _, name := range names {
			switch v := m[name].(type) {
			case string:
				id = append(id, pair{name, v})
			case json.Number:
				id = append(id, pair{name, v.String()})
			}
		}
		if len(id) == 0 || seen[id.String()] {
			return nil, false
		}
		seen[id.String()] = true
		out = append(out, id)
	}
	return out, true
}

// indexes identifies n rows by their index.
func indexes(n int) []keys {
	out := make([]keys, n)
	for k := range out {
		out[k] = keys{{"", strconv.Itoa(k)}}
	}
	return out
}
