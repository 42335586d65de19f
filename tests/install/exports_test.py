"""The check is tried on libraries that lack something: exports.py."""

import pathlib
import shutil
import subprocess
import tempfile
import unittest

import exports

CLANG = shutil.which("clang++")
SOURCE = """
#include <trunkline/planted.hpp>
namespace trunkline {
void freely() {}
int number = 1;
planted::planted() = default;
int planted::said() const { return quietly(); }
int planted::quietly() const { return seen; }
int planted::nested::asked() { return 2; }
int planted::seen = 3;
void spoken::speak() {}
}
"""


def header(function="EXPORT", variable="EXPORT", klass="EXPORT", spoken="EXPORT", speak=""):
    return f"""#pragma once
#define EXPORT __attribute__((visibility("default")))
namespace trunkline {{
{function} void freely();
inline void in_sight() {{}}
template <class T> T made(T of) {{ return of; }}
extern {variable} int number;
inline constexpr int fixed = 3;
class {klass} planted {{
    int nowhere() const;
public:
    planted();
    ~planted() = default;
    planted(const planted&) = delete;
    int said() const;
    int here() const {{ return quietly(); }}
    struct nested {{ static int asked(); }};
    static int seen;
private:
    int quietly() const;
}};
struct {spoken} spoken {{
    virtual void silent() = 0;
    {speak} virtual void speak();
}};
}}
"""


@unittest.skipUnless(CLANG, "needs clang++")
class Exports(unittest.TestCase):
    def absent(self, text):
        with tempfile.TemporaryDirectory() as folder:
            work = pathlib.Path(folder)
            (work / "trunkline").mkdir()
            (work / "trunkline/planted.hpp").write_text(text)
            (work / "planted.cpp").write_text(SOURCE)
            library = work / "libplanted.so"
            subprocess.run([CLANG, "-std=c++20", "-fPIC", "-shared", "-fvisibility=hidden",
                            f"-I{folder}", work / "planted.cpp", "-o", library], check=True)
            wanted, _ = exports.declarations_of(CLANG, folder, [])
            return sorted(name for _, name, _ in exports.missing(
                wanted, exports.symbols_of(library, "-D"), exports.symbols_of(library)).values())

    def test_a_library_that_exports_all_lacks_nothing(self):
        self.assertEqual(self.absent(header()), [])

    def test_a_function_without_the_word_is_named(self):
        self.assertEqual(self.absent(header(function="")), ["trunkline::freely"])

    def test_a_variable_without_the_word_is_named(self):
        self.assertEqual(self.absent(header(variable="")), ["trunkline::number"])

    def test_each_member_of_a_class_is_named_private_and_nested_ones_too(self):
        self.assertEqual(self.absent(header(klass="")), [
            "trunkline::planted::nested::asked", "trunkline::planted::planted",
            "trunkline::planted::quietly", "trunkline::planted::said", "trunkline::planted::seen"])

    def test_a_virtual_function_that_is_exported_alone_lacks_its_table(self):
        self.assertEqual(self.absent(header(spoken="", speak="EXPORT")), ["vtable of trunkline::spoken"])

    def test_what_is_public_and_defined_nowhere_is_named(self):
        self.assertEqual(self.absent(header().replace("planted();", "planted(); void forgotten();", 1)),
                         ["trunkline::planted::forgotten"])


if __name__ == "__main__":
    unittest.main()
