#!/bin/sh
# drumline-preprocess as its users meet it.
#   preprocess.sh PREPROCESS PERFORMANCES MPIEXEC NUMPROC_FLAG
set -eu

preprocess=$1 performances=$2 mpiexec=$3 numproc=$4
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
input=$folder/midi

fail() {
    echo "preprocess.sh: $*" >&2
    [ ! -f "$folder/said" ] || cat "$folder/said" >&2
    exit 1
}

# run STATUS WORDS RANKS ARGUMENTS...: exits with STATUS and says WORDS.
run() {
    expected=$1 words=$2 ranks=$3
    shift 3
    status=0
    "$mpiexec" "$numproc" "$ranks" "$preprocess" "$@" >"$folder/said" 2>&1 || status=$?
    [ "$status" -eq "$expected" ] || fail "exit status $status, not $expected: $*"
    grep -q -e "$words" "$folder/said" || fail "does not say '$words': $*"
}

mkdir "$input" "$folder/empty"
"$performances" make "$input"

# expect_count NUMBER FOLDER WORDS: the folder holds so many files, hidden ones too.
expect_count() {
    [ "$(find "$2" -mindepth 1 | wc -l)" -eq "$1" ] || fail "$3"
}

# The same data set for any number of ranks.
for ranks in 1 2 3 4; do
    run 0 "60 performances kept" "$ranks" --input_dir "$input" --output_dir "$folder/data$ranks" --recursive
    grep -q "3 skipped: not a MIDI file, or damaged" "$folder/said" || fail "3 damaged files are not counted"
    for name in text.mid empty.midi cut.mid; do
        grep -q "skipped: .*$name: " "$folder/said" || fail "$name is not named"
    done
    "$performances" hash "$folder/data$ranks" >"$folder/hash$ranks" || fail "the data set of $ranks ranks is not valid"
    cmp "$folder/hash1" "$folder/hash$ranks" || fail "another hash with $ranks ranks"
    expect_count $((ranks + 1)) "$folder/data$ranks" "$ranks ranks leave more than their shards"
done

# What is kept, and the names of what is not.
run 0 "51 performances kept" 2 --input-dir="$input" --output-dir="$folder/beat" --recursive --is_beat=True --beat=4-4 \
    --log=debug
[ "$(grep -c "skipped: .*another time signature" "$folder/said")" -eq 10 ] ||
    fail "9 files and their count are not named"
run 0 "fewer bars than --min_bars" 1 --input_dir "$input" --output_dir "$folder/bars" --recursive --min_bars 4
run 0 "30 performances kept" 1 --input_dir "$input" --output_dir "$folder/flat"

# Where each file's split comes from.
list=$input/info.csv
run 0 "no table of performances found: split by a hash" 2 --input_dir "$input" --output_dir "$folder/unlisted"
printf 'midi_filename,split\n000.mid,test\n' >"$list"
run 0 "warning: .*info.csv assigns 0 of the .* MIDI files" 2 --input_dir "$input" --output_dir "$folder/others"
echo midi_filename,split >"$list"
for name in "$input"/*.mid "$input"/*.midi; do echo "${name##*/},test"; done >>"$list"
run 0 "split, style and drummer of each from info.csv" 2 --input_dir "$input" --output_dir "$folder/listed"
sed -i 2d "$list"
run 0 "warning: .*info.csv assigns" 2 --input_dir "$input" --output_dir "$folder/one_less"
rm "$list"

# A data set is replaced only with --overwrite, and as a whole.
cp "$folder/data4/index.h5" "$folder/index.h5"
run 1 "already holds a data set: give --overwrite" 2 --input_dir "$input" --output_dir "$folder/data4" --recursive
run 1 "no performances to keep" 2 --input_dir "$input" --output_dir "$folder/data4" --overwrite --min_bars 500
cmp "$folder/index.h5" "$folder/data4/index.h5" || fail "a refused run touched the data set"
"$performances" hash "$folder/data4" | cmp - "$folder/hash1" || fail "a refused run touched the data set"
run 0 "60 performances kept" 2 --input_dir "$input" --output_dir "$folder/data4" --recursive --overwrite
expect_count 3 "$folder/data4" "stale shards stay"
"$performances" hash "$folder/data4" | cmp - "$folder/hash1" || fail "another hash after --overwrite"

