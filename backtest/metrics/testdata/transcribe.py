#!/usr/bin/env python3
"""Transcribes the third-party test vectors that this package has a formula for into vectors.json.

    QF_SHARED=../shared python3 backtest/metrics/testdata/transcribe.py

reads $QF_SHARED/reference and writes beside itself. The numbers are unchanged; the origin of each is
kept with it.
"""
import json
import os
import pathlib

source = pathlib.Path(os.environ.get("QF_SHARED", "../shared")) / "reference"


def load(name):
    return json.loads((source / name).read_text())


def keep(d, *names):
    return {n: d[n] for n in names}


empyrical = load("empyrical.json")
functions = {
    "sharpe_ratio", "sortino", "downside_risk", "max_drawdown", "annual_volatility", "cagr", "calmar",
    "omega", "value_at_risk", "alpha_beta", "alpha", "beta",
}
cases = [keep(c, "function", "args", "expected") for c in empyrical["cases"] if c["function"] in functions]
used = {a["series"] for c in cases for a in c["args"].values() if isinstance(a, dict)}
series = {n: empyrical["series"][n]["values"] for n in sorted(used)}

alphalens = load("alphalens.json")
ic = [keep(c, "test", "args", "expected") for c in alphalens["cases"] if "information_coefficient" in c["test"]]
quantize = [
    keep(c, "args", "expected") for c in alphalens["cases"]
    if c["test"] == "test_quantize_factor" and isinstance(c["args"]["quantiles"], int)
]

west = load("newey_west.json")
sharpe = load("sharpe_inference.json")
derived = load("derived_reference.json")
block = load("politis_white_block_length.json")

vectors = {
    "empyrical": {"source": empyrical["source"], "series": series, "cases": cases},
    "alphalens": {
        "source": alphalens["source"],
        "fixtures": keep(alphalens["fixtures"], "factor_data", "biased_factor_data"),
        "ic": ic,
        "quantize": quantize,
    },
    "newey_west": {"source": west["sources"], "rtol": 1e-7, "mean": west["ic_mean_cases"]},
    "sharpe": sharpe,
    "derived": keep(derived, "note", "rank_correlation", "quantile_buckets", "drawdown_duration", "multiple_testing", "quantile_type7"),
    "block_length": block,
}
out = pathlib.Path(__file__).with_name("vectors.json")
out.write_text(json.dumps(vectors, separators=(",", ":"), sort_keys=True) + "\n")
