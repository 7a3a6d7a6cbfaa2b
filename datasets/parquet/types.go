package parquet

import (
	"fmt"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/parquet-go/parquet-go/format"
)

// arrowType is the type as which a file's column is read unless another is asked for.
func (l *leaf) arrowType() (arrow.DataType, error) {
	a := l.annotation
	switch {
	case l.nested:
		return nil, fmt.Errorf("nested columns are not supported")
	case l.repetition == format.Repeated:
		return nil, fmt.Errorf("repeated columns are not supported")
	case a.kind == annotationOther:
		return nil, fmt.Errorf("type %v (%s) is not supported", l.physical, a.name)
	}
	switch l.physical {
	case format.Boolean:
		return arrow.FixedWidthTypes.Boolean, nil
	case format.Double, format.Float:
		return arrow.PrimitiveTypes.Float64, nil
	case format.Int32:
		if a.kind == annotationNone || a.kind == annotationInteger {
			return arrow.PrimitiveTypes.Int64, nil
		}
	case format.Int64:
		switch {
		case a.kind == annotationTimestamp:
			return arrow.FixedWidthTypes.Timestamp_us, nil
		case a.kind == annotationNone, a.kind == annotationInteger && a.sign:
			return arrow.PrimitiveTypes.Int64, nil
		case a.kind == annotationInteger:
			return nil, fmt.Errorf("unsigned 64-bit integers are not supported")
		}
	case format.ByteArray:
		if a.kind == annotationText {
			return arrow.BinaryTypes.String, nil
		}
		return nil, fmt.Errorf("bytes that are not marked as text are not supported")
	}
	return nil, fmt.Errorf("type %v is not supported", l.physical)
}

// values makes the reader of l's values as the wanted field, whose words are given if it is an enum.
func (l *leaf) values(want arrow.Field, words []string) (values, error) {
	natural, err := l.arrowType()
	if err != nil {
		return nil, err
	}
	plainInt := l.annotation.kind != annotationTimestamp && natural.ID() == arrow.INT64
	mismatch := fmt.Errorf("is %v, not %v", natural, want.Type)
	switch t := want.Type.(type) {
	case *arrow.TimestampType:
		if t.Unit != arrow.Microsecond || (natural.ID() != arrow.TIMESTAMP && (!plainInt || l.physical != format.Int64)) {
			return nil, mismatch
		}
		unit := l.annotation.unit
		if plainInt {
			unit = nanosPerMicro
		}
		return newInts(l, t, unit), nil
	case *arrow.Int64Type:
		if !plainInt {
			return nil, mismatch
		}
		return newInts(l, t, nanosPerMicro), nil
	case *arrow.StringType:
		if plainInt {
			return &digits{ints: newInts(l, natural, nanosPerMicro)}, nil
		}
	case *arrow.DictionaryType:
		if natural.ID() != arrow.STRING || t.IndexType.ID() != arrow.INT8 || t.ValueType.ID() != arrow.STRING {
			return nil, mismatch
		}
		if len(words) == 0 || len(words) > maxWords {
			return nil, fmt.Errorf("an enum of %d words: want 1 to %d in ReadOptions.Enums", len(words), maxWords)
		}
		return newEnums(t, words), nil
	}
	if !arrow.TypeEqual(natural, want.Type) {
		return nil, mismatch
	}
	switch natural.ID() {
	case arrow.FLOAT64:
		return newFloats(l.physical), nil
	case arrow.STRING:
		return &texts{}, nil
	default:
		return &bools{}, nil
	}
}
