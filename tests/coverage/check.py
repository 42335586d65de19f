#!/usr/bin/env python3
"""Holds docs/rfc-coverage.md to the tests that it names: check.py --coverage FILE --tests DIRECTORY

Each row of a table below "## RFC ..." has a section, what we do of it, and at least one test in
backquotes. A doctest case is looked for in the sources, `suite.case` of ctest in tests/suite. What
"Not implemented" says, "RFC n, whole" or "RFC n: ... (section)", has no row anywhere."""

import argparse
import pathlib
import re
import sys

TEST_CASE = re.compile(r'^TEST_CASE(?:_FIXTURE|_TEMPLATE)?\(\s*(?:[\w:]+,\s*)?((?:"(?:[^"\\]|\\.)*"\s*)+)',
                       re.MULTILINE)
SECTION = re.compile(r"(?:\d+|appendix [A-Z])(?:\.\d+)*|[A-Z](?:\.\d+)+|table \d+")


def cases_in(source):
    """The names of a source's test cases; one that is too long for a line stands in several pieces."""
    return {"".join(re.findall(r'"((?:[^"\\]|\\.)*)"', found)).replace('\\"', '"')
            for found in TEST_CASE.findall(source)}


def known_cases(tests):
    return set().union(*(cases_in(path.read_text()) for path in tests.rglob("*_test.cpp")))


def is_known(name, cases, tests):
    if name in cases:
        return True
    of_ctest = re.fullmatch(r"(\w+)\.(\w+)", name)
    if not of_ctest:
        return False
    lists = tests / of_ctest[1] / "CMakeLists.txt"
    return lists.exists() and re.search(rf"\b{of_ctest[2]}\b", lists.read_text()) is not None


def denied(markdown):
    """(RFC, section) of what is said not to be implemented; the section of a whole RFC is ""."""
    text = re.search(r"^## Not implemented$(.*?)(?=^## |\Z)", markdown, re.MULTILINE | re.DOTALL)
    rfc, found = None, []
    for named, whole, sections in re.findall(r"RFC\s+(\d+)(, whole)?|\(([\d., ]+)\)",
                                             text[1] if text else ""):
        if named:
            rfc = named
        if whole:
            found.append((rfc, ""))
        found.extend((rfc, one) for one in re.findall(r"\d+(?:\.\d+)*", sections))
    return found


def complaints_about(markdown, cases, tests):
    """What is wrong with the tables, a sentence each, and how many rows there are."""
    wrong, rfc, seen, rows = [], None, set(), 0
    for number, line in enumerate(markdown.splitlines(), 1):
        if line.startswith("## "):
            heading = re.match(r"## RFC (\d+)", line)
            rfc = heading[1] if heading else None
        if rfc is None or not line.startswith("|") or re.match(r"\|(-+\|)+$", line):
            continue
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if cells == ["section", "what", "test"]:
            continue
        rows += 1
        where = f"line {number}"
        if len(cells) != 3 or not cells[1]:
            wrong.append(f"{where}: a row is a section, what we do of it, and its tests")
            continue
        section, _, tested = cells
        if not SECTION.fullmatch(section):
            wrong.append(f"{where}: {section!r} is no section")
        if (rfc, section) in seen:
            wrong.append(f"{where}: RFC {rfc} section {section} stands here a second time")
        seen.add((rfc, section))
        names = re.findall(r"`([^`]+)`", tested)
        if not names:
            wrong.append(f"{where}: RFC {rfc} section {section} has no test")
        wrong.extend(f"{where}: there is no test {name!r}"
                     for name in names if not is_known(name, cases, tests))
    for rfc, section in denied(markdown):
        if section and (rfc, section) in seen:
            wrong.append(f"RFC {rfc} section {section} has a row, and is said not to be implemented")
        if not section and any(one == rfc for one, _ in seen):
            wrong.append(f"RFC {rfc} has rows, and is said not to be implemented at all")
    if rows == 0:
        wrong.append("there is no row in any table")
    return wrong, rows


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--coverage", type=pathlib.Path, required=True)
    parser.add_argument("--tests", type=pathlib.Path, required=True)
    options = parser.parse_args()
    wrong, rows = complaints_about(options.coverage.read_text(), known_cases(options.tests),
                                   options.tests)
    for complaint in wrong:
        print(f"{options.coverage.name}: {complaint}")
    print(f"{rows} rows, {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
