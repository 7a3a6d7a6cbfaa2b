package factors

// Frame is a set of panels on one grid: market fields (bar columns) are a frame, factors are a frame.
type Frame struct {
	*Grid
	Panels []*Panel
}

// Panel finds a panel by name, or nil.
func (f *Frame) Panel(name string) *Panel {
	for _, p := range f.Panels {
		if p.Name == name {
			return p
		}
	}
	return nil
}
