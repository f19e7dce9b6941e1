#!/bin/bash
# down.sh SOURCE_DIR BUILD_DIR: ends the sandbox, and looks whether it has left anything.
# shellcheck source=tests/slurm/common.sh
. "$(dirname "$0")/common.sh"

sandbox down
[ ! -e "$sandbox_dir" ] || fail "$sandbox_dir is still there"
bridge=drl$(printf '%s' "$(realpath -m "$sandbox_dir")" | sha256sum | cut -c 1-6)
! compgen -G "/sys/class/net/$bridge*" >/dev/null || fail "network devices named $bridge are left"
# Dead processes that nobody has asked for yet have no command line.
left=$({ grep -lsaF -- "$sandbox_dir/" /proc/[0-9]*/cmdline || true; } | grep -v "^/proc/$$/" || true)
[ -z "$left" ] || fail "processes are left: ${left//$'\n'/ }"
