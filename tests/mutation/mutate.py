#!/usr/bin/env python3
"""Plays faults that are planted in the code one at a time, and names those that no test notices.

    mutate.py [COMPONENT...]       build once, play every fault of these components (all of them)
    mutate.py --check              only: does the text of each fault still stand in the sources?
    mutate.py --suggest ...        where a fault is not noticed by its test, ask the whole program
    mutate.py --only WORDS ...     only faults whose title contains these words

A list (tests/mutation/COMPONENT.faults) is paragraphs of `key: text` lines:

    fault: the title, unique in its list
    file:  a path from the root of the repository
    after: optional; the text is looked for behind this one
    old:   an expression, or statements that end in ; or in a block. It must stand there exactly once.
    new:   what replaces it, of the same type; nothing, where a statement is left out
    test:  the test program, then a filter of doctest for the test that must fail

`old` and `new` may have several lines, each with its key; white space does not count. All faults are
compiled in once: an expression becomes `(on(N) ? (new) : (old))`, a statement `if (on(N)) { new }
else { old }`, and TRUNKLINE_MUTATION=N chooses one when a program starts. What is evaluated by the
compiler has no fault: plant it where the constant is used. Tests are played without ../shared, so
that a fault which its data alone would notice survives.
"""

import argparse
import concurrent.futures
import dataclasses
import os
import pathlib
import re
import subprocess
import sys
import time
import zlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
LISTS = ROOT / "tests" / "mutation"
PATIENCE = 60  # Seconds for one fault. A test that hangs has noticed.

SWITCH = """// Made by tests/mutation/mutate.py: which of the planted faults is on.
#pragma once
#include <cstdlib>
namespace trunkline::mutation {
inline unsigned long chosen = [] {
    const char* text = std::getenv("TRUNKLINE_MUTATION");
    return text == nullptr ? 0UL : std::strtoul(text, nullptr, 10);
}();
constexpr bool on(unsigned long fault) noexcept {
    return !__builtin_is_constant_evaluated() && fault == chosen;
}
} // namespace trunkline::mutation
"""


class Unfit(Exception):
    """A list that cannot be read, or a fault that fits no source."""


@dataclasses.dataclass
class Fault:
    component: str
    title: str
    file: str
    old: str
    new: str
    program: str
    test: str
    after: str = ""

    @property
    def number(self):
        """The same whatever stands beside it, so that a longer list compiles no other file again."""
        return zlib.crc32(f"{self.component}/{self.title}".encode()) or 1

    def __str__(self):
        return f"{self.component}: {self.title}"


def read_list(text, component):
    faults = []
    for number, paragraph in enumerate(re.split(r"\n\s*\n", text), 1):
        lines = [line for line in paragraph.splitlines() if line.strip() and line[0] != "#"]
        if not lines:
            continue
        fields = {}
        for line in lines:
            key, colon, value = line.partition(":")
            if not colon or key not in ("fault", "file", "after", "old", "new", "test"):
                raise Unfit(f"{component}, paragraph {number}: no such line: {line}")
            fields.setdefault(key, []).append(value.strip())
        for key in ("fault", "file", "old", "new", "test"):
            if key not in fields:
                raise Unfit(f"{component}, paragraph {number}: no `{key}`")
        program, _, test = " ".join(fields["test"]).partition(" ")
        if not program.endswith("_test"):
            raise Unfit(f"{component}, paragraph {number}: {program!r} is no test program")
        faults.append(Fault(component, " ".join(fields["fault"]), fields["file"][0],
                            "\n".join(fields["old"]), "\n".join(fields["new"]), program,
                            test.strip(), "\n".join(fields.get("after", []))))
    titles = [fault.title for fault in faults]
    for title in titles:
        if titles.count(title) > 1:
            raise Unfit(f"{component}: two faults are called {title!r}")
    return faults


def read_lists(folder=LISTS, components=()):
    faults = []
    known = {path.stem: path for path in sorted(folder.glob("*.faults"))}
    for component in components or known:
        if component not in known:
            raise Unfit(f"no list for {component}; there are: {' '.join(known)}")
        faults += read_list(known[component].read_text(), component)
    numbers = [fault.number for fault in faults]
    for fault in faults:
        if numbers.count(fault.number) > 1:
            raise Unfit(f"{fault}: another title has the same number, say it in other words")
    return faults


def as_pattern(text):
    """The words of the text, whatever white space is between them."""
    return r"\s+".join(re.escape(word) for word in text.split())


