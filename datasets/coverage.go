package datasets

// Coverage is what the lake holds of one feed of one instrument. Its JSON form is that of `qf ls --json`.
type Coverage struct {
	Type            DataType `json:"type"`
	Exchange        string   `json:"exchange"`
	Symbol          string   `json:"symbol"`
	From            Day      `json:"from"`         // the first day that is there
	To              Day      `json:"to"`           // the day after the last one, as --to is meant
	Days            int      `json:"days"`         // files that are there, the empty ones included
	EmptyDays       int      `json:"empty_days"`   // of those, files without rows: known empty
	MissingDays     []Day    `json:"missing_days"` // days between From and To without a file
	Rows            int64    `json:"rows"`
	Bytes           int64    `json:"bytes"`            // of the Parquet files
	OrderViolations int64    `json:"order_violations"` // as the footers record
	// Unreadable lists the days whose file has no footer that makes sense; they count in Days only.
	Unreadable []Day `json:"unreadable_days,omitempty"`
	// Empty lists the known empty days.
	Empty []Day `json:"-"`
}

// Coverage says for every series of the lake which days it has, reading footers only, in
// Partition.Compare's order.
func (l *Lake) Coverage() ([]Coverage, error) {
	parts, err := l.All()
	if err != nil {
		return nil, err
	}
	out := []Coverage{}
	for i, p := range parts {
		if i == 0 || p.Type != parts[i-1].Type || p.Instrument != parts[i-1].Instrument {
			out = append(out, Coverage{Type: p.Type, Exchange: p.Exchange, Symbol: p.Symbol,
				From: p.Day, To: p.Day, MissingDays: []Day{}})
		}
		c := &out[len(out)-1]
		for d := c.To; d < p.Day; d++ {
			c.MissingDays = append(c.MissingDays, d)
		}
		c.To = p.Day + 1
		c.Days++
		f, _, err := l.footer(p)
		if err != nil {
			c.Unreadable = append(c.Unreadable, p.Day)
			continue
		}
		if f.Rows == 0 {
			c.EmptyDays++
			c.Empty = append(c.Empty, p.Day)
		}
		c.Rows += f.Rows
		c.Bytes += f.Bytes
		c.OrderViolations += f.OrderViolations
	}
	return out, nil
}
