#!/bin/bash
# tools/slurm_sandbox.sh COMMAND: a real Slurm on this machine alone, to try job scripts on and to test them.
#   up                     starts it, or those parts that have died; as root four nodes, else one
#   run COMMAND ARG...     runs a command in it: run sbatch jobs/train_4bar.sh, run squeue, run bash
#   status                 its nodes and jobs
#   crash NODE             kills everything on a node (node1 to node4) at once; `up` brings it back
#   cut NODE, mend NODE    disconnects a node's network, and reconnects it; its processes keep running
#   orphan NODE            kills only a node's slurmd, with -9; its jobs' processes keep running. `up` restarts it
#   down                   stops it; nothing is left but what jobs have written elsewhere
# With --dir DIR before the command, it keeps its files there, not in ${XDG_RUNTIME_DIR:-/tmp}/drumline-slurm-UID.
# Several sandboxes in folders of their own can run at the same time. Root's nodes live in namespaces: each has its
# own host name, processes, /dev/shm and network, and four CPUs in Slurm's configuration, however many this machine has.
# Partitions: main; its halves, left (node1, node2) and right; and high, which preempts the others' jobs and requeues
# them. Installs missing Debian packages of Slurm, unless DRUMLINE_SKIP_SETUP=1 is set. Exit status 77: Slurm cannot run
# here, and the reason was printed.
set -euo pipefail

packages=(slurmctld slurmd slurm-client munge iproute2 util-linux procps)
num_nodes=4 cpus_per_node=4
export PATH=$PATH:/usr/sbin:/sbin

say() {
    printf 'slurm_sandbox.sh: %s\n' "$@" >&2
}

die() {
    say "$@"
    exit 1
}

cannot() {
    say "$@"
    exit 77
}

help() {
    sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0"
}

# --- what the machine has ---

have_programs() {
    local program
    for program in slurmctld slurmd sbatch munged ip unshare nsenter pgrep; do
        command -v "$program" >/dev/null || return 1
    done
}

