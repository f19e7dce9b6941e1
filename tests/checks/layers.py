#!/usr/bin/env python3
"""layers.py SOURCE_DIR [KNOWN]: who includes whom in src/ is as the table in docs/architecture.md says, and there are no
cycles.

The table is the one between the lines "<!-- layers" and "<!-- end of layers -->": its first column is a folder of
src/, the second the folders that files there may include, besides their own. "base/*" is base and all folders below it, "*"
is every folder but those of programs. "MPI" allows mpi.h.

KNOWN lists includes that are wrong and will go, one "FILE HEADER" a line; a line that is no longer needed is an error.
"""
import collections
import os
import re
import sys

# Folders that others enter by one header.
DOORS = {"base/hdf5": "base/hdf5/hdf5.h"}

INCLUDE = re.compile(r'\s*#\s*include\s*(?:"([^"]+)"|<(mpi\.h)>)')


def read_table(page):
    """folder -> the words of its second column."""
    with open(page, encoding="utf-8") as file:
        text = file.read()
    match = re.search(r"<!-- layers.*?-->(.*?)<!-- end of layers -->", text, re.S)
    if not match:
        sys.exit(f"{page} has no table of layers")
    table = {}
    for line in match.group(1).splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) == 3 and cells[0].startswith("`"):
            table[cells[0].strip("`")] = re.findall(r"`([^`]+)`", cells[1])
    return table


def expand(table):
    """folder -> the set of folders that it may include, and "MPI" where it may."""
    folders = set(table)
    allowed = {}
    for folder, words in table.items():
        allowed[folder] = {folder}
        for word in words:
            if word == "*":
                allowed[folder] |= {other for other in folders if other.split("/")[0] != "programs"}
            elif word.endswith("/*"):
                allowed[folder] |= {other for other in folders if (other + "/").startswith(word[:-1])}
            elif word in folders or word == "MPI":
                allowed[folder].add(word)
            else:
                sys.exit(f"docs/architecture.md: `{word}` in the row of `{folder}` is no folder of the table")
    return allowed


def read_includes(source):
    """(file, header) of each include of one of our headers or of mpi.h, paths below src/."""
    includes, files = [], set()
    for folder, _, names in os.walk(source):
        for name in names:
            if name.endswith((".c", ".h")):
                files.add(os.path.relpath(os.path.join(folder, name), source))
    for path in sorted(files):
        with open(os.path.join(source, path), encoding="utf-8") as file:
            for line in file:
                match = INCLUDE.match(line)
                if match:
                    includes.append((path, match.group(1) or match.group(2)))
    return files, includes


def find_cycle(graph):
    """A list of nodes, each of which leads to the next and the last to the first; None where there is none."""
    state, path = {}, []

    def visit(node):
        state[node] = "open"
        path.append(node)
        for other in sorted(graph.get(node, ())):
            if state.get(other) == "open":
                return path[path.index(other):]
            if other not in state:
                cycle = visit(other)
                if cycle:
                    return cycle
        path.pop()
        state[node] = "done"
        return None

    for node in sorted(graph):
        if node not in state:
            cycle = visit(node)
            if cycle:
                return cycle
    return None


def check(source, page, known):
    """The complaints."""
    allowed = expand(read_table(page))
    files, includes = read_includes(source)
    if len(files) < 50:
        return [f"only {len(files)} files were found in {source}"]
    wrong, needed = [], set()
    folders, modules = collections.defaultdict(set), collections.defaultdict(set)
    for path, header in includes:
        folder = os.path.dirname(path)
        if header == "mpi.h":
            to = "MPI"
        elif header in files:
            to = os.path.dirname(header)
        else:
            wrong.append(f'{path} includes "{header}", which is no file below src/')
            continue
        if folder != to and header != DOORS.get(to, header):
            wrong.append(f"{path} includes {header}, but src/{to} is entered by {DOORS[to]} alone")
        if to not in allowed.get(folder, {to}):
            if (path, header) in known:
                needed.add((path, header))
                continue
            wrong.append(f"{path} includes {header}, but src/{folder} may not include {to}")
        elif (path, header) in known:
            needed.add((path, header))
            continue
        if to not in (folder, "MPI"):
            folders[folder].add(to)
        # A module is a header with the source of the same name; what an internal header declares belongs to several.
        module, other = os.path.splitext(path)[0], os.path.splitext(header)[0]
        if module != other and to != "MPI" and not (path.endswith(".c") and other.endswith("internal")):
            modules[module].add(other)
    for folder in sorted({os.path.dirname(path) for path in files} - set(allowed)):
        wrong.append(f"src/{folder} is in no row of the table in docs/architecture.md")
    for folder in sorted(set(allowed) - {os.path.dirname(path) for path in files}):
        wrong.append(f"docs/architecture.md has a row of `{folder}`, but src/{folder} has no files")
    for graph, what in ((folders, "folders"), (modules, "files"),
                        ({folder: others - {folder} for folder, others in allowed.items()}, "rows of the table")):
        cycle = find_cycle(graph)
        if cycle:
            wrong.append(f"a cycle of {what}: {' -> '.join(cycle + cycle[:1])}")
    for path, header in sorted(known - needed):
        wrong.append(f"{path} no longer includes {header}: remove that line of the known ones")
    return wrong


def main():
    source, known = sys.argv[1], set()
    if len(sys.argv) > 2:
        with open(sys.argv[2], encoding="utf-8") as file:
            known = {tuple(line.split()) for line in file if line.strip() and not line.startswith("#")}
    wrong = check(os.path.join(source, "src"), os.path.join(source, "docs", "architecture.md"), known)
    for line in wrong:
        print(line, file=sys.stderr)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