# Several jobs on one folder: each is done or refused, and the data set is one job's.
pids=
for job in 1 2 3 4 5 6; do
    { "$preprocess" --input_dir "$input" --output_dir "$folder/data4" --recursive --overwrite >"$folder/said$job" 2>&1 ||
        echo "status $?" >>"$folder/said$job"; } &
    pids="$pids $!"
done
for pid in $pids; do wait "$pid" || fail "a job was killed"; done
done=0
for job in 1 2 3 4 5 6; do
    if grep -q "content_sha256" "$folder/said$job"; then
        done=$((done + 1))
    else
        grep -q "data set folder is in use by process\|are taking the data set folder" "$folder/said$job" ||
            { cp "$folder/said$job" "$folder/said"; fail "neither done nor refused"; }
    fi
done
[ "$done" -ge 1 ] || fail "none of several jobs got the folder"
expect_count 2 "$folder/data4" "several jobs leave more than one data set"
"$performances" hash "$folder/data4" | cmp - "$folder/hash1" || fail "another hash after several jobs"
echo '{"host":"elsewhere","pid":7,"token":"t"}' >"$folder/data4/.drumline-lock"
run 1 "in use by process 7 on elsewhere" 2 --input_dir "$input" --output_dir "$folder/data4" --recursive --overwrite
touch -d '1 hour ago' "$folder/data4/.drumline-lock"
run 0 "60 performances kept" 2 --input_dir "$input" --output_dir "$folder/data4" --recursive --overwrite

# The output inside the input.
run 0 "60 performances kept" 2 --input_dir "$input" --output_dir "$input/even/data" --recursive
run 0 "60 performances kept" 1 --input_dir "$input" --output_dir "$input/even/data" --recursive --overwrite

# Refusals.
run 1 "holds no MIDI file .*: give --recursive" 2 --input_dir "$folder/empty" --output_dir "$folder/none"
run 1 "input_dir: .*nowhere: no such folder" 2 --input_dir "$folder/nowhere" --output_dir "$folder/none"
run 1 "input_dir: .*text.mid: is a file, not a folder" 2 --input_dir "$input/text.mid" --output_dir "$folder/none"
run 1 "text.mid" 2 --input_dir "$input" --output_dir "$input/text.mid"
run 2 "give --input_dir DIR" 2 --output_dir "$folder/none"
run 2 "does nothing without --is_beat=True" 2 --input_dir "$input" --output_dir "$folder/none" --beat=4-4
run 2 "is not a time signature" 1 --input_dir "$input" --output_dir "$folder/none" --is_beat=True --beat=4-5
run 0 "usage\|Usage" 2 --help
run 1 "no performances to keep" 2 --input_dir "$input" --output_dir "$folder/none/a/b" --min_bars 500
[ ! -e "$folder/none" ] || fail "a refused run leaves folders behind"
run 1 "neither a built-in drum map" 1 --input_dir "$input" --output_dir "$folder/empty/a" --drum_map=nothing
[ -d "$folder/empty" ] || fail "a refused run removes a folder that was there"
expect_count 0 "$folder/empty" "a refused run leaves a folder behind"
printf 'midi_filename,split\n000.mid,dev\n' >"$input/info.csv"
run 1 "info.csv: line 2: split 'dev'" 3 --input_dir "$input" --output_dir "$folder/none"
[ ! -e "$folder/none" ] || fail "a refused run leaves a folder behind"

