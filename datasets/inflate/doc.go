// Package inflate reads gzip files (RFC 1952, RFC 1951) in about half of the time that the
// usual readers take; BenchmarkRead compares them. Half the work of taking tick data in is
// decompression, which is why it is here.
//
// The speed comes from a bit buffer of 64 bits that is filled with one load, a Huffman table whose
// entries stand for up to three literals and a length behind them, and matches copied sixteen bytes at a
// time. All of it is bounds-checked Go, without a line for one processor only.
//
// A stream that ends without an error has been checked whole: every member's CRC-32 and length
// agree, and nothing but members is in it, and zeros behind them, with which tapes and some archives pad. What
// compress/gzip accepts is accepted, what else it refuses is refused, and the bytes are the same; the tests hold the
// two against each other.
package inflate
