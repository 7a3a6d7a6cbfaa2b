#!/usr/bin/env bash
# slurm.sh QF: imports the fixture days on a real Slurm of two nodes, all on this machine, as arrays of tasks that
# share a folder: import, bars, backtest, each begun when the one before has ended. A task is requeued, and a node
# goes down and comes back. Lake, bar cache and runs must be those of one process, byte for byte.
# Needs root and Debian's slurm-wlm and munge; exits 3 where they are missing.
set -euo pipefail
qf=$(realpath "$1")
cd "$(dirname "$0")"
for command in slurmctld slurmd munged sbatch; do
  [ "$(id -u)" = 0 ] && command -v "$command" > /dev/null || { echo "slurm: not tried, want root and slurm-wlm"; exit 3; }
done
work=$(mktemp -d)
chmod 755 "$work"
pids=()
end() {
  kill "${pids[@]}" 2> /dev/null || true
  sleep 0.5
  kill -9 "${pids[@]}" 2> /dev/null || true
  rm -rf "$work"
}
trap end EXIT

# An own key and socket, so that a Slurm of this machine is left alone.
mkdir "$work/munge" "$work/state" 
head -c 1024 /dev/urandom > "$work/munge/key"
chmod 400 "$work/munge/key"
chmod 755 "$work/munge"
munged --force --foreground --key-file="$work/munge/key" --socket="$work/munge/socket" --pid-file="$work/munge/pid" \
  --log-file="$work/munge/log" --seed-file="$work/munge/seed" > "$work/munge/out" 2>&1 &
pids+=($!)
port=$((20000 + RANDOM % 20000))
cat > "$work/slurm.conf" << CONF
ClusterName=qf
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort=$port
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$work/munge/socket
CredType=cred/munge
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool-%n
SlurmctldPidFile=$work/ctld.pid
SlurmdPidFile=$work/slurmd-%n.pid
SlurmctldLogFile=$work/ctld.log
SlurmdLogFile=$work/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SchedulerParameters=batch_sched_delay=1,sched_interval=1
MinJobAge=3600
ReturnToService=2
SlurmdTimeout=20
NodeName=qf1 NodeHostname=localhost NodeAddr=127.0.0.1 Port=$((port + 1)) CPUs=2 State=UNKNOWN
NodeName=qf2 NodeHostname=localhost NodeAddr=127.0.0.1 Port=$((port + 2)) CPUs=2 State=UNKNOWN
PartitionName=all Nodes=qf1,qf2 Default=YES MaxTime=INFINITE State=UP
CONF
export SLURM_CONF=$work/slurm.conf
for _ in $(seq 50); do [ -S "$work/munge/socket" ] && break; sleep 0.1; done
slurmctld -D > "$work/ctld.out" 2>&1 &
pids+=($!)
for n in 1 2; do
  slurmd -D -N "qf$n" > "$work/slurmd$n.out" 2>&1 &
  pids+=($!)
done
for _ in $(seq 100); do [ "$(sinfo -h -t idle -o %D 2> /dev/null)" = 2 ] && break; sleep 0.2; done
if [ "$(sinfo -h -t idle -o %D)" != 2 ]; then
  tail -5 "$work"/*.log "$work"/*.out
  echo "slurm: not tried, two nodes did not come up"
  exit 3
fi

# One process.
"$qf" import --quiet --lake "$work/one/lake" fixture
for study in studies/*.yaml; do
  "$qf" bars --quiet --config "$study" --lake "$work/one/lake" > /dev/null
  "$qf" backtest --quiet --config "$study" --lake "$work/one/lake" --out "$work/one/$(basename "$study" .yaml)" > /dev/null
done

# Two nodes, four tasks an array.
many=$work/many
mkdir "$many"
submit() { sbatch --parsable --requeue --output="$many.%x-%A-%a.txt" --export="ALL,QF_SHARDS=4" "$@"; }
import=$(submit --job-name=import --array=0-3 --wrap "sleep 2; '$qf' import --quiet --shard auto --lake '$many/lake' '$PWD/fixture'")
after=$import
last=()
for study in studies/*.yaml; do
  name=$(basename "$study" .yaml)
  bars=$(submit --job-name="bars-$name" --array=0-3 --dependency=afterok:"$after" --wrap "'$qf' bars --quiet --shard auto --config '$PWD/$study' --lake '$many/lake'")
  last+=("$(submit --job-name="$name" --dependency=afterok:"$bars" --wrap "'$qf' backtest --quiet --config '$PWD/$study' --lake '$many/lake' --out '$many/$name'")")
  after=$bars
done

# A task again, and a node that goes away for a while.
sleep 1
scontrol requeue "${import}_1" || true
scontrol update nodename=qf2 state=down reason=test
sleep 3
scontrol update nodename=qf2 state=resume
scontrol update jobid="${import}_1" starttime=now || true # Slurm would let it wait for two minutes
for _ in $(seq 600); do [ -z "$(squeue -h)" ] && break; sleep 0.5; done
for job in "${last[@]}"; do
  state=$(scontrol show job "$job" | grep -o 'JobState=[A-Z]*')
  if [ "$state" != JobState=COMPLETED ]; then
    tail -n 20 "$many".*.txt
    squeue
    echo "slurm: job $job ended as $state"
    exit 1
  fi
done
scontrol show job "$import" | grep -E 'JobId|JobState|NodeList=qf|Restarts' | tr -s '\n ' ' '
echo
diff -r "$work/one" "$many"
echo "slurm: $(find "$many" -type f | wc -l) files by two nodes, every byte as one process writes"
