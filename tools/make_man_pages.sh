#!/bin/bash
# tools/make_man_pages.sh REFERENCE VERSION FOLDER: the man pages of all programs (section 1) and drumline(7), from
# docs/reference.md, which is made from what the programs say of themselves. The build calls it; so nothing has to run
# that was built, perhaps for another machine.
set -euo pipefail
if [ $# -ne 3 ] || [ ! -r "$1" ]; then
    printf 'usage: tools/make_man_pages.sh docs/reference.md VERSION FOLDER\n' >&2
    exit 2
fi
reference=$1 version=$2 folder=$3
mkdir -p "$folder"

# section TITLE: what stands under "## TITLE".
section() {
    awk -v title="## $1" '/^## / { inside = $0 == title; next } inside' "$reference"
}

# The Markdown that docs/reference.md is made of, as troff. A row of a table is a term and what is said of it.
to_troff() {
    awk '
    function plain(text) {
        gsub(/\\\|/, "|", text)
        gsub(/\\/, "\\e", text)
        gsub(/-/, "\\-", text)
        while (match(text, /\[[^]]*\]\([^)]*\)/)) {
            link = substr(text, RSTART + 1, RLENGTH - 1)
            text = substr(text, 1, RSTART - 1) substr(link, 1, index(link, "](") - 1) substr(text, RSTART + RLENGTH)
        }
        while (match(text, /`[^`]*`/))
            text = substr(text, 1, RSTART - 1) "\\fB" substr(text, RSTART + 1, RLENGTH - 2) "\\fR" \
                substr(text, RSTART + RLENGTH)
        gsub(/\*\*/, "", text)
        return text
    }
    # A period or a quote at the beginning of a line would be a command.
    function put(text) { print (text ~ /^[.\x27]/ ? "\\&" : "") text }
    function trim(text) { gsub(/^ +| +$/, "", text); return text }
    # Cells end in "|", but not in "\|".
    function split_row(row, cells,    count, i, part) {
        count = split(row, part, "|")
        columns = 0
        cell = ""
        for (i = 2; i < count; i++) {
            cell = cell part[i]
            if (cell ~ /\\$/) { cell = cell "|"; continue }
            cells[++columns] = trim(cell)
            cell = ""
        }
    }
    function put_row(    i, text, note) {
        text = note = ""
        for (i = 2; i <= columns; i++) {
            if (cells[i] == "") continue
            if (heading[i] == "allowed") note = note (note == "" ? "" : "; ") cells[i]
            else if (heading[i] == "default") note = note (note == "" ? "" : "; ") "default " cells[i]
            else text = text (text == "" ? "" : ": ") cells[i]
        }
        print ".TP"
        put(cells[1] ~ /`/ ? plain(cells[1]) : "\\fB" plain(cells[1]) "\\fR")
        put(plain(text (note == "" ? "" : " (" note ")")))
    }
    /^```/ { code = !code; print code ? ".RS 4\n.nf" : ".fi\n.RE"; next }
    code { gsub(/\\/, "\\e"); gsub(/-/, "\\-"); put($0); next }
    /^<!--/ { next }
    /^\|[-|]+$/ { next }
    /^\|/ && !in_table { in_table = 1; split_row($0, heading); next }
    /^\|/ { split_row($0, cells); put_row(); next }
    { in_table = 0 }
    /^\*\*[^*]+\*\*$/ { print ".SH " toupper(plain($0)); next }
    /^- / { print ".IP \\(bu 2"; put(plain(substr($0, 3))); next }
    /^ *$/ { print ".PP"; next }
    { put(plain($0)) }' | awk '
    # An empty paragraph before a heading, and two in a row, are nothing to troff but a warning.
    /^\.PP$/ { waits = 1; next }
    waits && !/^\.(SH|TP|PP)/ && NR > 1 { print ".PP" }
    { waits = 0; print }'
}

heading() {
    printf '.\\" Made by tools/make_man_pages.sh from docs/reference.md.\n'
    printf '.TH %s %s "" "Drumline %s" Drumline\n' "$1" "$2" "$version"
}

common_sections() {
    local title
    for title in "Exit statuses" Environment Files; do
        printf '.SH %s\n' "$(tr '[:lower:]' '[:upper:]' <<<"${title/statuses/status}")"
        section "$title" | to_troff
    done
}

# The section of a program is a blank line, a line that says what it does, its usage in a block of code, and the rest.
make_program_page() {
    local name=$1 text
    text=$(section "$name")
    [ -n "$text" ] || { printf '%s has no section "## %s"\n' "$reference" "$name" >&2; exit 1; }
    heading "${name^^}" 1
    printf '.SH NAME\n%s \\- %s\n' "${name//-/\\-}" "$(awk 'NF { print; exit }' <<<"$text" | sed 's/\.$//; s/-/\\-/g')"
    printf '.SH SYNOPSIS\n'
    awk '/^```/ && ++marks == 2 { exit } marks == 1 && !/^```/' <<<"$text" | sed 's/\\/\\e/g; s/-/\\-/g'
    awk 'marks >= 2; /^```/ { marks++ }' <<<"$text" | to_troff
    common_sections
    printf '.SH SEE ALSO\n\\fBdrumline\\fR(7)\n'
}

make_overview() {
    heading DRUMLINE 7
    printf '.SH NAME\ndrumline \\- trains and plays MusicVAE/GrooVAE drum models\n.SH DESCRIPTION\n'
    awk '/^## / { exit } /^\*\*In all programs/ { begun = 1 } begun && !/^- \[(hparams|exit)/' "$reference" | to_troff
    printf '.SH HPARAMS AND CONFIGS\n'
    section "hparams and configs" | to_troff
    printf '.SH SIGNALS\n'
    section Signals | to_troff
    common_sections
}

mapfile -t programs < <(sed -n 's/^## \(drumline-.*\)/\1/p' "$reference")
[ ${#programs[@]} -gt 0 ] || { printf '%s has no section of a program\n' "$reference" >&2; exit 1; }
for program in "${programs[@]}"; do
    make_program_page "$program" >"$folder/$program.1"
done
make_overview >"$folder/drumline.7"
