#!/usr/bin/env python3
"""Holds the table of layers in docs/architecture.md to lib/CMakeLists.txt: table.py --root DIR

The third column lists components; "what trunk may" is all that trunk's own row allows."""

import argparse
import pathlib
import re
import sys


def listed(cmake):
    """What each component DEPENDS on that is ours."""
    found = {}
    for name, body in re.findall(r"^trunkline_component\((\w+)(.*?)\)", re.sub(r"#[^\n]*", "", cmake),
                                 re.MULTILINE | re.DOTALL):
        depends = re.search(r"\bDEPENDS\b([^)]*?)(?:\bEXTERNAL\b|$)", body, re.DOTALL)
        found[name] = set(re.findall(r"\btrunkline_(\w+)", depends[1])) if depends else set()
    return found


def drawn(markdown):
    rows = {name: column for name, column in
            re.findall(r"^\| (\w+) \| [^\n]* \| ([^|\n]*) \|$", markdown, re.MULTILINE) if name != "component"}
    found = {}
    for name, column in rows.items():
        allowed = set()
        for other in re.findall(r"what (\w+) may", column):
            allowed |= found.get(other, {f"no row of {other} above"})
        names = re.sub(r"what \w+ may|the standard library", "", column)
        found[name] = allowed | (set(re.findall(r"\w+", names)) - {"and"})
    return found


def complaints(markdown, cmake):
    table, truth = drawn(markdown), listed(cmake)
    wrong = [f"{name} is in one of the two only" for name in sorted(set(table) ^ set(truth))]
    for name in sorted(set(table) & set(truth)):
        if table[name] != truth[name]:
            wrong.append(f"{name} may use {', '.join(sorted(truth[name]))}; "
                         f"the table says {', '.join(sorted(table[name]))}")
    return wrong


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--root", type=pathlib.Path, required=True)
    root = arguments.parse_args().root
    wrong = complaints((root / "docs/architecture.md").read_text(), (root / "lib/CMakeLists.txt").read_text())
    print("\n".join(wrong) or "the table is as the list")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
