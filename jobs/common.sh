#!/bin/bash
# jobs/common.sh: what the job scripts share. They read it; it is not submitted.
#
# In the environment, for all of them:
#   DRUMLINE_BIN        folder of the programs      (build/release/bin, those of the same installation, else PATH's)
#   DRUMLINE_JOBS       folder of the job scripts   (jobs where you submit, else beside the script)
#   DRUMLINE_LAUNCHER   srun or mpirun              (srun where Slurm and the MPI speak PMIx, else mpirun)
#   DRUMLINE_SRUN_MPI   srun's --mpi                (pmix)
#   DRUMLINE_BINDING    cores or none               (cores)
#   DRUMLINE_LOG_DIR    folder for a log of each rank, of all but generate.sh; a task of sweep.sh has a folder in it
#                                                   (none)
#   DRUMLINE_PREPROCESS_FLAGS, DRUMLINE_TRAIN_FLAGS, DRUMLINE_EVALUATE_FLAGS, DRUMLINE_GENERATE_FLAGS
#                       more options for a program, parted by spaces; options after a script's name come after these

# The script's name in messages, for $0 is a copy in Slurm's spool, and the folder of the job scripts.
job_script=${job_script:-job}
jobs=$(cd "${jobs:?}" && pwd)

say() {
    local line
    for line in "$@"; do
        printf '%s: %s\n' "$job_script" "$line"
    done
}

die() {
    say "$@" >&2
    exit 1
}

# --- what to run ---

# Goes to where the job was submitted and reads the site's file, which lies beside this one.
start_job() {
    [ -n "${SLURM_JOB_ID:-}" ] || die "this is a job for Slurm: sbatch jobs/$job_script"
    cd "${SLURM_SUBMIT_DIR:?}" || die "the folder the job was submitted from, $SLURM_SUBMIT_DIR, is not on this node"
    read_site
    [ "${SLURM_RESTART_COUNT:-0}" = 0 ] || printf '\n'
}

read_site() {
    # shellcheck source=jobs/site.sh
    . "$jobs/site.sh"
    # On Lustre, GPFS and NFS locks may be missing, or hang.
    export HDF5_USE_FILE_LOCKING=${HDF5_USE_FILE_LOCKING:-FALSE}
}

# find_program NAME: sets program.
find_program() {
    local folder
    local -a folders=("${DRUMLINE_BIN:-build/release/bin}" "$jobs/../build/release/bin")
    [[ $jobs != */share/drumline/jobs ]] || folders+=("$jobs/../../../bin")
    for folder in "${folders[@]}"; do
        program=$folder/$1
        [ ! -x "$program" ] || return 0
        [ -z "${DRUMLINE_BIN:-}" ] || die "DRUMLINE_BIN=$DRUMLINE_BIN holds no $1"
    done
    program=$(command -v "$1") ||
        die "$1 was not found in build/release/bin nor by PATH: build it (cmake --preset release &&" \
            "cmake --build --preset release), submit from the project's root, or set DRUMLINE_BIN"
}

# read_flags VARIABLE OPTION...: sets flags to the words of the variable and the options. No shell looks at them again.
read_flags() {
    local words=${!1:-}
    shift
    read -r -d '' -a flags <<<"$words" || true
    flags+=("$@")
}

