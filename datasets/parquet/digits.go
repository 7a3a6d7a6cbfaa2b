package parquet

import (
	"strconv"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/bitutil"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

// digits are columns of integers read as text: identifiers, of which whoever infers the types of a CSV
// makes numbers.
type digits struct {
	*ints
	mem memory.Allocator
}

func (c *digits) begin(mem memory.Allocator, n int) {
	c.mem = mem
	c.ints.begin(mem, n)
}

func (c *digits) finish(valid *memory.Buffer, nulls int) (arrow.Array, error) {
	defer c.drop()
	var text []byte
	offsets := memory.NewResizableBuffer(c.mem)
	defer offsets.Release()
	offsets.Resize((len(c.dst) + 1) * 4)
	ends := arrow.Int32Traits.CastFromBytes(offsets.Bytes())
	ends[0] = 0
	for i, v := range c.dst {
		if nulls == 0 || bitutil.BitIsSet(valid.Bytes(), i) {
			text = strconv.AppendInt(text, v, 10)
		}
		ends[i+1] = int32(len(text))
	}
	body := memory.NewResizableBuffer(c.mem)
	defer body.Release()
	body.Resize(len(text))
	copy(body.Bytes(), text)
	data := array.NewData(arrow.BinaryTypes.String, len(c.dst), []*memory.Buffer{valid, offsets, body}, nil, nulls, 0)
	defer data.Release()
	return array.NewStringData(data), nil
}
