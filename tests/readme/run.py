#!/usr/bin/env python3
"""Runs the fenced blocks of a Markdown file: sh in a scratch copy of the project, cpp through the
compiler and the linker against an installed trunkline, toml through `softswitch --check`.

A block that says nothing a machine could judge has another kind (text, or none)."""

import argparse
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass

# What takes minutes, root or a network is not run. It still has to be there: `./dev help` names each
# command of ./dev, and a preset has to be one.
LONG_RUNNING = {"setup", "build", "test", "bench", "fuzz", "demo", "lint"}
FOR_THE_READER = {"git", "sudo", "apt-get", "cd"}
SECONDS = 60


@dataclass
class Block:
    kind: str
    line: int
    text: str


def blocks_of(markdown):
    """Fenced blocks; a fence that is never closed is an error, for it would swallow the rest."""
    found, kind, start, lines = [], None, 0, []
    for number, line in enumerate(markdown.splitlines(), 1):
        fence = re.match(r"```\s*(\S*)\s*$", line)
        if kind is None and fence:
            kind, start, lines = fence.group(1), number, []
        elif kind is not None and line.rstrip() == "```":
            found.append(Block(kind, start, "\n".join(lines) + "\n"))
            kind = None
        elif kind is not None:
            lines.append(line)
    if kind is not None:
        raise ValueError(f"line {start}: a fence that does not end")
    return found


def programs_of(blocks):
    """A block without an #include goes on where the one before it ended."""
    programs = []
    for block in blocks:
        if programs and "#include" not in block.text:
            programs[-1].text += block.text
        else:
            programs.append(Block(block.kind, block.line, block.text))
    return programs


def commands_of(script):
    """Splits a script into what is run and what is only looked at, in order."""
    run, looked_at = [], []
    joined = re.sub(r"\\\n", " ", script)
    for line in joined.splitlines():
        words = shlex.split(line, comments=True)
        if not words:
            continue
        dev = words[0].endswith("dev") and len(words) > 1 and words[1] in LONG_RUNNING
        cmake = words[0] in ("cmake", "ctest") and ("--preset" in words or "--build" in words)
        if dev or cmake or words[0] in FOR_THE_READER:
            looked_at.append(words)
        else:
            run.append(line)
    return run, looked_at


def complaint_about(words, root):
    """Why a command that is only looked at cannot be right, or None."""
    if words[0].endswith("dev"):
        said = subprocess.run(["./dev", "help"], cwd=root, capture_output=True, text=True, check=True)
        if not re.search(rf"^\s+{words[1]}\b", said.stdout, re.MULTILINE):
            return f"./dev help does not know {words[1]}"
    if "--preset" in words:
        preset = words[words.index("--preset") + 1]
        if f'"name": "{preset}"' not in (root / "CMakePresets.json").read_text():
            return f"no preset {preset}"
    return None


def scratch_copy(root, into):
    """The files that git knows or would know, and the build as it is: commands write to neither."""
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                            cwd=root, capture_output=True, check=True).stdout.decode()
    for name in filter(None, listed.split("\0")):
        source, target = root / name, into / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
            target.chmod(source.stat().st_mode)


def run_sh(block, options, scratch):
    root = options.readme.parent
    run, looked_at = commands_of(block.text)
    for words in looked_at:
        if complaint := complaint_about(words, root):
            return complaint
    copy = scratch / f"sh{block.line}"
    scratch_copy(root, copy)
    bin_directory = copy / "build/release"
    bin_directory.mkdir(parents=True)
    (bin_directory / "bin").symlink_to(options.build / "bin")
    return failure_of(["bash", "-euo", "pipefail", "-c", "\n".join(run)], copy)


def run_cpp(block, options, scratch):
    pc = next(options.prefix.glob("**/trunkline.pc"), None)
    if pc is None:
        return f"no trunkline.pc under {options.prefix}"
    flags = subprocess.run(["pkg-config", "--static", "--cflags", "--libs", "trunkline"], text=True,
                           env={**os.environ, "PKG_CONFIG_PATH": str(pc.parent)},
                           capture_output=True, check=True).stdout.split()
    source = scratch / f"line{block.line}.cpp"
    source.write_text(block.text)
    # Half a program is compiled; a whole one is linked too. Neither is run: they listen for ever.
    what = ["-o", str(source.with_suffix(""))] if "int main(" in block.text else ["-fsyntax-only"]
    return failure_of([options.cxx, "-std=c++20", "-Wall", "-Wextra", "-Wpedantic", "-Werror",
                       str(source), *what, *flags], scratch)


def run_toml(block, options, scratch):
    softswitch = options.build / "bin/softswitch"
    if not softswitch.exists():
        return f"{softswitch} is not built"
    file = scratch / f"line{block.line}.toml"
    file.write_text(block.text)
    # A password that the file takes from the environment is the reader's to set.
    wanted = re.findall(r'_env\s*=\s*"(\w+)"', block.text)
    return failure_of([str(softswitch), "--config", str(file), "--check"], scratch,
                      dict.fromkeys(wanted, "secret"))


def failure_of(command, directory, environment=None):
    try:
        done = subprocess.run(command, cwd=directory, env={**os.environ, **(environment or {})},
                              stdin=subprocess.DEVNULL, timeout=SECONDS,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    except subprocess.TimeoutExpired:
        return f"took longer than {SECONDS} s; if it has to, LONG_RUNNING should name it"
    return f"exit {done.returncode}\n{done.stdout}" if done.returncode else None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=["sh", "cpp", "toml"])
    parser.add_argument("--readme", type=pathlib.Path, required=True)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--prefix", type=pathlib.Path, required=True)
    parser.add_argument("--cxx", default="c++")
    options = parser.parse_args()

    blocks = [b for b in blocks_of(options.readme.read_text()) if b.kind == options.kind]
    if options.kind == "cpp":
        blocks = programs_of(blocks)
    runner = {"sh": run_sh, "cpp": run_cpp, "toml": run_toml}[options.kind]
    failed = 0
    with tempfile.TemporaryDirectory(prefix="trunkline-readme-") as scratch:
        for block in blocks:
            why = runner(block, options, pathlib.Path(scratch))
            print(f"{options.readme.name}:{block.line}: {why or 'good'}")
            failed += why is not None
    print(f"{len(blocks)} blocks of {options.kind}, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