# What can't be read is a failure, or is asked to be skipped.
rm "$input/info.csv"
mkdir "$folder/odd"
set -- "$input"/0*.mid
cp "$1" "$folder/odd/a.mid"
mkdir "$folder/odd/folder.mid"
run 0 "1 performance kept" 2 --input_dir "$folder/odd" --output_dir "$folder/odd1"
mkfifo "$folder/odd/pipe.mid"
run 1 "odd/pipe.mid: not a regular file; --skip_unreadable" 2 --input_dir "$folder/odd" --output_dir "$folder/odd2"
ln -s nowhere "$folder/odd/link.mid"
rm "$folder/odd/pipe.mid"
run 1 "odd/link.mid: broken link: No such file" 2 --input_dir "$folder/odd" --output_dir "$folder/odd2" --recursive
[ ! -e "$folder/odd2" ] || fail "a refused run leaves files behind"
mkfifo "$folder/odd/pipe.mid"
run 0 "warning: skipped: .*odd/pipe.mid: not a regular file" 2 --input_dir "$folder/odd" --output_dir "$folder/odd2" \
    --skip_unreadable
grep -q "2 skipped: could not be read" "$folder/said" || fail "what can't be read is not counted"
mkfifo "$folder/odd/info.csv"
run 1 "odd/info.csv: not a regular file" 2 --input_dir "$folder/odd" --output_dir "$folder/odd3" --skip_unreadable
rm "$folder/odd/info.csv" "$folder/odd/pipe.mid" "$folder/odd/link.mid"

# Errors of the disk, where they can be injected: of one rank alone, and of a folder.
if strace -o /dev/null -e inject=getppid:error=EIO true 2>/dev/null; then
    mkdir "$folder/odd/below"
    cp "$2" "$folder/odd/below/b.mid"
    # refused FILE CALL: reading the file or folder fails so.
    refused() {
        status=0
        strace -f -qq -o /dev/null -P "$folder/odd/$1" -e "inject=$2:error=EIO" "$preprocess" --recursive \
            --input_dir "$folder/odd" --output_dir "$folder/odd4" >"$folder/said" 2>&1 || status=$?
        [ "$status" -eq 1 ] || fail "exit status $status, not 1: EIO of $2 on $1"
        grep -q "error: .*odd/$1: can.t .*: Input/output error" "$folder/said" || fail "EIO of $2 on $1 is not named"
        [ ! -e "$folder/odd4" ] || fail "a refused run leaves files behind"
        strace -f -qq -o /dev/null -P "$folder/odd/$1" -e "inject=$2:error=EIO" "$preprocess" --recursive \
            --input_dir "$folder/odd" --output_dir "$folder/odd5" --overwrite --skip_unreadable >"$folder/said" 2>&1 ||
            fail "--skip_unreadable fails: EIO of $2 on $1"
        grep -q "skipped: .*odd/$1: can.t .*: Input/output error" "$folder/said" || fail "$1 is not named"
    }
    # What may hold a data set is not overwritten.
    before=$(cksum <"$folder/odd1/index.h5")
    if strace -f -qq -o /dev/null -P "$folder/odd1/index.h5" -e inject=newfstatat,stat,statx:error=EIO "$preprocess" \
        --input_dir "$folder/odd" --output_dir "$folder/odd1" >"$folder/said" 2>&1; then
        fail "a data set that can't be seen is overwritten"
    fi
    grep -q "odd1/index.h5: can.t access: Input/output error" "$folder/said" || fail "EIO on an index is not named"
    [ "$(cksum <"$folder/odd1/index.h5")" = "$before" ] || fail "a data set that can't be seen is overwritten"
    refused a.mid openat
    refused a.mid read
    refused below openat
    refused below getdents64
fi

# A limit on files, of which what is printed is none.
(ulimit -f 1 && "$preprocess" --recursive --input_dir "$input" --output_dir "$folder/limited" 2>&1 || echo refused) |
    cat >"$folder/said"
grep -q "limited/.*: can.t write: File too large" "$folder/said" || fail "a limit on files is not named"
grep -q "^refused" "$folder/said" || fail "a file larger than it may be was written"
[ ! -e "$folder/limited" ] || fail "a refused run leaves files behind"
