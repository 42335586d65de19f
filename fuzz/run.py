#!/usr/bin/env python3
"""Fuzzes many targets in a given time: run.py --build DIR --corpus DIR --log DIR --jobs N --seconds S [TARGET...]

A third of the time goes to all targets alike, the rest to those that found edges nobody had seen, each by how
many: a parser of one line has nothing more to give after three seconds, and a state machine has. What an
earlier run found lies in DIR/found and is where the next one begins; `--keep` adds the least of it that reaches
as far to the corpus instead of fuzzing."""

import argparse
import heapq
import pathlib
import re
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

LENGTH = "-max_len=4096"


def first_shares(names, seconds, jobs):
    """A third of the time, divided evenly; two seconds at least, or nothing would be tried."""
    return {name: max(2, int(seconds * jobs / 3 / len(names))) for name in names}


def second_shares(edges, seconds, jobs):
    """What is left, by the root of the new edges: the one that found a hundred gets ten times the time of the
    one that found one. Where none found any, all go on. Nobody gets more than the clock has left, and what
    nobody gets is given to the others."""
    wanted = {name: found ** 0.5 for name, found in edges.items() if found > 0} or dict.fromkeys(edges, 1.0)
    shares, room = {}, float(seconds * jobs)
    for name in sorted(wanted, key=wanted.get, reverse=True):
        weight = sum(wanted[other] for other in wanted if other not in shares)
        shares[name] = min(float(seconds), room * wanted[name] / weight)
        room -= shares[name]
    return {name: int(share) for name, share in shares.items() if int(share) >= 2}


def in_order(shares, jobs):
    """The longest first, so that the processors end together."""
    return sorted(shares, key=lambda name: (-shares[name], name))


def makespan(shares, jobs):
    ends = [0] * jobs
    for name in in_order(shares, jobs):
        heapq.heappush(ends, heapq.heappop(ends) + shares[name])
    return max(ends)


def edges_of(log):
    """How many edges a run added, by libFuzzer's own lines: what the corpus reached, what was reached at last."""
    began = re.search(r"INITED cov: (\d+)", log)
    seen = [int(cov) for cov in re.findall(r"cov: (\d+)", log)]
    return max(seen) - int(began[1]) if began and seen else 0


def statistic(log, name):
    found = re.findall(rf"^stat::{name}: *(\d+)", log, re.MULTILINE)
    return int(found[-1]) if found else 0


class Fuzzing:
    def __init__(self, given, dictionaries):
        self.given, self.dictionaries, self.guard = given, dictionaries, threading.Lock()
        self.executions, self.crashed = 0, []

    def run(self, name, seconds, again=False):
        found = self.given.build / "found" / name
        found.mkdir(parents=True, exist_ok=True)
        log = self.given.log / f"fuzz-{name}.log"
        command = [self.given.build / "bin" / f"{name}_fuzz", f"-max_total_time={seconds}", f"-seed={1 + again}",
                   LENGTH, "-print_final_stats=1", f"-artifact_prefix={found}/", *self.dictionaries[name], found,
                   self.given.corpus / name]
        with open(log, "w") as into:
            status = subprocess.run(command, stdout=into, stderr=subprocess.STDOUT).returncode
        text = log.read_text(errors="replace")
        edges, runs = edges_of(text), statistic(text, "number_of_executed_units")
        with self.guard:
            self.executions += runs
            if status != 0:
                self.crashed.append(name)
                print("\n".join(text.splitlines()[-60:]), f"\n--- the whole of it: {log}")
            print(f"{name:<28} {seconds:>4} s {runs:>11} executions {edges:>6} new edges  "
                  f"{'CRASHED' if status else 'ok'}", flush=True)
        return name, 0 if status else edges

    def all(self, shares, again=False):
        with ThreadPoolExecutor(self.given.jobs) as pool:
            return dict(pool.map(lambda name: self.run(name, shares[name], again),
                                 in_order(shares, self.given.jobs)))

    def keep(self, name):
        """libFuzzer's merge copies into the first directory what reaches edges that nothing in it reached."""
        found, corpus = self.given.build / "found" / name, self.given.corpus / name
        if not found.is_dir():
            return
        before = set(corpus.iterdir())
        subprocess.run([self.given.build / "bin" / f"{name}_fuzz", "-merge=1", LENGTH, corpus, found],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        new = set(corpus.iterdir()) - before
        print(f"{name:<28} {len(new):>5} inputs, {sum(one.stat().st_size for one in new):>7} bytes", flush=True)


def targets_of(build, wanted):
    """The name of each target, and its dictionary where it has one."""
    known = {}
    for line in (build / "fuzz_targets").read_text().splitlines():
        name, *dictionary = line.split()
        known[name] = dictionary
    chosen = {one.removesuffix("_fuzz") for one in wanted if one != "all"} or set(known)
    if chosen - set(known):
        raise SystemExit(f"no fuzz target {', '.join(sorted(chosen - set(known)))}; there are: {' '.join(known)}")
    return {name: known[name] for name in known if name in chosen}


def main():
    arguments = argparse.ArgumentParser()
    for name in ("build", "corpus", "log"):
        arguments.add_argument(f"--{name}", type=pathlib.Path, required=True)
    arguments.add_argument("--jobs", type=int, default=1)
    arguments.add_argument("--seconds", type=int, default=240)
    arguments.add_argument("--keep", action="store_true")
    arguments.add_argument("targets", nargs="*")
    given = arguments.parse_args()
    began, dictionaries = time.monotonic(), targets_of(given.build, given.targets)
    given.log.mkdir(parents=True, exist_ok=True)
    fuzzing = Fuzzing(given, dictionaries)
    if given.keep:
        for name in dictionaries:
            fuzzing.keep(name)
        return 0
    if len(dictionaries) == 1:
        fuzzing.all(dict.fromkeys(dictionaries, given.seconds))
    else:
        edges = fuzzing.all(first_shares(list(dictionaries), given.seconds, given.jobs))
        left = given.seconds - int(time.monotonic() - began)
        sound = {name: found for name, found in edges.items() if name not in fuzzing.crashed}
        if left >= 2 and sound:
            print("\nthe rest of the time, by new edges")
            fuzzing.all(second_shares(sound, left, given.jobs), again=True)
    print(f"\ntogether {fuzzing.executions} executions, {len(fuzzing.crashed)} of {len(dictionaries)} targets "
          f"crashed, {int(time.monotonic() - began)} s")
    if fuzzing.crashed:
        print(f"the inputs are in {given.build / 'found'}")
    return 1 if fuzzing.crashed else 0


if __name__ == "__main__":
    sys.exit(main())
