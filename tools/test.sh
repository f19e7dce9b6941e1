#!/bin/bash
# tools/test.sh [release] [asan] [tsan] [mpich] [musl] [lint] [valgrind]: builds Drumline as it is released, with AddressSanitizer, with
# ThreadSanitizer, and with MPICH in place of Open MPI (these four unless some are named), in build/release, build/asan and so
# on. Runs every test of the first two, but in the second not those that are labelled release: unit tests, MPI tests, and checks
# of the tree (formatting, scripts, installation, a build without MPI); of tsan the tests of what has threads, of mpich those
# that depend on the MPI library. With musl, drumline-generate and drumline-info are built for musl's C library, and their
# quick tests run; what they are linked with is built first (tools/musl_libraries.sh, ten minutes, once). With lint, cppcheck and
# clang-tidy look for faults in the sources (tools/lint.sh, six minutes of one core); with valgrind, memcheck
# watches the programs on their short paths (tools/valgrind.sh, some minutes). Installs missing Debian packages (tools/setup.sh).
# Up to three tests that fail are run again, one at a time, and named if they pass then.
# The last line counts tests over all builds: "N passed, N failed", and ", N skipped" if some were. The exit status is 0 if
# nothing failed.
set -uo pipefail

cd "$(dirname "$0")/.." || exit 1
passed=0 failed=0 skipped=0 second_try=()

if [ -t 1 ]; then bold=$'\e[1m' plain=$'\e[0m'; else bold='' plain=''; fi

heading() {
    printf '\n%s== %s ==%s\n' "$bold" "$1" "$plain"
}

# Two mpirun that start and end at the same moment may lose the folder that they share (jobs/common.sh has the same).
node=$(uname -n)
session_folder=${TMPDIR:-${TEMP:-${TMP:-/tmp}}}/ompi.${node%%.*}.$(id -u)/drumline-tests.$$

finish() {
    rmdir "$session_folder" "${session_folder%/*}" 2>/dev/null
    [ ${#second_try[@]} -eq 0 ] || printf '\npassed only when run again: %s' "${second_try[@]}"
    printf '\n%d passed, %d failed' "$passed" "$failed"
    [ "$skipped" -eq 0 ] || printf ', %d skipped' "$skipped"
    printf '\n'
    if [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]; then exit 0; else exit 1; fi
}

# A step that is not itself a test counts as one failed test if it fails.
step_failed() {
    printf 'tools/test.sh: %s\n' "$1" >&2
    failed=$((failed + 1))
}

# Of CTest's log: how many tests have failed, and out of how many. Fails if there is no such line.
read_summary() {
    local summary
    summary=$(grep -E '^[0-9]+% tests passed, [0-9]+ tests? failed out of [0-9]+' "$1" | tail -n 1)
    [[ $summary =~ ,\ ([0-9]+)\ tests?\ failed\ out\ of\ ([0-9]+) ]] && echo "${BASH_REMATCH[1]} ${BASH_REMATCH[2]}"
}

# Adds up CTest's counts. It counts skipped tests as passed and omits disabled ones. The third argument, if any, is the log of
# the failed tests' second run, which decides.
count_tests() {
    local log=$1 status=$2 again=${3:-} bad all skipped_here disabled
    if ! read -r bad all < <(read_summary "$log"); then
        step_failed "ctest ended with status $status and no summary: no test was found, or none could be run"
        return
    fi
    if [ -n "$again" ] && ! read -r bad _ < <(read_summary "$again"); then
        step_failed "the failed tests could not be run again"
        return
    fi
    skipped_here=$(grep -cE '^ *[0-9]+/[0-9]+ Test +#[0-9]+: .*\*\*\*Skipped' "$log")
    disabled=$(grep -cE '^ *[0-9]+/[0-9]+ Test +#[0-9]+: .*\*\*\*Not Run \(Disabled\)' "$log")
    passed=$((passed + all - bad - skipped_here)) failed=$((failed + bad)) skipped=$((skipped + skipped_here + disabled))
    if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then
        step_failed "ctest ended with status $status though it names no failed test"
    fi
}

run_preset() {
    local preset=$1 log=build/$1/ctest.log status bad targets=all mpi=ON
    case $preset in
        tsan) targets=tsan_tests ;;
        mpich) targets=mpi_tests ;;
    esac
    heading "$preset: build"
    if [ "$preset" = musl ]; then
        mpi=OFF
        if ! tools/musl_libraries.sh build/musl_libraries; then
            step_failed "the libraries for musl can not be built"
            return
        fi
    fi
    if ! cmake --preset "$preset" -DDRUMLINE_WERROR=ON -DDRUMLINE_MPI="$mpi" -DDRUMLINE_TESTS=ON -DDRUMLINE_TOOLS=ON; then
        step_failed "$preset cannot be configured"
        return
    fi
    if ! cmake --build --preset "$preset" --target "$targets" -j "$(nproc)"; then
        step_failed "$preset does not build"
        return
    fi
    heading "$preset: tests"
    # Twice as many as there are cores: tests of several ranks and of Slurm spend much of their time waiting.
    ctest --preset "$preset" -j "$((2 * $(nproc)))" 2>&1 | tee "$log"
    status=${PIPESTATUS[0]}
    if read -r bad _ < <(read_summary "$log") && [ "$bad" -ge 1 ] && [ "$bad" -le 3 ] && ! grep -q 'Sanitizer: ' "$log"; then
        run_again "$preset" "$log" "$bad"
        return
    fi
    count_tests "$log" "$status"
}

