package main

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/qf-dev/qf/datasets"
)

// shard is one of n shares of some work. The zero value is all of it.
//
// Work is a list of units that follows from the command line and the study alone, each with a name. A
// unit's share follows from its name alone, so more days, symbols or trials move none of the others;
// machines need not know of each other.
type shard struct{ index, of int }

// has reports whether a unit is of this share: the first 64 bits of its name's SHA-256, modulo n, are the index.
func (s shard) has(unit string) bool {
	if s.of < 2 {
		return true
	}
	sum := sha256.Sum256([]byte(unit))
	return binary.BigEndian.Uint64(sum[:])%uint64(s.of) == uint64(s.index)
}

// files leaves the partitions of this share.
func (s shard) files(parts []datasets.Partition) []datasets.Partition {
	return slices.DeleteFunc(parts, func(p datasets.Partition) bool { return !s.has(p.String()) })
}

// months is bars.Options.Own for this share.
func (s shard) months(in datasets.Instrument, month string) bool {
	return s.has("bars/" + in.String() + "/" + month)
}

// maxShards bounds n.
const maxShards = 100_000

// shardFlag is --shard.
type shardFlag struct{ text string }

func (f *shardFlag) bind(cmd *cobra.Command, units string) {
	cmd.Flags().StringVar(&f.text, "shard", "", "do share `I/N` of the work (I from 0): "+units+"; auto: as Slurm, Kubernetes or AWS Batch number this task")
	complete(cmd, "shard", fixed("auto"))
}

// parse reads the flag; auto reads what an engine tells its tasks.
func (f shardFlag) parse(s streams) (shard, error) {
	if f.text == "" {
		return shard{}, nil
	}
	text := f.text
	if text == "auto" {
		var err error
		if text, err = autoShard(s.getenv); err != nil {
			return shard{}, usageError{fmt.Errorf("--shard auto: %w", err)}
		}
	}
	index, of, ok := strings.Cut(text, "/")
	i, err1 := strconv.Atoi(index)
	n, err2 := strconv.Atoi(of)
	if !ok || err1 != nil || err2 != nil || n < 1 || n > maxShards || i < 0 || i >= n {
		return shard{}, usageError{fmt.Errorf("--shard %s: want I/N with 0 ≤ I < N ≤ %d, as in 0/8, or auto", text, maxShards)}
	}
	return shard{i, n}, nil
}

// shardsEnv tells tasks how many they are, where the engine does not: Kubernetes tells them their index
// alone, and Slurm forgets the others where some of an array run again.
const shardsEnv = "QF_SHARDS"

// autoShard finds out which task of an array this process is, from the variables of
// Slurm (slurm.schedmd.com/job_array.html), AWS Batch (docs.aws.amazon.com/batch, "Array jobs") or an
// indexed Job of Kubernetes (kubernetes.io/docs/concepts/workloads/controllers/job).
func autoShard(getenv func(string) string) (string, error) {
	for _, index := range []string{"SLURM_ARRAY_TASK_ID", "AWS_BATCH_JOB_ARRAY_INDEX", "JOB_COMPLETION_INDEX"} {
		i, of := getenv(index), getenv(shardsEnv)
		if i == "" {
			continue
		}
		switch {
		case of != "":
		case index == "SLURM_ARRAY_TASK_ID" && getenv("SLURM_ARRAY_TASK_MIN") == "0" && getenv("SLURM_ARRAY_TASK_STEP") == "1":
			of = getenv("SLURM_ARRAY_TASK_COUNT")
			if last, err := strconv.Atoi(getenv("SLURM_ARRAY_TASK_MAX")); err != nil || strconv.Itoa(last+1) != of {
				of = ""
			}
		case index == "AWS_BATCH_JOB_ARRAY_INDEX":
			of = getenv("AWS_BATCH_JOB_ARRAY_SIZE")
		}
		if of == "" {
			return "", fmt.Errorf("%s is %s of an unknown number: set %s to the number of shares (qf plan writes it)", index, i, shardsEnv)
		}
		return i + "/" + of, nil
	}
	return "", errors.New("this is no task of an array: none of SLURM_ARRAY_TASK_ID, AWS_BATCH_JOB_ARRAY_INDEX and JOB_COMPLETION_INDEX is set; say it as --shard I/N")
}
