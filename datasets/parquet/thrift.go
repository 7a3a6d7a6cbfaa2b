package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The wire types of the Thrift compact protocol.
const (
	thriftTrue   = 1
	thriftFalse  = 2
	thriftByte   = 3
	thriftI16    = 4
	thriftI32    = 5
	thriftI64    = 6
	thriftDouble = 7
	thriftBinary = 8
	thriftList   = 9
	thriftSet    = 10
	thriftMap    = 11
	thriftStruct = 12
	thriftUUID   = 13
)

// thriftDepth bounds how deep structures may nest in what is skipped.
const thriftDepth = 32

var errThrift = errors.New("metadata does not follow the Thrift compact protocol")

// thriftReader walks a structure in the Thrift compact protocol
// (https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md), which holds
// Parquet's metadata. Unlike a reflecting decoder it allocates nothing on the word of a list's
// length. The first error sticks and ends every loop; values read after it are zero.
type thriftReader struct {
	b     []byte // what is left
	kind  byte   // of the value that is due
	depth int
	err   error
}

func (r *thriftReader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.b = nil
}

func (r *thriftReader) byte() byte {
	if len(r.b) == 0 {
		r.fail(io.ErrUnexpectedEOF)
		return 0
	}
	c := r.b[0]
	r.b = r.b[1:]
	return c
}

func (r *thriftReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	switch {
	case n == 0:
		r.fail(io.ErrUnexpectedEOF)
		return 0
	case n < 0:
		r.fail(errThrift)
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *thriftReader) varint() int64 {
	v := r.uvarint()
	return int64(v>>1) ^ -int64(v&1)
}

func (r *thriftReader) take(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.fail(io.ErrUnexpectedEOF)
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

// fields calls each for every field of the structure that is due. What each reports as not its own
// is skipped. Without one of the fields in need, the structure is an error.
func (r *thriftReader) fields(each func(id int16) bool, need ...int16) {
	var seen uint64 // of fields 0 to 63, a bit each
	if r.depth++; r.depth > thriftDepth {
		r.fail(errThrift)
	}
	defer func() { r.depth-- }()
	var id int16
	for r.err == nil {
		head := r.byte()
		if head == 0 {
			break
		}
		if delta := int16(head >> 4); delta != 0 {
			id += delta
		} else {
			id = int16(r.varint())
		}
		if 0 <= id && id < 64 {
			seen |= 1 << id
		}
		r.kind = head & 15
		if !each(id) {
			r.skip()
		}
	}
	for _, id := range need {
		if seen>>id&1 == 0 {
			r.fail(fmt.Errorf("a required field (%d) is missing", id))
		}
	}
}

// structure is fields for a value inside another structure.
func (r *thriftReader) structure(each func(id int16) bool, need ...int16) {
	if r.want(thriftStruct) {
		r.fields(each, need...)
	}
}

// list calls each for every element of the list that is due.
func (r *thriftReader) list(each func()) {
	if !r.want(thriftList) {
		return
	}
	head := r.byte()
	n := uint64(head >> 4)
	if n == 15 {
		n = r.uvarint()
	}
	if n > uint64(len(r.b)) { // an element is a byte at least
		r.fail(io.ErrUnexpectedEOF)
		return
	}
	for ; n > 0 && r.err == nil; n-- {
		r.kind = head & 15
		each()
	}
}

func (r *thriftReader) want(kind byte) bool {
	if r.err == nil && r.kind != kind {
		r.fail(errThrift)
	}
	return r.err == nil
}

// int reads an integer of any width.
func (r *thriftReader) int() int64 {
	switch r.kind {
	case thriftByte:
		return int64(int8(r.byte()))
	case thriftI16, thriftI32, thriftI64:
		return r.varint()
	}
	r.fail(errThrift)
	return 0
}

// bool reads a boolean field, whose value is in its header.
func (r *thriftReader) bool() bool {
	if r.kind != thriftTrue && r.kind != thriftFalse {
		r.fail(errThrift)
	}
	return r.kind == thriftTrue
}

// bytes gives a view of the input.
func (r *thriftReader) bytes() []byte {
	if !r.want(thriftBinary) {
		return nil
	}
	return r.take(r.uvarint())
}

func (r *thriftReader) string() string { return string(r.bytes()) }

// skip passes over the value that is due, a field of a structure.
func (r *thriftReader) skip() {
	if r.kind != thriftTrue && r.kind != thriftFalse { // these are all header
		r.skipElement()
	}
}

// skipElement passes over an element of a list, set or map, where a boolean has a byte of its own.
func (r *thriftReader) skipElement() {
	switch r.kind {
	case thriftTrue, thriftFalse, thriftByte:
		r.byte()
	case thriftI16, thriftI32, thriftI64:
		r.uvarint()
	case thriftDouble:
		r.take(8)
	case thriftUUID:
		r.take(16)
	case thriftBinary:
		r.take(r.uvarint())
	case thriftStruct:
		r.fields(func(int16) bool { return false })
	case thriftList, thriftSet:
		r.kind = thriftList
		if r.depth++; r.depth > thriftDepth {
			r.fail(errThrift)
		}
		r.list(r.skipElement)
		r.depth--
	case thriftMap:
		r.skipMap()
	default:
		r.fail(errThrift)
	}
}

func (r *thriftReader) skipMap() {
	n := r.uvarint()
	if n == 0 {
		return
	}
	kinds := r.byte()
	if r.depth++; r.depth > thriftDepth || n > uint64(len(r.b)) {
		r.fail(errThrift)
	}
	for ; n > 0 && r.err == nil; n-- {
		r.kind = kinds >> 4
		r.skipElement()
		r.kind = kinds & 15
		r.skipElement()
	}
	r.depth--
}
