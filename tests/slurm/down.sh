#!/bin/bash
# down.sh SOURCE_DIR BUILD_DIR: ends the sandbox, and looks whether it has left anything.
# shellcheck source=tests/slurm/common.sh
. "$(dirname "$0")/common.sh"

sandbox down
[ ! -e "$sandbox_dir" ] || fail "$sandbox_dir is still there"
bridge=drl$(printf '%s' "$(realpath -m "$sandbox_dir")" | sha256sum | cut -c 1-6)
! compgen -G "/sys/class/net/$bridge*" >/dev/null || fail "network devices named $bridge are left"
left=$(pgrep -f -- "$sandbox_dir/" || true)
# Dead ones that nobody has asked for yet have no command line, so pgrep does not find them.
[ -z "$left" ] || fail "processes are left: $(ps -o pid=,args= -p "${left//$'\n'/,}")"
