package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// Shares are a partition of any list of units, for any number of them, and a longer list moves nothing.
func TestSharesArePartition(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for n := 1; n <= 50; n++ {
		units := make([]string, 1+rng.IntN(300))
		for i := range units {
			units[i] = fmt.Sprintf("unit %d of %d", rng.Uint64(), i)
		}
		owner := map[string]int{}
		for i := range n {
			for _, u := range units {
				if !(shard{i, n}).has(u) {
					continue
				}
				if other, twice := owner[u]; twice {
					t.Fatalf("n = %d: %q is of share %d and of %d", n, u, other, i)
				}
				owner[u] = i
			}
		}
		if len(owner) != len(units) {
			t.Fatalf("n = %d: %d of %d units are of a share", n, len(owner), len(units))
		}
	}
	counts := make([]int, 8)
	for i := range 8000 {
		for k := range counts {
			if (shard{k, 8}).has(fmt.Sprint(i)) {
				counts[k]++
			}
		}
	}
	for k, c := range counts { // 1000 ± 30 by chance
		if c < 850 || c > 1150 {
			t.Errorf("share %d has %d of 8000 units", k, c)
		}
	}
	if !(shard{}).has("anything") || !(shard{0, 1}).has("anything") {
		t.Error("all of it leaves something out")
	}
}

func TestShardFlag(t *testing.T) {
	slurm := "SLURM_ARRAY_TASK_ID=5 SLURM_ARRAY_TASK_MIN=0 SLURM_ARRAY_TASK_MAX=7 SLURM_ARRAY_TASK_STEP=1 SLURM_ARRAY_TASK_COUNT=8"
	for _, c := range []struct {
		text, env string
		want      shard
		err       string
	}{
		{"", "", shard{}, ""},
		{"0/8", "", shard{0, 8}, ""},
		{"7/8", "", shard{7, 8}, ""},
		{"8/8", "", shard{}, "want I/N with 0 ≤ I < N"},
		{"-1/8", "", shard{}, "want I/N"},
		{"1", "", shard{}, "want I/N"},
		{"1/0", "", shard{}, "want I/N"},
		{"a/b", "", shard{}, "want I/N"},
		{"auto", "", shard{}, "no task of an array"},
		{"auto", slurm, shard{5, 8}, ""},
		{"auto", strings.Replace(slurm, "COUNT=8", "COUNT=2", 1), shard{}, "unknown number: set QF_SHARDS"}, // some of an array again
		{"auto", strings.Replace(slurm, "COUNT=8", "COUNT=2", 1) + " QF_SHARDS=8", shard{5, 8}, ""},
		{"auto", strings.Replace(slurm, "MIN=0", "MIN=1", 1), shard{}, "unknown number"},
		{"auto", "AWS_BATCH_JOB_ARRAY_INDEX=3 AWS_BATCH_JOB_ARRAY_SIZE=4", shard{3, 4}, ""},
		{"auto", "JOB_COMPLETION_INDEX=3", shard{}, "QF_SHARDS"},
		{"auto", "JOB_COMPLETION_INDEX=3 QF_SHARDS=4", shard{3, 4}, ""},
		{"auto", "JOB_COMPLETION_INDEX=4 QF_SHARDS=4", shard{}, "want I/N"},
	} {
		env := map[string]string{}
		for _, pair := range strings.Fields(c.env) {
			name, value, _ := strings.Cut(pair, "=")
			env[name] = value
		}
		got, err := shardFlag{c.text}.parse(streams{getenv: func(name string) string { return env[name] }})
		if got != c.want || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("--shard %q with %q: %v, %v; want %v, %q", c.text, c.env, got, err, c.want, c.err)
		}
	}
}