def place_of(fault, source):
    """Where the old text of a fault stands in the source: once, or it is no place."""
    begin = 0
    if fault.after:
        anchors = list(re.finditer(as_pattern(fault.after), source))
        if len(anchors) != 1:
            raise Unfit(f"{fault}: `after` stands {len(anchors)} times in {fault.file}")
        begin = anchors[0].end()
    if not fault.old.strip():
        raise Unfit(f"{fault}: `old` is empty")
    found = list(re.finditer(as_pattern(fault.old), source[begin:]))
    # Behind an anchor it is the first that counts.
    if not found or (len(found) > 1 and not fault.after):
        raise Unfit(f"{fault}: `old` stands {len(found)} times in {fault.file}")
    return begin + found[0].start(), begin + found[0].end()


def balanced(text):
    """Whether every bracket of the text is closed in it; those in quotes do not count."""
    bare = re.sub(r"'(\\.|[^'\\\w]|\w)'|\"(\\.|[^\"\\])*\"", "", text)
    return all(bare.count(one) == bare.count(other) for one, other in ("()", "[]", "{}"))


def choice(fault, old):
    """The one or the other, on as many lines as before."""
    on = f"::trunkline::mutation::on({fault.number}UL)"
    new = " ".join(fault.new.split())
    if not balanced(fault.old) or not balanced(fault.new):
        raise Unfit(f"{fault}: half a statement, a bracket is left open")
    text = fault.old.rstrip()
    if text.endswith(";") or (text.endswith("}") and ";" in text):
        if re.match(r"\s*(const|auto|constexpr|static)\b", fault.old):
            raise Unfit(f"{fault}: a declaration has to keep its name, replace what it is made from")
        return f"if ({on}) {{ {new} }} else {{ {old} }}"
    if not new:
        raise Unfit(f"{fault}: an expression has to be replaced by another")
    return f"({on} ? ({new}) : ({old}))"


def plant(source, faults):
    """The source with every fault in it, asleep. One may stand inside another, or in its place."""
    places = sorted(((*place_of(fault, source), fault) for fault in faults),
                    key=lambda place: (place[0], -place[1]))

    def written(begin, end, inside):
        text, at = "", begin
        while inside:
            first, last, fault = inside.pop(0)
            within = [place for place in inside if place[0] < last]
            for place in within:
                if place[1] > last:
                    raise Unfit(f"{fault} and {place[2]} overlap in {fault.file}")
            inside = inside[len(within):]
            text += source[at:first] + choice(fault, written(first, last, within))
            at = last
        return text + source[at:end]

    return written(0, len(source), places)


def planted_files(faults, root=ROOT):
    """Each file that has faults, with all of them in it."""
    by_file = {}
    for fault in faults:
        by_file.setdefault(fault.file, []).append(fault)
    made, unfit = {}, []
    for name, of_file in by_file.items():
        path = root / name
        if not path.is_file():
            unfit.append(f"{of_file[0]}: there is no {name}")
            continue
        try:
            made[name] = plant(path.read_text(), of_file)
        except Unfit:
            for fault in of_file:  # Named one by one: several may have rotted at once.
                try:
                    plant(path.read_text(), [fault])
                except Unfit as why:
                    unfit.append(str(why))
            if not unfit:
                raise
    if unfit:
        raise Unfit("\n".join(unfit))
    return made


def check(faults):
    planted_files(faults)
    for fault in faults:
        component = fault.program.removesuffix("_test")
        texts = "".join(path.read_text() for path in (ROOT / "tests" / component).glob("*.cpp"))
        if not texts:
            raise Unfit(f"{fault}: there is no program {fault.program}")


def copy_sources(target, planted):
    """A tree beside ours with the faults in it; what is as before keeps its time."""
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                            cwd=ROOT, capture_output=True, check=True).stdout.decode()
    names = [name for name in listed.split("\0") if name and (ROOT / name).is_file()]
    for name in names:
        content = planted[name].encode() if name in planted else (ROOT / name).read_bytes()
        path = target / name
        if path.is_file() and path.read_bytes() == content:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod((ROOT / name).stat().st_mode)
    wanted = set(names)
    for path in target.rglob("*"):
        if path.is_file() and str(path.relative_to(target)) not in wanted:
            path.unlink()


