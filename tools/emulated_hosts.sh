#!/bin/bash
# tools/emulated_hosts.sh [--hosts N] [--rate RATE] [MPIRUN OPTION...] PROGRAM [ARG...]
# Runs an MPI program on N hosts (2) that are namespaces of this machine, each with its own host name, /dev/shm and network
# address, over a network of RATE (1gbit; any rate of tc(8), or "unlimited"), with Open MPI's mpirun:
#
#   tools/emulated_hosts.sh --rate 1gbit -n 2 build/release/bin/drumline-bench train --config groovae_4bar_flat
#
# Ranks are assigned to the hosts round robin, and so are this machine's processors, which are shared where there are more
# hosts; all share its files. What is real is that messages leave through a network device of the given rate. Needs root,
# iproute2 and util-linux. Nothing is left behind, unless this is killed outright.
# Exit status: mpirun's; 77 if such hosts cannot be made, with the reason printed.
set -euo pipefail
export PATH=$PATH:/usr/sbin:/sbin

say() {
    printf 'emulated_hosts.sh: %s\n' "$@" >&2
}

cannot() {
    say "$@"
    exit 77
}

usage_error() {
    say "$1" "try: tools/emulated_hosts.sh --help"
    exit 2
}

parse() {
    num_hosts=2 rate=1gbit
    while [ $# -gt 0 ]; do
        case $1 in
            --help) sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0"; exit 0 ;;
            --hosts) [ $# -gt 1 ] || usage_error "--hosts needs a number"; num_hosts=$2; shift 2 ;;
            --rate) [ $# -gt 1 ] || usage_error "--rate needs a rate such as 1gbit"; rate=$2; shift 2 ;;
            *) break ;;
        esac
    done
    [[ $num_hosts =~ ^([2-9]|[1-5][0-9]|6[0-4])$ ]] ||
        usage_error "--hosts must be from 2 to 64, not '$num_hosts'"
    [[ $rate =~ ^(unlimited|[0-9]+[kmgt]?bit)$ ]] || usage_error "--rate must be as in 1gbit, or unlimited, not '$rate'"
    [ $# -gt 0 ] || usage_error "there is no program to run"
    arguments=("$@")
}

check_machine() {
    local program
    [ "$(id -u)" -eq 0 ] || cannot "only root can make network namespaces"
    for program in ip tc unshare nsenter taskset mpirun; do
        command -v "$program" >/dev/null || cannot "$program is not installed (iproute2, util-linux, openmpi-bin)"
    done
    [[ $(mpirun --version 2>/dev/null) == *'Open MPI'* ]] || cannot "mpirun is not Open MPI's"
    unshare --mount --uts --net --fork true 2>/dev/null || cannot "namespaces are forbidden here"
}

# shellcheck disable=SC2317 # called by the trap
remove_hosts() {
    local i
    for ((i = 1; i <= num_hosts; i++)); do
        ip netns pids "$name-$i" 2>/dev/null | xargs -r kill -9 2>/dev/null || true
        ip netns del "$name-$i" 2>/dev/null || true
    done
    ip link del "$name" 2>/dev/null || true
    rm -rf "$folder"
}

make_host() {
    local i=$1 host=$name-$1 veth=${name}v$1
    ip netns add "$host"
    ip link add "$veth" type veth peer name eth0 netns "$host"
    ip link set "$veth" master "$name" up
    ip -n "$host" link set lo up
    ip -n "$host" addr add "$subnet.$i/24" dev eth0
    ip -n "$host" link set eth0 up
    if [ "$rate" = unlimited ]; then return 0; fi
    ip netns exec "$host" tc qdisc add dev eth0 root handle 1: htb default 10
    ip netns exec "$host" tc class add dev eth0 parent 1: classid 1:10 htb rate "$rate" burst 64kb
}

# The processors that this process may use, one a line.
processors() {
    local range
    for range in $(sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/self/status | tr ',' ' '); do
        seq "${range%-*}" "${range#*-}"
    done
}

# Host I's share of them, as 0,2,4.
processors_of() {
    local all i share=""
    mapfile -t all < <(processors)
    for ((i = ($1 - 1) % ${#all[@]}; i < ${#all[@]}; i += num_hosts)); do
        share+=${share:+,}${all[i]}
    done
    echo "$share"
}

# What mpirun calls in place of ssh: AGENT HOST COMMAND...
write_agent() {
    cat >"$folder/agent" <<AGENT
#!/bin/bash
host=\$1
shift
exec nsenter --net=/run/netns/$name-\${host#host} unshare --mount --uts \\
    taskset --cpu-list "\$(cat "$folder/processors-\${host#host}")" bash -c '
    hostname "\$1"
    mount --bind $folder/hosts /etc/hosts
    mount -t tmpfs tmpfs /dev/shm
    shift
    exec bash -c "\$*"' agent "\$host" "\$@"
AGENT
    chmod +x "$folder/agent"
}

# Hosts that a killed run left behind still have theirs.
find_subnet() {
    local i
    for ((i = 0; i < 250; i++)); do
        subnet=10.78.$((($$ + i) % 250))
        [[ $(ip -oneline -4 addr) == *" $subnet."* ]] || return 0
    done
    cannot "no subnet is free in 10.78.0.0/16"
}

make_hosts() {
    local i
    name=dlh$(($$ % 100000))
    find_subnet
    folder=$(mktemp -d)
    trap remove_hosts EXIT
    ip link add "$name" type bridge 2>/dev/null || cannot "no network bridge can be made here"
    ip addr add "$subnet.254/24" dev "$name"
    ip link set "$name" up
    echo "127.0.0.1 localhost" >"$folder/hosts"
    for ((i = 1; i <= num_hosts; i++)); do
        echo "$subnet.$i host$i" >>"$folder/hosts"
        processors_of "$i" >"$folder/processors-$i"
        make_host "$i" 2>"$folder/error" || cannot "host$i could not be made: $(tail -n 1 "$folder/error")"
    done
    write_agent
}

# The hosts need root, and root alone is here to ask. Ranks that share a core must yield it while they wait; binding would put
# each host's first rank on core 0.
run_mpi() {
    local list="" i
    for ((i = 1; i <= num_hosts; i++)); do
        list+=${list:+,}host$i:64
    done
    mpirun --allow-run-as-root -H "$list" --map-by node --bind-to none --mca plm rsh --mca plm_rsh_agent "$folder/agent" \
        --mca plm_rsh_no_tree_spawn 1 --mca btl tcp,self --mca btl_tcp_if_include "$subnet.0/24" \
        --mca oob_tcp_if_include "$subnet.0/24" --mca mpi_yield_when_idle 1 --mca pml ob1 "${arguments[@]}"
}

parse "$@"
check_machine
make_hosts
status=0
run_mpi || status=$?
exit "$status"