# given NAME OPTION...: whether --NAME is among the options, spelled with - or _. Sets value.
given() {
    local name=$1 option found=1 next=false
    shift
    for option in "$@"; do
        if $next; then value=$option next=false; fi
        [[ $option == --* ]] || continue
        option=${option#--}
        value_part=${option#*=}
        option=${option%%=*}
        [ "${option//-/_}" = "$name" ] || continue
        found=0
        value=$value_part
        [ "$value" != "$option" ] || next=true
    done
    return $found
}

# add_default NAME VALUE: to arguments, where the user's flags say nothing of it and the value is not empty.
add_default() {
    local value
    given "$1" "${flags[@]}" || [ -z "$2" ] || arguments+=("--$1=$2")
}

# --- where to run ---

# "2(x3),1" as one number a line: 2 2 2 1.
expand_counts() {
    local part count times
    local -a parts
    IFS=, read -r -a parts <<<"$1"
    for part in "${parts[@]}"; do
        count=${part%%(*}
        times=1
        [[ $part != *'(x'* ]] || times=${part##*(x} times=${times%)}
        for ((; times > 0; times--)); do
            printf '%d\n' "$count"
        done
    done
}

# Sets nodes, ranks, threads (those of a rank) and crowded (whether every task's place is taken). Where sbatch is not
# told how many tasks (the scripts ask for processors only), Slurm makes a place of every --cpus-per-task processors,
# and each gets a rank. The threads are what --cpus-per-task says, else the rank's part of the node's processors in
# the allocation, on the node where that is least. With --ntasks-per-node Slurm keeps that many places on each node,
# also where -n asks for fewer tasks.
count_resources() {
    local -a places cpus
    local i part all=0 most
    mapfile -t places < <(expand_counts "${SLURM_TASKS_PER_NODE:-1}")
    mapfile -t cpus < <(expand_counts "${SLURM_JOB_CPUS_PER_NODE:-1}")
    nodes=${#places[@]} threads=${SLURM_CPUS_PER_TASK:-0}
    for ((i = 0; i < nodes; i++)); do
        all=$((all + places[i]))
    done
    ranks=${SLURM_NTASKS:-$all}
    crowded=true
    [ "$ranks" -ge "$all" ] || crowded=false
    for ((i = 0; i < nodes && threads != 1; i++)); do
        [ -z "${SLURM_CPUS_PER_TASK:-}" ] || break
        most=${places[i]}
        $crowded || most=$(((ranks + nodes - 1) / nodes))
        part=$((${cpus[i]:-1} / most))
        if [ "$threads" -eq 0 ] || [ "$part" -lt "$threads" ]; then threads=$((part > 0 ? part : 1)); fi
    done
    export OPENBLAS_NUM_THREADS=$threads OMP_NUM_THREADS=$threads
}

# More ranks than cores (Slurm may count hardware threads) are Slurm's decision, not an error. Ranks of several threads
# move freely over the job's cores: mpirun counts cores, Slurm perhaps threads, and where they disagree mpirun starts
# nothing.
mpirun_binding() {
    if [ "$1" = none ] || [ "$threads" -gt 1 ]; then printf 'none\n'; else printf 'core:overload-allowed\n'; fi
}

# Whether the program was built with MPICH or an MPI of its family, whose ranks start another way than Open MPI's.
built_with_mpich() {
    [[ $(ldd "$program" 2>/dev/null) =~ libmpich|libmpi\.so\.12 ]]
}

# MPICH's own mpirun, under the names by which it goes beside Open MPI's.
mpich_launcher() {
    command -v mpirun.mpich || command -v mpiexec.hydra || command -v mpirun
}

# Open MPI's mpirun, and its daemon on each other node, make a folder of the user's when they start, and remove it when
# they end: of two jobs that share a node, one may find it gone while it starts, and fail. A folder of our own in it
# keeps it there until this shell exits (one that is killed leaves it, empty). Another job's may still be removed between
# the two that are made here, hence the tries. Open MPI takes a node's name up to its first dot.
hold_session_folder() {
    local i node
    node=$(uname -n)
    session_folder=${TMPDIR:-${TEMP:-${TMP:-/tmp}}}/ompi.${node%%.*}.$(id -u)/drumline.$SLURM_JOB_ID
    trap leave_session_folder EXIT
    for ((i = 0; i < 10; i++)); do
        ! (umask 077; mkdir -p "$session_folder") 2>/dev/null || return 0
    done
}

leave_session_folder() {
    rmdir "$session_folder" "${session_folder%/*}" 2>/dev/null || true
}

# Where Open MPI is to start ranks: on this node now, on the others by the script that mpirun then has Slurm start for
# its daemons. Open MPI parts that name at spaces, so that with one in it the other nodes are left as they are.
hold_session_folders() {
    hold_session_folder
    [ "$1" = mpirun ] && [ "${OMPI_MCA_plm:-slurm}" = slurm ] && [ -x "$jobs/mpirun_daemon.sh" ] &&
        [[ $jobs != *[[:space:]]* ]] && command -v orted >/dev/null || return 0
    export OMPI_MCA_orte_launch_agent=${OMPI_MCA_orte_launch_agent:-$jobs/mpirun_daemon.sh}
}

# Sets launch, the words before the program. With Open MPI sets the trap EXIT, too.
choose_launcher() {
    local launcher=${DRUMLINE_LAUNCHER:-} binding=${DRUMLINE_BINDING:-cores} by=slot
    count_resources
    case $binding in
        cores | none) ;;
        *) die "DRUMLINE_BINDING=$binding: there are cores and none" ;;
    esac
    if [ -z "$launcher" ]; then
        launcher=mpirun
        if ! built_with_mpich && timeout 30 srun --mpi=list 2>&1 | grep -qw pmix; then launcher=srun; fi
    fi
    command -v "$launcher" >/dev/null || die "$launcher was not found: load the MPI's module in jobs/site.sh"
    case $launcher in
        srun) launch=(srun "--mpi=${DRUMLINE_SRUN_MPI:-pmix}" "--nodes=$nodes" "--ntasks=$ranks"
            "--cpus-per-task=$threads" --kill-on-bad-exit=1)
            [ "$binding" = none ] || launch+=(--cpu-bind=cores) ;;
        mpirun)
            # Full nodes first, or where Slurm keeps more places than there are ranks, spread evenly.
            $crowded || by=node
            binding=$(mpirun_binding "$binding")
            launch=(mpirun -n "$ranks" --map-by "$by" --rank-by slot --bind-to "$binding")
            ! built_with_mpich || launch=("$(mpich_launcher)" -n "$ranks" -bind-to "${binding%%:*}") ;;
        *) die "DRUMLINE_LAUNCHER=$launcher: there are srun and mpirun" ;;
    esac
    built_with_mpich || hold_session_folders "$launcher"
}

