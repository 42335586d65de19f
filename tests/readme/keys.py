#!/usr/bin/env python3
"""Holds the configuration keys that documents name to those that softswitch reads: keys.py --root DIR

The sources say which keys there are. softswitch.example.toml has every one of them, and no other. In a document
a key stands as `key = value`, as what diagnostics.md tells the operator to set, raise or lower, or as a name with an
underscore in backquotes; such a name may be one of the library's or of REST's instead."""

import argparse
import pathlib
import re
import sys

READ = re.compile(r'\b(?:text|texts|boolean|integer|duration|table|each|has|find|one)\(\s*"([a-z][a-z0-9_]*)"'
                  r'|\bread_(?:agent|file_name|secret)\(\s*\w+,\s*\{?"([a-z][a-z0-9_]*)"')
SECRETS = re.compile(r'(?:secret_keys \w+|read_secret\(\s*\w+,\s*)\{("[^}]*)\}')
ASSIGNED = re.compile(r"(?<![\w.])([a-z][a-z0-9_]*) = ")
ADVISED = re.compile(r"\b(?:[Ss]et|[Rr]aise|[Ll]ower) (?:the trunk's |its |\[\w+\] )?(?!the\b|it\b)([a-z][a-z0-9_]*)")
NAMED = re.compile(r"`([a-z][a-z0-9]*(?:_[a-z0-9]+)+)`")


def keys_of(sources):
    found = {one or other for one, other in READ.findall(sources)}
    for names in SECRETS.findall(sources):
        found.update(re.findall(r'"([a-z_0-9]+)"', names))
    return found


def keys_in_toml(text):
    """Those that are commented out count as well: `# key = value`, and `key_file` that a comment offers."""
    found = set()
    for line in text.splitlines():
        found.update(re.findall(r"(?:^|[{,\s])(?:# *)?([a-z][a-z0-9_]*) = ", line))
        found.update(re.findall(r"^(?:# )?\[+(?:\w+\.)?(\w+)\]", line))
        found.update(re.findall(r"\bor,? (\w+_(?:file|env))\b|, (\w+_(?:file|env))\b", line) and
                     re.findall(r"\b(\w+_(?:file|env))\b", line))
    return found


def complaints_about_example(text, keys):
    shown = keys_in_toml(text)
    return ([f"softswitch.example.toml lacks {key}" for key in sorted(keys - shown)]
            + [f"softswitch.example.toml has {key}, which nothing reads" for key in sorted(shown - keys)])


def complaints_about(name, markdown, keys, words):
    """`words` are all names of the sources. Blocks of code are somebody else's to judge, toml apart."""
    wrong, fence = [], None
    for number, line in enumerate(markdown.splitlines(), 1):
        opened = re.match(r"\s*```(\w*)", line)
        if opened:
            fence = None if fence is not None else opened[1]
            continue
        if fence not in (None, "toml"):
            continue
        where = f"{name}:{number}"
        spans = [line] if fence == "toml" else re.findall(r"`([^`]*)`", line)
        row = line.rstrip().rstrip("|").split("|") if line.startswith("| `") and name.endswith("diagnostics.md") else []
        advice = row[-1] if row else ""
        for key in [key for span in spans + [advice] for key in ASSIGNED.findall(span.split("#")[0])]:
            if key not in keys:
                wrong.append(f"{where}: there is no key {key}")
        for key in ADVISED.findall(advice) + re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", advice):
            if key not in keys:
                wrong.append(f"{where}: there is no key {key}")
        for word in NAMED.findall(line) if fence is None and not row else []:
            if word not in keys and word not in words:
                wrong.append(f"{where}: nothing is named {word}")
    return wrong


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--root", type=pathlib.Path, required=True)
    root = arguments.parse_args().root
    switch = root / "examples/softswitch"
    keys = keys_of("\n".join((switch / f"{name}.cpp").read_text() for name in
                             ("config", "trunk_section", "rest_section", "secret_field") if
                             (switch / f"{name}.cpp").exists()))
    words = set()
    for folder in ("lib", "examples", "tests", "fuzz", "cmake"):
        for path in (root / folder).rglob("*"):
            if path.suffix in (".cpp", ".hpp", ".json", ".py", ".cmake", ".txt", ".mjs") and "node_modules" not in path.parts:
                words.update(re.findall(r"\b[a-z][a-z0-9]*(?:_[a-z0-9]+)+\b", path.read_text(errors="replace")))
    for test in (root / "tests").iterdir():
        words.add(f"{test.name}_test")
    wrong = complaints_about_example((switch / "softswitch.example.toml").read_text(), keys)
    for document in [root / "README.md", root / "CONTRIBUTING.md", *sorted((root / "docs").glob("*.md"))]:
        wrong += complaints_about(document.relative_to(root).as_posix(), document.read_text(), keys, words)
    print("\n".join(wrong) or f"{len(keys)} keys, all of them as the documents say")
    return 1 if wrong or len(keys) < 40 else 0


if __name__ == "__main__":
    sys.exit(main())
