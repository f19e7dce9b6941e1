#!/bin/bash
# jobs/common.sh: what the job scripts share. They source it; it is not submitted.
#
# Environment variables, for all of them:
#   DRUMLINE_BIN        folder of the programs      (build/release/bin, else those installed with jobs/, else PATH's)
#   DRUMLINE_JOBS       folder of the job scripts   (jobs/ in the folder you submit from, else the script's own)
#   DRUMLINE_LAUNCHER   srun or mpirun              (srun where Slurm and the MPI speak PMIx, else mpirun)
#   DRUMLINE_SRUN_MPI   srun's --mpi                (pmix)
#   DRUMLINE_BINDING    cores or none               (cores)
#   DRUMLINE_LOG_DIR    folder for one log per rank, by all but generate.sh; each task of sweep.sh has a subfolder
#                                                   (none)
#   DRUMLINE_PREPROCESS_FLAGS, DRUMLINE_TRAIN_FLAGS, DRUMLINE_EVALUATE_FLAGS, DRUMLINE_GENERATE_FLAGS
#                       more options for a program, separated by spaces; options after a script's name follow them

# The script's name in messages (in a job $0 is a copy in Slurm's spool), and the folder of the job scripts. Nothing but
# builtins here: while this file is read, PATH holds only the folders in which it is looked for.
job_script=${job_script:-job}
jobs=$(cd -- "${BASH_SOURCE[0]%/*}" && pwd) || exit 1

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

# show_help OPTION...: where --help is among the options, prints the comment at the script's head and exits.
show_help() {
    local option line
    for option in "$@"; do
        case $option in
            -h | --help | --help=*) ;;
            *) continue ;;
        esac
        while IFS= read -r line && [[ $line == '#'* ]]; do
            line=${line#'#'}
            [[ $line == '!'* || $line == SBATCH* ]] || printf '%s\n' "${line#' '}"
        done <"$0"
        exit 0
    done
}

# read_count VARIABLE DEFAULT: sets value to the variable's, which must be a whole number, for bash would evaluate
# anything else in arithmetic.
read_count() {
    value=${!1:-$2}
    [[ $value =~ ^(0|[1-9][0-9]{0,14})$ ]] || die "$1=$value is not a whole number"
}

# --- what to run ---

# start_job OPTION...: enters the folder that the job was submitted from and sources site.sh, which lies beside this file.
start_job() {
    show_help "$@"
    [ -n "${SLURM_JOB_ID:-}" ] || die "this is a job for Slurm: sbatch jobs/$job_script"
    read_count SLURM_JOB_ID 0
    read_count SLURM_RESTART_COUNT 0
    cd "${SLURM_SUBMIT_DIR:?}" || die "the folder that the job was submitted from, $SLURM_SUBMIT_DIR, is not on this node"
    read_site
    [ "${SLURM_RESTART_COUNT:-0}" = 0 ] || printf '\n'
}

read_site() {
    # shellcheck source=jobs/site.sh
    . "$jobs/site.sh"
    # On Lustre, GPFS and NFS file locks may be missing, or hang.
    export HDF5_USE_FILE_LOCKING=${HDF5_USE_FILE_LOCKING:-FALSE}
}

# find_program NAME: sets program.
find_program() {
    local folder
    local -a folders=("${DRUMLINE_BIN:-build/release/bin}" "$jobs/../build/release/bin")
    [[ $jobs != */share/drumline/jobs ]] || folders+=("$jobs/../../../bin")
    for folder in "${folders[@]}"; do
        program=$folder/$1
        [[ $program != -* ]] || program=./$program
        [ ! -x "$program" ] || return 0
        [ -z "${DRUMLINE_BIN:-}" ] || die "DRUMLINE_BIN=$DRUMLINE_BIN holds no $1"
    done
    program=$(command -v "$1") ||
        die "$1 was found neither in build/release/bin nor in PATH: build it (cmake --preset release &&" \
            "cmake --build --preset release), submit from the project's root, or set DRUMLINE_BIN"
}

