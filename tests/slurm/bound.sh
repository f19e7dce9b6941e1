#!/bin/bash
# bound.sh SOURCE_DIR BUILD_DIR: the nodes, tasks, processors and time that sbatch is given are what the ranks get, on
# cores of their own; and a rank's exit status is the job's, by srun and by mpirun.
# shellcheck source=tests/slurm/common.sh
. "$(dirname "$0")/common.sh"
start_test bound left

# A training that only writes where it runs. No rank ends before all have written, nor when a launcher ends it for
# another's end.
mkdir probe
cat >probe/drumline-train <<'SCRIPT'
#!/bin/bash
[ "$1" != --version ] || exit 0
written=probe/job-$SLURM_JOB_ID
mkdir -p "$written"
cpus=$(sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/self/status)
printf 'on %s: cpus %s threads %s\n' "$(uname -n)" "$cpus" "$OPENBLAS_NUM_THREADS" >"$written/.$PMIX_RANK"
mv "$written/.$PMIX_RANK" "$written/$PMIX_RANK"
trap '' TERM
for ((i = 0; i < 600; i++)); do
    ranks=("$written"/*)
    [ "${#ranks[@]}" -lt "${OMPI_COMM_WORLD_SIZE:-$SLURM_NTASKS}" ] || exit 7
    sleep 0.1
done
SCRIPT
chmod +x probe/drumline-train
export DRUMLINE_BIN=$PWD/probe
jobs=()
# ask NODES RANKS THREADS LAUNCHER OPTION...: what sbatch is given, and what must come of it.
ask() {
    local expected="$1 $2 $3"
    DRUMLINE_LAUNCHER=$4 DRUMLINE_RUN=runs/${#jobs[@]} submit "${@:5}" jobs/train.sh
    jobs+=("$job $expected ${*:4}")
}
expect_layout() {
    local job=$1 nodes=$2 ranks=$3 threads=$4 options=${*:5} log=drumline-train-$1.log
    expect_state "$job" FAILED "$log" 90
    [ "$(field "$job" ExitCode)" = 7:0 ] || fail "$options: status 7 was not handed on" "$log"
    expect_log "$log" "^train.sh: $nodes node\\(s\\) .*, $ranks rank\\(s\\), $threads thread\\(s\\) each"
    [ "$(find "probe/job-$job" -type f | wc -l)" -eq "$ranks" ] || fail "$options: not $ranks ranks" "$log"
    [ "$(cut -d : -f 1 "probe/job-$job"/* | sort -u | wc -l)" -eq "$nodes" ] ||
        fail "$options: not on $nodes nodes" "$log"
    [ "$(grep -hc " threads $threads\$" "probe/job-$job"/* | sort -u)" = 1 ] ||
        fail "$options: not $threads threads" "$log"
}

# The sandbox's nodes have four processors by Slurm's books; where the machine has fewer, the last two bind nothing.
[ "$(nproc)" -lt 2 ] || export DRUMLINE_BINDING=cores
ask 1 2 1 srun -n 2 --mincpus=2
srun_bound=$job
ask 1 2 1 mpirun -n 2 --mincpus=2
mpirun_bound=$job
ask 1 1 2 srun -n 1 -c 2 --mincpus=2 --time=7
srun_threads=$job
ask 1 1 2 mpirun -n 1 -c 2 --mincpus=2
mpirun_threads=$job
export DRUMLINE_BINDING=none
ask 1 4 1 mpirun
ask 1 2 2 srun -n 2
ask 1 2 2 mpirun --ntasks-per-node=2
ask 1 2 2 srun -c 2
ask 1 1 4 srun --exclusive -n 1
if [ "$kind" = namespaces ]; then
    ask 2 8 1 mpirun -N 2
    ask 2 2 4 srun -N 2 --ntasks-per-node=1
    ask 2 2 4 mpirun -N 2 -n 2
    ask 2 6 1 srun -n 6
    ask 2 4 2 mpirun -N 2 --ntasks-per-node=2 -c 2
fi
for line in "${jobs[@]}"; do
    read -r -a words <<<"$line"
    expect_layout "${words[@]}"
done
[ "$(field "$srun_threads" TimeLimit)" = 00:07:00 ] || fail "--time was not obeyed"

[ "$(nproc)" -ge 2 ] || exit 0
for job in "$srun_bound" "$mpirun_bound"; do
    [ "$(grep -hoE ' cpus [0-9]+ ' "probe/job-$job"/* | sort -u | wc -l)" -eq 2 ] ||
        fail "the ranks have no cores of their own" "drumline-train-$job.log" "probe/job-$job"/*
done
for job in "$srun_threads" "$mpirun_threads"; do
    grep -qE ' cpus [0-9]+[-,][0-9]+' "probe/job-$job"/* ||
        fail "a rank of two threads has one core" "drumline-train-$job.log" "probe/job-$job"/*
done
