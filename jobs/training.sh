#!/bin/bash
# jobs/training.sh: what the scripts that train share, besides jobs/common.sh: the arguments of the training, and, on the
# login node, the checks before a script submits itself. They source it; it is not submitted.
# shellcheck disable=SC2154 # jobs, flags, value and program are set by common.sh, job_script by the script

# read_training [CONFIG] [OPTION]...: sets config, data, run, flags (the user's options) and arguments (the others).
read_training() {
    config=${DRUMLINE_CONFIG:-groovae_4bar}
    if [ $# -gt 0 ] && [[ $1 != --* ]]; then
        config=$1
        shift
    fi
    read_flags DRUMLINE_TRAIN_FLAGS "$@"
    if given config "${flags[@]}"; then config=$value; fi
    data=${DRUMLINE_DATA:-data/shards} run=${DRUMLINE_RUN:-runs/$config}
    if given run_dir "${flags[@]}"; then run=$value; fi
    if given examples_path "${flags[@]}"; then data=$value; fi
    arguments=()
    add_default config "$config"
    add_default examples_path "$data"
    add_default run_dir "$run"
    add_default num_steps "${DRUMLINE_STEPS:-50000}"
    add_default hparams "${DRUMLINE_HPARAMS:-}"
    add_default log_dir "${DRUMLINE_LOG_DIR:-}"
}

# --- on the login node ---

# read_sbatch_options OPTION...: sets least_ranks to the number of ranks that a job gets at least with these options of sbatch and
# the scripts' own, --mincpus=4, and depends to whether it waits for other jobs. Without a number of tasks every
# --cpus-per-task processors make one.
read_sbatch_options() {
    local nodes=1 per_node=0 tasks=0 cpus=4 each=1 name number
    local names='-n|-N|-c|--ntasks|--nodes|--ntasks-per-node|--mincpus|--cpus-per-task'
    depends=false
    while [ $# -gt 0 ]; do
        [[ $1 != -d* && $1 != --dependency?(=*) ]] || depends=true
        [[ $1 =~ ^(-[nNc])([0-9]+) ]] || [[ $1 =~ ^($names)=([0-9]+) ]] || [[ "$1=${2:-}" =~ ^($names)=([0-9]+) ]] ||
            { shift; continue; }
        name=${BASH_REMATCH[1]} number=$((10#${BASH_REMATCH[2]:0:7}))
        case $name in
            -n | --ntasks) tasks=$number ;;
            -N | --nodes) nodes=$number ;;
            -c | --cpus-per-task) each=$((number > 0 ? number : 1)) ;;
            --mincpus) cpus=$number ;;
            *) per_node=$number ;;
        esac
        shift
    done
    [ "$per_node" -gt 0 ] || per_node=$((cpus > each ? cpus / each : 1))
    least_ranks=$((tasks > 0 ? tasks : nodes * per_node))
}

# check_training: gives what read_training has read to drumline-train --mode=check and sets answer to what that says, and
# refused to whether a job would be refused. What can't be known on this node, or may be made by a job that this one
# waits for, is left to the job.
check_training() {
    local status=0
    refused=false
    if ! (find_program drumline-train) >/dev/null 2>&1; then
        answer='note: drumline-train is not on this node, so config, hparams and data set are checked in the job'
        return
    fi
    find_program drumline-train
    answer=$("$program" --mode=check --num_ranks="$least_ranks" "${arguments[@]}" "${flags[@]}" 2>&1) || status=$?
    case $status in
        0) ;;
        1 | 2)
            if $depends && [ "$status" -eq 1 ]; then # 2: wrong options, which no other job can mend
                answer+=$'\n'"note: the job waits for others (--dependency), so this is checked again in the job"
            else
                refused=true
            fi
            ;;
        *) answer="note: drumline-train does not run on this node, so config, hparams and data set are checked in the job" ;;
    esac
}

# submit_self OPTION... -- ARGUMENT...: submits this script with these options of sbatch. Sets job.
submit_self() {
    local limit=60 option
    local failed='sbatch failed with status %d (see above; 124: no answer in a minute, and squeue --me shows whether the job is there)'
    local -a options=()
    while [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    shift
    for option in "${options[@]}"; do
        case $option in
            --wait | -W)
                limit=0 # and its status is the job's
                failed='the job, or sbatch, ended with status %d (see above)'
                ;;
        esac
    done
    command -v sbatch >/dev/null ||
        die "sbatch was not found: this is a job for Slurm. Without Slurm run drumline-train itself"
    export DRUMLINE_JOBS=$jobs
    job=$(timeout "$limit" sbatch --parsable "${options[@]}" "$jobs/$job_script" "$@") ||
        die "${failed/'%d'/$?}"
    job=${job%%;*}
}

# submit_training [CONFIG] -- ARGUMENT...: checks a training with the config before -- and the arguments, then submits this
# script with the arguments. Does not return.
submit_training() {
    local -a before=() options
    local least_ranks depends refused answer job
    while [ "$1" != -- ]; do
        before+=("$1")
        shift
    done
    shift
    read_site
    read -r -d '' -a options <<<"${DRUMLINE_SBATCH:-}" || true
    read_sbatch_options "${options[@]}"
    read_training "${before[@]}" "$@"
    check_training
    ! $refused || die "$answer" "refused: nothing was submitted"
    say "$answer"
    submit_self "${options[@]}" -- "$@"
    printf 'Submitted batch job %s\n' "$job"
    say "the run will be in $run" \
        "watch: squeue --me; drumline-info --watch $(printf %q "$run"); cancel: scancel $job"
    exit 0
}