# Runs up to three failed tests again, one at a time: the browser, Slurm and killed processes have more ways to fail on a machine
# that does four things at once than a test can foresee. A test that fails twice has failed; one that does not is named at the end.
# What a sanitizer has found is not run again.
run_again() {
    local preset=$1 log=$2 bad=$3 again=build/$1/ctest_again.log status
    heading "$preset: $bad failed, run again one at a time"
    ctest --preset "$preset" --rerun-failed -j 1 2>&1 | tee "$again"
    status=${PIPESTATUS[0]}
    mapfile -t -O "${#second_try[@]}" second_try < <(sed -nE 's/^ *[0-9]+\/[0-9]+ Test +#[0-9]+: ([^ ]+) .* Passed .*/'"$preset"' \1/p' "$again")
    count_tests "$log" "$status" "$again"
}

# run_checker NAME: a checker of the sources, as one test.
run_checker() {
    heading "lint: $1"
    if tools/lint.sh "$1"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
}

# The programs as they are released, under valgrind, as one test.
run_valgrind() {
    heading "valgrind"
    if cmake --preset release -DDRUMLINE_WERROR=ON && cmake --build --preset release -j "$(nproc)" &&
        tools/valgrind.sh build/release/bin; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
    fi
}

presets=()
for argument in "$@"; do
    case $argument in
        release | asan | tsan | mpich | musl | lint | valgrind) presets+=("$argument") ;;
        -h | --help) sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0"; exit 0 ;;
        *) printf 'test.sh: unknown argument "%s"; it must be release, asan, tsan, mpich, musl, lint or valgrind\n' "$argument" >&2; exit 2 ;;
    esac
done
[ ${#presets[@]} -gt 0 ] || presets=(release asan tsan mpich)

setup=(--tests)
[[ " ${presets[*]} " != *" musl "* ]] || setup+=(--musl)
[[ " ${presets[*]} " != *" "@(lint|valgrind)" "* ]] || setup+=(--lint)
if ! tools/setup.sh "${setup[@]}"; then
    step_failed "what the tests need is not installed"
    finish
fi
(umask 077; mkdir -p "$session_folder") 2>/dev/null
for preset in "${presets[@]}"; do
    case $preset in
        lint) run_checker cppcheck; run_checker clang-tidy ;;
        valgrind) run_valgrind ;;
        *) run_preset "$preset" ;;
    esac
done
finish
