// Package ledger counts what was tried. A figure that is the best of many says little; how many there were is known only
// where each is written down, whoever tried it and whether or not it was shown to anybody.
//
//		{lake}/ledger/entries/ab/abcdef….json   one configuration scored on a span (Entry), under its digest
//		{lake}/ledger/seals/0123….json          what was added, and what stood there before (seal), under its own hash
//
//	 1. NewEntry describes a scored configuration: its digest (what is traded and over which span, not how it is judged,
//	    shown or called), the Sharpe ratio and moments of its daily returns, and the returns.
//	 2. Ledger.Add puts entries under their digests unless they are there: the same again adds nothing. Nobody waits for
//	    anybody: files appear whole, and of two writers of one name the first wins.
//	 3. Then it seals. A seal lists what no seal lists yet, with the hash of each file, and names the seals that nobody named
//	    before, its parents. So seals are a chain; where processes wrote at the same time it branches, and the next seal
//	    joins the branches. Head is the newest seal with the number of entries under it; each run's manifest holds it. What a
//	    killed process put and did not seal, the next seal takes up.
//	 4. Ledger.Verify reads everything again. An entry that is changed or gone no longer fits its seal; a seal that is gone is
//	    named by those after it, and the newest ones by manifests.
//	 5. Ledger.Family lists the entries that a run has to be judged beside: those whose spans overlap, of an instrument in
//	    common. Family.Over cuts them to days, and Family.Deflation sums them up.
//
// Whoever rewrites ledger and manifests alike is not found out: the ledger is against forgetting, not against forgery.
package ledger