def build(faults, every, jobs):
    """All faults are compiled in, whatever is played: so nothing is compiled twice."""
    work = ROOT / "build" / "mutate"
    source, tree = work / "source", work / "tree"
    copy_sources(source, planted_files(every))
    switch = work / "mutation.hpp"
    if not switch.is_file() or switch.read_text() != SWITCH:
        switch.write_text(SWITCH)
    if not (tree / "build.ninja").is_file():
        subprocess.run(["cmake", "-S", source, "-B", tree, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=None",
                        f"-DCMAKE_CXX_FLAGS=-O0 -w -D_GLIBCXX_ASSERTIONS -include {switch}",
                        "-DTRUNKLINE_BUILD_BENCH=OFF", "-DTRUNKLINE_BUILD_FUZZ=OFF",
                        f"-DTRUNKLINE_SHARED_DIR={ROOT.parent / 'shared'}"], check=True,
                       stdout=subprocess.DEVNULL)
    programs = sorted({fault.program for fault in faults})
    subprocess.run(["cmake", "--build", tree, "-j", str(jobs), "--target", *programs], check=True)
    return tree / "bin"


def run(program, test, fault=None):
    """Whether the test fails, what it said, and how many tests there were."""
    environment = dict(os.environ)
    environment.pop("TRUNKLINE_MUTATION", None)
    # What only a test with ../shared notices wants another one.
    environment |= {"TRUNKLINE_SHARED_DIR": "/nowhere", "TRUNKLINE_REQUIRE_SHARED": "0"}
    if fault is not None:
        environment["TRUNKLINE_MUTATION"] = str(fault.number)
    command = [program, "--no-colors=true", "--abort-after=1"]
    if test:  # A comma would begin another filter, and ? is any character.
        command.append("--test-case=" + test.replace(",", "?"))
    try:
        done = subprocess.run(command, env=environment, capture_output=True, timeout=PATIENCE,
                              cwd=program.parent, errors="replace")
    except subprocess.TimeoutExpired:
        return True, "it hangs", 1
    counted = re.search(r"test cases:\s*(\d+)", done.stdout)
    failed = re.findall(r"TEST CASE:\s*(.*)", done.stdout)  # Those before the last have a note only.
    said = failed[-1] if failed else f"it ends with {done.returncode}"
    return done.returncode != 0, said, int(counted.group(1)) if counted else 0


def play(faults, programs, jobs, suggest):
    """Survivors, and what fails though no fault is on."""
    broken, survivors = [], []
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        tests = sorted({(fault.program, fault.test) for fault in faults})
        outcomes = pool.map(lambda test: run(programs / test[0], test[1]), tests)
        for (program, test), (failed, said, count) in zip(tests, outcomes):
            if failed or count == 0:
                broken.append(f"{program} {test}: " + (f"fails without a fault: {said}" if failed
                                                       else "there is no such test"))

        def noticed(fault):
            began = time.monotonic()
            failed, said, _ = run(programs / fault.program, fault.test, fault)
            hint = ""
            if not failed and suggest and fault.test:
                other, name, _ = run(programs / fault.program, "", fault)
                hint = f" (but this fails: {name})" if other else " (nor does any test here)"
            return failed, said, hint, time.monotonic() - began

        for fault, (failed, said, hint, took) in zip(faults, pool.map(noticed, faults)):
            verdict = "noticed " if failed else "SURVIVES"
            print(f"{verdict} {took:5.1f} s  {fault}" + (f": {said}" if failed and not fault.test
                                                         else hint), flush=True)
            if not failed:
                survivors.append(f"{fault}: {fault.program} {fault.test}{hint}")
    return broken, survivors


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("component", nargs="*")
    parser.add_argument("--check", action="store_true", help="whether each fault still fits, no more")
    parser.add_argument("--suggest", action="store_true", help="a test that does notice")
    parser.add_argument("--only", default="", metavar="WORDS", help="faults with these in the title")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    said = parser.parse_args()
    try:
        every = read_lists()
        if said.check:
            check(every)
            print(f"{len(every)} faults fit the sources")
            return 0
        faults = [fault for fault in read_lists(components=said.component)
                  if said.only in fault.title]
        if not faults:
            raise Unfit(f"no fault is called {said.only!r}")
        programs = build(faults, every, said.jobs)
    except Unfit as why:
        print(why, file=sys.stderr)
        return 2
    except subprocess.CalledProcessError as why:
        print(f"mutate: {why}", file=sys.stderr)
        return 2
    broken, survivors = play(faults, programs, said.jobs, said.suggest)
    for line in broken:
        print(f"BROKEN    {line}")
    print(f"{len(faults)} faults, {len(survivors)} survive, {len(broken)} tests are not what they "
          "have to be")
    for line in survivors:
        print(f"  {line}")
    return 1 if survivors or broken else 0


if __name__ == "__main__":
    sys.exit(main())