# read_flags VARIABLE OPTION...: sets flags to the words of the variable and the options. No shell expands them again.
read_flags() {
    local words=${!1:-}
    shift
    read -r -d '' -a flags <<<"$words" || true
    flags+=("$@")
    show_help "${flags[@]}"
    ! given version "${flags[@]}" || die "--version runs no job: give it to the program itself"
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

# add_default NAME VALUE: adds --NAME=VALUE to arguments, unless the user's flags set it or the value is empty.
add_default() {
    local value
    given "$1" "${flags[@]}" || [ -z "$2" ] || arguments+=("--$1=$2")
}

# --- where to run ---

# expand_counts VARIABLE: sets counts. "2(x3),1" is 2 2 2 1; 1 where the variable is not set.
expand_counts() {
    local part times
    local -a parts
    IFS=, read -r -a parts <<<"${!1:-1}"
    counts=()
    for part in "${parts[@]}"; do
        [[ $part =~ ^([1-9][0-9]{0,8})(\(x([1-9][0-9]{0,5})\))?$ ]] || die "$1=${!1} is not a list of counts"
        for ((times = ${BASH_REMATCH[3]:-1}; times > 0; times--)); do
            counts+=("${BASH_REMATCH[1]}")
        done
    done
}

# Sets nodes, ranks, threads (of each rank) and crowded (whether every task slot has a rank). Without a number of tasks
# (the scripts ask for processors only) Slurm makes one slot of every --cpus-per-task processors, and each gets a rank.
# Threads are --cpus-per-task, else the rank's share of the node's processors in the allocation, on the node where that
# is least. With --ntasks-per-node Slurm keeps that many slots on each node, even where -n asks for fewer tasks.
count_resources() {
    local -a counts places cpus
    local i part all=0 most value
    expand_counts SLURM_TASKS_PER_NODE
    places=("${counts[@]}")
    expand_counts SLURM_JOB_CPUS_PER_NODE
    cpus=("${counts[@]}")
    nodes=${#places[@]}
    read_count SLURM_CPUS_PER_TASK 0
    threads=$value
    for ((i = 0; i < nodes; i++)); do
        all=$((all + places[i]))
    done
    read_count SLURM_NTASKS "$all"
    ranks=$value
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
# are not bound: mpirun counts cores, Slurm perhaps hardware threads, and where they disagree mpirun starts nothing.
mpirun_binding() {
    if [ "$1" = none ] || [ "$threads" -gt 1 ]; then printf 'none\n'; else printf 'core:overload-allowed\n'; fi
}

# Whether the program was built with MPICH or a relative of it, whose ranks are not started by Open MPI's mpirun.
built_with_mpich() {
    [[ $(ldd "$program" 2>/dev/null) =~ libmpich|libmpi\.so\.12 ]]
}

# MPICH's own mpirun, by the names that it has where Open MPI is installed too.
mpich_launcher() {
    command -v mpirun.mpich || command -v mpiexec.hydra || command -v mpirun
}

# Open MPI's mpirun, and its daemon on each other node, create one folder per user when they start and remove it when
# they end: of two jobs that share a node, one may find it gone while it starts, and fail. A subfolder of our own keeps
# it in place until this shell exits (a shell that is killed leaves it behind, empty). Another job may remove the folder
# between the two calls of mkdir, hence the retries. Open MPI takes a node's name up to its first dot.
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

# Where Open MPI starts the ranks: holds the folder on this node now, on the others by the script that mpirun then has
# Slurm start in place of its daemon. Open MPI splits that name at spaces, so a path with a space does without.
hold_session_folders() {
    hold_session_folder
    [ "$1" = mpirun ] && [ "${OMPI_MCA_plm:-slurm}" = slurm ] && [ -x "$jobs/mpirun_daemon.sh" ] &&
        [[ $jobs != *[[:space:]]* ]] && command -v orted >/dev/null || return 0
    export OMPI_MCA_orte_launch_agent=${OMPI_MCA_orte_launch_agent:-$jobs/mpirun_daemon.sh}
}

# Sets launch, the words before the program. With Open MPI also sets the EXIT trap.
choose_launcher() {
    local launcher=${DRUMLINE_LAUNCHER:-} binding=${DRUMLINE_BINDING:-cores} by=slot
    count_resources
    case $binding in
        cores | none) ;;
        *) die "DRUMLINE_BINDING=$binding: must be cores or none" ;;
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
            # Full nodes first; where Slurm keeps more slots than there are ranks, spread evenly.
            $crowded || by=node
            binding=$(mpirun_binding "$binding")
            launch=(mpirun -n "$ranks" --map-by "$by" --rank-by slot --bind-to "$binding")
            ! built_with_mpich || launch=("$(mpich_launcher)" -n "$ranks" -bind-to "${binding%%:*}") ;;
        *) die "DRUMLINE_LAUNCHER=$launcher: must be srun or mpirun" ;;
    esac
    built_with_mpich || hold_session_folders "$launcher"
}

# --- what the log says ---

# print_header WHAT: who runs what where.
print_header() {
    local commit='' restart='' task=''
    [ "${SLURM_RESTART_COUNT:-0}" = 0 ] || restart=", restart $SLURM_RESTART_COUNT"
    [ -z "${SLURM_ARRAY_JOB_ID:-}" ] || task=" (${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID:-} of an array)"
    commit=$(git -C "$jobs/.." describe --always --dirty 2>/dev/null) || commit=unknown
    say "$1" \
        "job $SLURM_JOB_ID$task, $(date -u +%FT%TZ)$restart" \
        "${nodes:-1} node(s) ${SLURM_JOB_NODELIST:-}, ${ranks:-1} rank(s), ${threads:-1} thread(s) each" \
        "$("$program" --version), commit $commit, Slurm $(sbatch --version | cut -d ' ' -f 2), in $PWD"
    [ -z "${launch+set}" ] || say "started by: ${launch[*]}"
}

# --- running ranks ---

# run_ranks PROGRAM ARGUMENT...: sets status. Slurm's warnings reach this shell alone, or the ranks alone, or both. Here
# they are passed on as USR1, which mpirun and srun forward to every rank (on TERM mpirun would kill them). warned says
# whether one came.
# shellcheck disable=SC2034 # read by the scripts
run_ranks() {
    local child='' signalled=''
    warned=false
    trap 'signalled=1 warned=true; [ -z "$child" ] || kill -USR1 "$child" 2>/dev/null' USR1 TERM
    "${launch[@]}" "$@" &
    child=$!
    # One that came before the ranks were started.
    [ -z "$signalled" ] || kill -USR1 "$child" 2>/dev/null
    while :; do
        signalled=
        status=0
        wait "$child" || status=$?
        [ -n "$signalled" ] || break
    done
    trap '' USR1 TERM
}
