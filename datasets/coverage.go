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
	// By the vendor's metadata: those of MissingDays on which the symbol was not listed, and what it says went wrong on days from From to To.
	Unlisted  []Day         `json:"not_listed_days,omitempty"`
	Incidents []DayIncident `json:"incidents,omitempty"`
}

// DayIncident is an incident within a day.
type DayIncident struct {
	Day     Day    `json:"date"`
	Time    string `json:"time"` // 14:10–18:00
	Details string `json:"details"`
}

// Coverage says for every series of the lake which days it has, reading footers only, in
// Partition.Compare's order.
func (l *Lake) Coverage() ([]Coverage, error) {
	parts, err := l.All()
	if err != nil {
		return nil, err
	}
	out := []Coverage{}
	known := l.Catalog()
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
	for k := range out {
		out[k].explain(known)
	}
	return out, known.Err()
}

// explain says what the vendor's metadata tells of the days.
func (c *Coverage) explain(known *Catalog) {
	v := known.Venue(c.Exchange)
	if v == nil {
		return
	}
	in := Instrument{c.Exchange, c.Symbol}
	for _, d := range c.MissingDays {
		if known.Absence(Partition{in, c.Type, d}, v.Asked) == NotListed {
			c.Unlisted = append(c.Unlisted, d)
		}
	}
	for _, i := range v.Incidents {
		for d := max(c.From, DayOf(i.From.UnixMicro())); d < c.To && i.Touches(d); d++ {
			c.Incidents = append(c.Incidents, DayIncident{d, i.On(d), i.Details})
		}
	}
}
