#!/bin/bash
# make_data.sh BIN_DIR DATA_DIR: the data sets that the tests of drumline-train share, each from synthetic performances:
# DATA_DIR/drums, DATA_DIR/other (of other performances) and DATA_DIR/no_validation (without a validation split).
set -euo pipefail
bin=$1 data=$2
rm -rf "$data"
mkdir -p "$data"

# make NAME SEED COUNT
make() {
    "$bin/drumline-drummers" --output_dir "$data/midi_$1" --num_performances "$3" --seed "$2" --log=error
    [ "$1" != no_validation ] || sed -i 's/,validation\(\r\?\)$/,train\1/' "$data/midi_$1/info.csv"
    "$bin/drumline-preprocess" --input_dir "$data/midi_$1" --output_dir "$data/$1" --recursive --is_beat=True --beat=4-4
}

make drums 1 40
make other 2 10
make no_validation 3 10
