// Package tardis reads the daily CSV files of tardis.dev as Arrow record batches, from the vendor's
// server (Client) or from local copies (Files).
//
// Either way the bytes run through one pipeline, a batch at a time: count and digest, gunzip, decode.
// The decoder is driven by the schema table of package datasets and knows no feed by name. The facts
// about the vendor's files stand at
// https://docs.tardis.dev/downloadable-csv-files/api and …/data-types.
package tardis
