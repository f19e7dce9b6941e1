#!/bin/bash
# tools/setup.sh [--tests] [--musl] [--lint] [--check]: installs what Drumline needs of Debian's (or Ubuntu's) packages and is missing.
#   --tests   also what tools/test.sh needs
#   --musl    also what "tools/test.sh musl" needs
#   --lint    also what "tools/test.sh lint" and "tools/test.sh valgrind" need
#   --check   only says what is missing: exit status 1 if anything is
# Does nothing, and asks for no rights, where nothing is missing. DRUMLINE_SKIP_SETUP=1 in the environment skips it all,
# for systems that have the libraries from elsewhere (docs/dependencies.md names them).
set -euo pipefail

packages=(
    build-essential cmake ninja-build pkg-config git
    libopenmpi-dev openmpi-bin libhdf5-dev libopenblas-dev
    libsmf-dev libpopt-dev libjansson-dev libarchive-dev nettle-dev libxxhash-dev librandom123-dev libdnnl-dev
    libseccomp-dev zlib1g-dev
    libcairo2-dev libfluidsynth-dev libsndfile1-dev timgm6mb-soundfont libasound2-dev
)
test_packages=(
    libcmocka-dev clang-format shellcheck hdf5-tools python3 python3-numpy python3-h5py python3-mido python3-xxhash python3-protobuf
    slurmctld slurmd slurm-client munge iproute2 strace
    libmpich-dev mpich lintian groff-base chromium gcc-aarch64-linux-gnu qemu-user musl-tools
)
musl_packages=(musl-tools meson curl)
lint_packages=(clang-tidy cppcheck valgrind)

die() {
    printf 'setup.sh: %s\n' "$@" >&2
    exit 1
}

# Debian's name for "installed and configured" is "installed"; a removed package may still be known to dpkg.
is_installed() {
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

install() {
    local as_root=(env)
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null ||
            die "these packages are missing, and installing them needs root or sudo: $*" \
                "Ask an administrator to run: apt-get install $*"
        as_root=(sudo env)
    fi
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    printf 'Installing %d packages: %s\n' $# "$*"
    "${as_root[@]}" DEBIAN_FRONTEND=noninteractive apt-get update -q >"$log" 2>&1 ||
        die "$(tail -n 20 "$log")" \
            "apt-get update failed (see above): is there a network, and are the sources in /etc/apt right?"
    "${as_root[@]}" DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" \
        >"$log" 2>&1 ||
        die "$(tail -n 20 "$log")" "apt-get install failed (see above)"
}

check_only=false
for argument in "$@"; do
    case $argument in
        --tests)
            packages+=("${test_packages[@]}")
            is_installed environment-modules || packages+=(lmod) # a system has one of them
            command -v npm >/dev/null || packages+=(nodejs npm)  # often from elsewhere, in one package
            ;;
        --musl) packages+=("${musl_packages[@]}") ;;
        --lint) packages+=("${lint_packages[@]}") ;;
        --check) check_only=true ;;
        -h | --help) sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0"; exit 0 ;;
        *) printf 'setup.sh: unknown argument "%s"; there are --tests, --musl, --lint and --check\n' "$argument" >&2; exit 2 ;;
    esac
done
[ "${DRUMLINE_SKIP_SETUP:-0}" = 1 ] && exit 0
{ command -v dpkg-query && command -v apt-get; } >/dev/null ||
    die "this is no Debian or Ubuntu, so nothing was installed. Install what docs/dependencies.md names" \
        "and run again with DRUMLINE_SKIP_SETUP=1"

missing=()
for package in "${packages[@]}"; do
    is_installed "$package" || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0
if $check_only; then
    printf 'missing: %s\n' "${missing[*]}"
    exit 1
fi
install "${missing[@]}"