# --- what the log says ---

# print_header WHAT: who runs what where.
print_header() {
    local commit='' restart=''
    [ "${SLURM_RESTART_COUNT:-0}" = 0 ] || restart=", restart $SLURM_RESTART_COUNT"
    commit=$(git -C "$jobs/.." describe --always --dirty 2>/dev/null) || commit=unknown
    say "$1" \
        "job $SLURM_JOB_ID${SLURM_ARRAY_JOB_ID:+ of array $SLURM_ARRAY_JOB_ID}, $(date -u +%FT%TZ)$restart" \
        "${nodes:-1} node(s) $SLURM_JOB_NODELIST, ${ranks:-1} rank(s), ${threads:-1} thread(s) each" \
        "$("$program" --version), commit $commit, Slurm $(sbatch --version | cut -d ' ' -f 2), in $PWD"
    [ -z "${launch+set}" ] || say "started by: ${launch[*]}"
}

# --- running ranks ---

# run_ranks PROGRAM ARGUMENT...: sets status. Slurm's warnings reach this shell alone, or the ranks alone, or both: here
# they are handed on as USR1, which mpirun and srun pass to every rank (mpirun would end them on TERM). warned says
# whether one came.
# shellcheck disable=SC2034 # read by the scripts
run_ranks() {
    local child='' signalled=''
    warned=false
    trap 'signalled=1 warned=true; [ -z "$child" ] || kill -USR1 "$child" 2>/dev/null' USR1 TERM
    "${launch[@]}" "$@" &
    child=$!
    # One that came before there was anybody to hand it on to.
    [ -z "$signalled" ] || kill -USR1 "$child" 2>/dev/null
    while :; do
        signalled=
        status=0
        wait "$child" || status=$?
        [ -n "$signalled" ] || break
    done
    trap '' USR1 TERM
}
