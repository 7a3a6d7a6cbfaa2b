package bars

// Block is successive rows of a grid: rows [Lo, Hi), with a label each and a value by field and instrument. Which
// fields, and in which order, says who asked for the block. Missing is NaN. A frame in memory is the case of one block.
//
// Its memory belongs to the source that gave it and is valid until the next block; nobody else writes to it.
type Block struct {
	Lo, Hi int
	Close  []int64       // labels of the rows, Unix µs, ascending
	Cols   [][][]float64 // by field, then instrument: Hi − Lo values each
	// Members says by instrument and row which belong to the universe that is traded, as known at the label; nil: all do, always. What
	// compares instruments looks at members only. A source knows of none: who plays its blocks puts them in.
	Members [][]bool
}

// Len is the number of rows.
func (b *Block) Len() int { return b.Hi - b.Lo }

// Rows is the part of a block that begins and ends with rows lo and hi of the grid, which must lie within it.
func (b *Block) Rows(lo, hi int) *Block {
	part := &Block{Lo: lo, Hi: hi, Close: b.Close[lo-b.Lo : hi-b.Lo], Cols: make([][][]float64, len(b.Cols))}
	for _, x := range b.Members {
		part.Members = append(part.Members, x[lo-b.Lo:hi-b.Lo])
	}
	for k, field := range b.Cols {
		part.Cols[k] = make([][]float64, len(field))
		for i, x := range field {
			part.Cols[k][i] = x[lo-b.Lo : hi-b.Lo]
		}
	}
	return part
}