install_missing() {
    local as_root=()
    have_programs && return
    [ "${DRUMLINE_SKIP_SETUP:-0}" != 1 ] || cannot "Slurm is not installed: apt-get install ${packages[*]}"
    command -v apt-get >/dev/null ||
        cannot "Slurm is not installed, and this is no Debian: install slurmctld, slurmd, munge and iproute2"
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || cannot "Slurm is not installed; ask for: apt-get install ${packages[*]}"
        as_root=(sudo)
    fi
    say "installing ${packages[*]}"
    { "${as_root[@]}" apt-get update -q && "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -q --no-install-recommends "${packages[@]}"; } >"$dir/log/install.log" 2>&1 ||
        cannot "the installation failed; its log is $dir/log/install.log" "$(tail -n 2 "$dir/log/install.log")"
}

# Namespaces and network devices may be forbidden to root as well, say in a container. A user's own need no trying.
can_make_nodes() {
    local trial=dlt$id
    [ "$(id -u)" -eq 0 ] || return 1
    unshare --mount --uts --pid --net --fork --mount-proc true 2>/dev/null || return 1
    ip link add "$trial" type bridge 2>/dev/null || return 1
    ip link add "${trial}a" type veth peer name "${trial}b" 2>/dev/null || { ip link del "$trial"; return 1; }
    ip link del "${trial}a"
    ip link del "$trial"
}

# --- files ---

make_folders() {
    [ ! -L "$dir" ] || die "$dir is a link; give another --dir"
    (umask 077; mkdir -p "$dir")
    [ -O "$dir" ] || die "$dir belongs to somebody else; give another --dir"
    [ ! -e "$dir" ] || [ -e "$dir/log" ] || [ -z "$(ls -A "$dir")" ] ||
        die "$dir holds something else than a sandbox; give another --dir"
    [ ${#dir} -le 80 ] || die "$dir is too long a path for a socket; give a shorter --dir"
    mkdir -p "$dir"/{munge,etc,state,log,spool,run} "$dir"/tmp/{"$(uname -n)",node{1..4}}
    # munge wants to be reachable by everybody; what protects it is the sandbox's folder.
    chmod 711 "$dir/munge"
}

# A subnet that no other device of this machine has.
choose_subnet() {
    local i subnet
    for ((i = 0; i < 200; i++)); do
        subnet=10.77.$(((16#${id:0:4} + i) % 200))
        if [[ $(ip -o -4 addr show) != *" $subnet."* ]]; then
            printf '%s\n' "$subnet"
            return
        fi
    done
    cannot "no free network of 10.77.0.0/16 was found"
}

# Two ports of the loopback address that nobody listens on, for the plain node.
choose_ports() {
    local port=$((20000 + 16#${id:0:4} % 20000))
    while ss -ltnH | grep -qE ":($port|$((port + 1))) "; do
        port=$((port + 2))
    done
    printf '%s\n' "$port"
}

write_hosts() {
    local i
    printf '127.0.0.1 localhost\n%s.254 ctl %s\n' "$subnet" "$(uname -n)"
    for ((i = 1; i <= num_nodes; i++)); do
        printf '%s.%d node%d\n' "$subnet" "$i" "$i"
    done
}

# write_config LEFT RIGHT: what both kinds of sandbox have in common, with the nodes of those partitions. Times are
# short, so that a lost node, a requeue and a preemption take seconds: cred_expire is also how long Slurm keeps a
# requeued job waiting. PMIx puts a folder by the step's name, without the node's, into TmpFS.
write_config() {
    cat <<TEXT
ClusterName=sandbox
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket=$dir/munge/munge.socket,cred_expire=5
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool/%n
TmpFS=$dir/tmp/%n
SlurmctldPidFile=$dir/run/slurmctld.slurm
SlurmdPidFile=$dir/run/slurmd.%n.slurm
SlurmctldLogFile=$dir/log/slurmctld.log
SlurmdLogFile=$dir/log/slurmd.%n.log
MailProg=/bin/true
ProctrackType=proctrack/linuxproc
TaskPlugin=task/affinity
TaskPluginParam=None
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc=$dir/log/jobcomp.txt
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=2,batch_sched_delay=0,bf_interval=2
ReturnToService=2
JobRequeue=1
RequeueExit=99
SlurmdTimeout=5
BatchStartTimeout=10
TCPTimeout=2
MessageTimeout=5
KillWait=3
UnkillableStepTimeout=20
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
PartitionName=main Nodes=ALL Default=YES PriorityTier=1 PreemptMode=REQUEUE GraceTime=10 MaxTime=INFINITE State=UP
PartitionName=left Nodes=$1 PriorityTier=1 PreemptMode=REQUEUE GraceTime=10 MaxTime=INFINITE State=UP
PartitionName=right Nodes=$2 PriorityTier=1 PreemptMode=REQUEUE GraceTime=10 MaxTime=INFINITE State=UP
PartitionName=high Nodes=ALL PriorityTier=10 PreemptMode=OFF MaxTime=INFINITE State=UP
TEXT
}

write_namespaces_config() {
    subnet=$(choose_subnet)
    printf '%s\n' "$subnet" >"$dir/run/subnet"
    write_hosts >"$dir/etc/hosts"
    write_config 'node[1-2]' 'node[3-4]'
    cat <<TEXT
SlurmctldHost=ctl($subnet.254)
SlurmctldPort=16817
SlurmdPort=16818
SlurmUser=root
SlurmdUser=root
CommunicationParameters=NoCtldInAddrAny
SlurmctldParameters=preempt_send_user_signal
NodeName=node[1-$num_nodes] NodeAddr=$subnet.[1-$num_nodes] CPUs=$cpus_per_node RealMemory=4000 State=UNKNOWN
TEXT
}

write_plain_config() {
    local port user
    port=$(choose_ports)
    user=$(id -un)
    write_config ALL ALL
    cat <<TEXT
SlurmctldHost=$(uname -n)(127.0.0.1)
SlurmctldPort=$port
SlurmdPort=$((port + 1))
SlurmUser=$user
SlurmdUser=$user
SlurmctldParameters=preempt_send_user_signal
NodeName=$(uname -n) NodeAddr=127.0.0.1 CPUs=$cpus_per_node RealMemory=4000 State=UNKNOWN
TEXT
}

write_files() {
    [ ! -e "$dir/run/kind" ] || return 0
    if can_make_nodes; then kind=namespaces; else kind=plain; fi
    # 22.05 knows no other way to say that there are no cgroups to be used.
    printf 'CgroupPlugin=cgroup/v1\n' >"$dir/etc/cgroup.conf"
    "write_${kind}_config" >"$dir/etc/slurm.conf.new"
    mv "$dir/etc/slurm.conf.new" "$dir/etc/slurm.conf"
    (umask 077; head -c 128 /dev/urandom >"$dir/munge/munge.key")
    printf '%s\n' "$kind" >"$dir/run/kind"
}

# --- processes ---

# start NAME COMMAND...: in the background, in a session of its own, its number in run/NAME.pid. setsid becomes the
# command, so that the number is the command's.
start() {
    local name=$1
    shift
    setsid "$@" </dev/null >>"$dir/log/$name.out" 2>&1 &
    printf '%d %s\n' $! "$(process_start $!)" >"$dir/run/$name.pid"
}

# When a process started, which with its number names the process for good; nothing where it is gone.
process_start() {
    local stat fields
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
    read -r -a fields <<<"${stat##*) }"
    [ "${fields[0]}" = Z ] || printf '%s\n' "${fields[19]}"
}

# alive NAME: sets pid where run/NAME.pid's process lives.
alive() {
    local start
    [ -e "$dir/run/$1.pid" ] || return 1
    read -r pid start <"$dir/run/$1.pid"
    [ -n "$start" ] && [ "$(process_start "$pid")" = "$start" ]
}

# kill_process NAME [SIGNAL]: and waits until it is gone.
kill_process() {
    local i
    alive "$1" || { rm -f "$dir/run/$1.pid"; return 0; }
    kill "-${2:-TERM}" "$pid" 2>/dev/null || true
    for ((i = 0; i < 50; i++)); do
        alive "$1" || break
        sleep 0.1
        [ $i -ne 40 ] || kill -KILL "$pid" 2>/dev/null || true
    done
    rm -f "$dir/run/$1.pid"
}

start_munge() {
    alive munged && return
    rm -f "$dir/munge/munge.socket" "$dir/munge/munge.socket.lock"
    start munged munged --foreground --force --key-file="$dir/munge/munge.key" --socket="$dir/munge/munge.socket" \
        --pid-file="$dir/run/munged.munge" --log-file="$dir/log/munged.log" --seed-file="$dir/munge/seed"
}

start_bridge() {
    ip link show "$bridge" >/dev/null 2>&1 && return
    ip link add "$bridge" type bridge
    ip addr add "$subnet.254/24" dev "$bridge"
    ip link set "$bridge" up
}

start_controller() {
    alive slurmctld && return
    if [ "$kind" = plain ]; then
        start slurmctld slurmctld -D -f "$dir/etc/slurm.conf"
    else
        # shellcheck disable=SC2016 # the inner shell's variables
        start slurmctld unshare --mount --uts bash -c \
            'hostname ctl && mount --bind "$1/etc/hosts" /etc/hosts && exec slurmctld -D -f "$1/etc/slurm.conf"' \
            ctl "$dir"
    fi
}

# A node's first process waits for its network, which has to be put in from outside, and outlives its slurmd.
start_node() {
    local i=$1 link=$bridge-$1
    if alive "node$i"; then
        restart_slurmd "$i"
        return
    fi
    ip link del "$link" 2>/dev/null || true
    # shellcheck disable=SC2016 # the inner shell's variables
    start "node$i" unshare --net --pid --fork --kill-child --mount --uts --mount-proc bash -c '
        hostname "$2" && mount --bind "$1/etc/hosts" /etc/hosts && mount -t tmpfs tmpfs /dev/shm || exit
        until ip link set eth0 up 2>/dev/null; do sleep 0.02; done
        ip link set lo up
        ip addr add "$3/24" dev eth0
        slurmd -D -f "$1/etc/slurm.conf" &
        sleep infinity &
        wait' "node$i" "$dir" "node$i" "$subnet.$i"
    alive "node$i" || die "node$i died at once: see $dir/log/node$i.out"
    own_network "$pid" || die "node$i got no network of its own: see $dir/log/node$i.out"
    ip link add "$link" type veth peer name eth0 netns "$pid"
    ip link set "$link" master "$bridge" up
}

# slurmd_of NODE_NUMBER: prints its process number. Sets init, the node's first process.
slurmd_of() {
    alive "node$1" && init=$(pgrep -P "$pid") && pgrep --ns "$init" --nslist pid -x slurmd
}

restart_slurmd() {
    local init
    slurmd_of "$1" >/dev/null && return
    start "slurmd$1" nsenter --target "$init" --pid --mount --uts --net slurmd -D -f "$dir/etc/slurm.conf"
}

# Waits until a process has left this network namespace.
own_network() {
    local i
    for ((i = 0; i < 100; i++)); do
        [ "$(readlink "/proc/$1/ns/net")" = "$(readlink /proc/self/ns/net)" ] || return 0
        sleep 0.02
    done
    return 1
}

start_nodes() {
    local i
    if [ "$kind" = plain ]; then
        alive slurmd || start slurmd slurmd -D -f "$dir/etc/slurm.conf"
        return
    fi
    for ((i = 1; i <= num_nodes; i++)); do
        start_node "$i"
    done
}

wait_for_nodes() {
    local up=0 wanted=$num_nodes end=$((SECONDS + 30))
    [ "$kind" != plain ] || wanted=1
    while [ "$SECONDS" -lt "$end" ]; do
        # Without an answer sinfo fails, and is asked again.
        up=$(timeout 5 sinfo -h -p main -t idle,alloc,mix,comp -o %D 2>/dev/null |
            awk '{ n += $1 } END { print n + 0 }') || true
        [ "$up" -lt "$wanted" ] || return 0
        sleep 0.2
    done
    cannot "only $up of $wanted nodes came up in 30 s; the last lines of $dir/log/slurmctld.log:" \
        "$(tail -n 3 "$dir/log/slurmctld.log" 2>/dev/null || cat "$dir/log/slurmctld.out")"
}

# --- commands ---

is_up() {
    [ -e "$dir/run/kind" ] && kind=$(cat "$dir/run/kind") && alive slurmctld
}

load() {
    kind=$(cat "$dir/run/kind")
    subnet=$(cat "$dir/run/subnet" 2>/dev/null || true)
    export SLURM_CONF=$dir/etc/slurm.conf
}

up() {
    make_folders
    exec 9>"$dir/run/starting"
    flock 9
    install_missing
    write_files
    load
    # What is started must hold neither the lock nor the folder that the caller was in.
    cd "$dir"
    {
        start_munge
        [ "$kind" = plain ] || start_bridge
        start_controller
        start_nodes
    } 9>&-
    wait_for_nodes
    [ "$kind" = namespaces ] ||
        say "one plain node: nodes of their own need root and the right to make namespaces and network devices"
}

# In jobs, ranks of all nodes share this machine's few cores: no binding, and who waits yields. The sandbox is root's,
# which Open MPI has to be given twice.
run() {
    is_up || die "the sandbox is not up: tools/slurm_sandbox.sh up"
    load
    export DRUMLINE_BINDING=${DRUMLINE_BINDING:-none}
    export OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_btl_vader_single_copy_mechanism=none PMIX_MCA_gds=hash
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
    if [ "$kind" = namespaces ]; then
        export OMPI_MCA_btl_tcp_if_include=$subnet.0/24 OMPI_MCA_oob_tcp_if_include=$subnet.0/24
    fi
    exec "$@"
}

status() {
    is_up || { printf 'not up (%s)\n' "$dir"; return 1; }
    load
    printf 'up (%s): %s\n' "$dir" "$kind"
    timeout 10 sinfo -N -o '%8N %10P %8T %c CPUs' && timeout 10 squeue
}

node_number() {
    is_up || die "the sandbox is not up: tools/slurm_sandbox.sh up"
    [ "$kind" = namespaces ] || die "a plain node is this machine itself: there is no $1"
    [[ $1 =~ ^node[1-4]$ ]] || die "there are node1 to node$num_nodes, no \"$1\""
    printf '%s\n' "${1#node}"
}

orphan() {
    local slurmd
    slurmd=$(slurmd_of "$1") || die "node$1 has no slurmd"
    kill -KILL "$slurmd"
}

# Jobs' processes of a plain node, which nothing else ends: those that run under this sandbox's Slurm, this script
# aside.
kill_plain_jobs() {
    local file number
    for file in /proc/[0-9]*/environ; do
        number=${file#/proc/}
        number=${number%/environ}
        if [ "$number" != $$ ] && { tr '\0' '\n' <"$file"; } 2>/dev/null | grep -qxF "SLURM_CONF=$dir/etc/slurm.conf" &&
            { { tr '\0' '\n' <"$file"; } 2>/dev/null | grep -q '^SLURM_JOB_ID=' ||
                [ "$(cat "/proc/$number/comm" 2>/dev/null)" = slurmstepd ]; }; then
            kill -KILL "$number" 2>/dev/null || true
        fi
    done
}

down() {
    local i
    [ -d "$dir" ] || return 0
    { [ -O "$dir" ] && [ -e "$dir/log" ]; } || die "$dir is no sandbox of yours"
    if [ -e "$dir/run/kind" ]; then
        load
        kill_process slurmctld
        for ((i = 1; i <= num_nodes; i++)); do
            kill_process "node$i" KILL
        done
        kill_process slurmd
        [ "$kind" != plain ] || kill_plain_jobs
        kill_process munged
        for ((i = 1; i <= num_nodes; i++)); do
            ip link del "$bridge-$i" 2>/dev/null || true
        done
        ip link del "$bridge" 2>/dev/null || true
    fi
    rm -rf "$dir"
}

dir=${XDG_RUNTIME_DIR:-/tmp}/drumline-slurm-$(id -u)
case ${1:-} in
    --dir) dir=${2:?--dir needs a folder}; shift 2 ;;
    --dir=*) dir=${1#--dir=}; shift ;;
esac
dir=$(realpath -m -- "$dir")
# Devices of the network have short names of their own: 15 letters at most.
id=$(printf '%s' "$dir" | sha256sum | cut -c 1-6)
bridge=drl$id

command=${1:-}
[ $# -eq 0 ] || shift
case $command in
    up | down | status) [ $# -eq 0 ] || die "$command takes no arguments"; "$command" ;;
    run) [ $# -gt 0 ] || { say "run what? say: run sbatch jobs/train_4bar.sh"; exit 2; }; run "$@" ;;
    orphan) number=$(node_number "${1:-}"); load; orphan "$number" ;;
    crash) number=$(node_number "${1:-}"); kill_process "node$number" KILL ;;
    cut) number=$(node_number "${1:-}"); ip link set "$bridge-$number" down ;;
    mend) number=$(node_number "${1:-}"); ip link set "$bridge-$number" up ;;
    -h | --help) help ;;
    *) say "unknown command \"$command\"; there are up, run, status, crash, cut, mend, orphan and down"; exit 2 ;;
esac
