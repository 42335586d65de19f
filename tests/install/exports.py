#!/usr/bin/env python3
"""Holds a shared library to its headers: exports.py --clang CLANG++ --include DIR --library FILE [--define D]

What a header below DIR declares and no header defines has to be in the library's dynamic symbol table, or
a program that uses it does not link. clang's syntax tree says what is declared, mangled names included.
Private functions count as well: a function whose body stands in the header may call them."""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

FUNCTIONS = {"FunctionDecl", "CXXMethodDecl", "CXXConstructorDecl", "CXXDestructorDecl", "CXXConversionDecl"}
TEMPLATES = {"ClassTemplateDecl", "FunctionTemplateDecl", "ClassTemplatePartialSpecializationDecl",
             "ClassTemplateSpecializationDecl"}


def documents(text):
    """clang prints one JSON document after the other, one for each namespace that matched."""
    decoder, at = json.JSONDecoder(), 0
    while at < len(text):
        if text[at].isspace():
            at += 1
        else:
            document, at = decoder.raw_decode(text, at)
            yield document


class Declarations:
    """What is declared (symbol to where), and what of that a header defines."""

    def __init__(self):
        self.declared, self.defined, self.file, self.line = {}, set(), "", 0

    def see(self, location):
        """A location names its file and its line only where they differ from the one before."""
        for part in (location, location.get("spellingLoc", {}), location.get("expansionLoc", {})):
            self.file = part.get("file", self.file)
            self.line = part.get("line", self.line)

    def read(self, node, scope=(), is_private=False):
        self.see(node.get("loc", {}))
        where = f"{self.file}:{self.line}"
        for end in ("begin", "end"):
            self.see(node.get("range", {}).get(end, {}))
        kind, children = node.get("kind", ""), [child for child in node.get("inner", ()) if child]
        if kind in TEMPLATES:
            return  # Where a template is used its bodies have to be in sight.
        if kind in FUNCTIONS and not node.get("isImplicit"):
            self.function(node, children, scope, where, is_private)
        elif kind == "VarDecl" and "mangledName" in node and self.is_elsewhere(node):
            self.declared[node["mangledName"]] = (where, "::".join(scope + (node["name"],)), is_private)
        if kind in ("NamespaceDecl", "CXXRecordDecl"):
            scope += (node.get("name", ""),)
        # A class begins private, a struct does not; an access specifier says what follows.
        is_private = kind == "CXXRecordDecl" and node.get("tagUsed") == "class"
        for child in children:
            if child.get("kind") == "AccessSpecDecl":
                is_private = child.get("access") == "private"
            self.read(child, scope, is_private)

    @staticmethod
    def is_elsewhere(variable):
        """An extern variable, or a static member, that is only declared."""
        return (variable.get("storageClass") in ("extern", "static")
                and not {"inline", "constexpr", "init"} & variable.keys())

    def function(self, node, children, scope, where, is_private):
        symbol = node.get("mangledName")
        if not symbol:
            return
        kinds = {child.get("kind") for child in children}
        if (kinds & {"CompoundStmt", "CXXTryStmt"} or node.get("explicitlyDefaulted")
                or node.get("explicitlyDeleted") or node.get("pure")):
            self.defined.add(symbol)
            return
        name = "::".join(scope + (node["name"],))
        self.declared.setdefault(symbol, (where, name, is_private))
        if node.get("virtual") or "OverrideAttr" in kinds:
            # A virtual function with its body elsewhere has the table of its class there as well.
            nested = "".join(f"{len(part)}{part}" for part in scope)
            self.declared.setdefault(f"_ZTVN{nested}E", (where, "vtable of " + "::".join(scope), False))

    def wanted(self):
        return {symbol: said for symbol, said in self.declared.items() if symbol not in self.defined}


def declarations_of(clang, include, defines):
    headers = sorted(path.relative_to(include).as_posix() for path in pathlib.Path(include).rglob("*.hpp"))
    if not headers:
        raise SystemExit(f"{include} has no header")
    with tempfile.NamedTemporaryFile("w", suffix=".cpp") as all_headers:
        all_headers.write("".join(f"#include <{header}>\n" for header in headers))
        all_headers.flush()
        tree = subprocess.run([clang, "-std=c++20", f"-I{include}", *(f"-D{name}" for name in defines),
                               "-fsyntax-only", "-Xclang", "-ast-dump=json", "-Xclang",
                               "-ast-dump-filter=trunkline", all_headers.name],
                              check=True, capture_output=True, text=True).stdout
    found = Declarations()
    for document in documents(tree):
        found.read(document)
    return found.wanted(), len(headers)


def symbols_of(file, *options):
    listed = subprocess.run(["nm", "--defined-only", *options, file], check=True, capture_output=True,
                            text=True).stdout
    return {words[-1] for words in map(str.split, listed.splitlines()) if len(words) == 3}


def missing(wanted, exported, everything):
    """A private function that is defined nowhere is nobody's to call: it is inline in a source."""
    return {symbol: said for symbol, said in wanted.items()
            if symbol not in exported and (symbol in everything or not said[2])}


def main():
    arguments = argparse.ArgumentParser()
    for name in ("clang", "include", "library"):
        arguments.add_argument(f"--{name}", required=True)
    arguments.add_argument("--define", action="append", default=[])
    given = arguments.parse_args()
    wanted, headers = declarations_of(given.clang, given.include, given.define)
    absent = missing(wanted, symbols_of(given.library, "-D"), symbols_of(given.library))
    for where, name, _ in sorted(absent.values()):
        print(f"{where}: {name} cannot be linked: its declaration lacks TRUNKLINE_EXPORT")
    print(f"{headers} headers declare {len(wanted)} symbols, {len(absent)} of them cannot be linked")
    return 1 if absent or not wanted else 0


if __name__ == "__main__":
    sys.exit(main())
