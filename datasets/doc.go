// Package datasets brings tick-level market history into a local lake of Parquet files and reads it
// back as Arrow record batches.
//
// The lake is a folder,
//
//	{root}/{type}/exchange={E}/symbol={S}/date={YYYY-MM-DD}/data.parquet
//
// with one file for each UTC day, by arrival time, of each feed of each instrument: a Hive layout
// that DuckDB, Polars, pandas and Spark read as it is, with exchange, symbol and date as columns.
// Beside the feeds stands what the vendor says of exchanges, {root}/metadata/exchange={E}/date={YYYY-MM-DD}/venue.json, under
// the day on which it was asked (Venue, Catalog).
//
// In the names of folders every byte but letters, digits, "-", "_" and "." is percent-encoded.
//
// A file is there whole or not at all. Its writer fills a hidden temporary file in the same folder, of a
// name that no other writer has, syncs it, renames it and syncs the folder (package atomicfile). That
// needs no lock: one is held where the file system has them, so that two writers seldom do the same work,
// and where it lies, or is not shared between machines, the last of two whole files stays. The footer
// records the source (path without host, bytes, SHA-256), the rows, first and last local_timestamp, the number
// of order violations and a digest of each column, and is itself covered by a digest that each opening
// checks; nothing in it depends on when, where or how fast
// the file was written, so equal sources give equal bytes. A file without rows is a day of which the
// vendor recorded nothing; a day without a file is one of which nothing is known. Rows that a
// source set aside stand in bad-rows.csv beside the data.
package datasets
