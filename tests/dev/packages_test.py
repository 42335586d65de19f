"""`./dev demo` and `./dev test` alone on a Debian that lacks what they need: dpkg-query, apt-get, sudo, id, cmake
and ctest are faked in a PATH that has nothing else, and write down how they were called."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOLS = ("bash env sed grep tail head tr dirname mkdir cat nproc sleep date sort awk touch python3 rm "
         "basename cut printf chmod").split()
FAKES = {
    # Says `installed` of what was installed, and nothing of the rest.
    "dpkg-query": 'name=${!#}; grep -qx "$name" "$FAKE/installed" && printf installed || exit 1',
    "apt-get": 'printf "apt-get %s\\n" "$*" >>"$FAKE/calls"; [ ! -f "$FAKE/broken" ] || exit 100\n'
               'if [ "$1" = install ]; then shift; for one in "$@"; do\n'
               '  case $one in -*) ;; *) printf "%s\\n" "$one" >>"$FAKE/installed" ;; esac; done; fi',
    "id": 'printf "%s\\n" "$FAKE_UID"',
    "sudo": 'printf "sudo %s\\n" "$*" >>"$FAKE/calls"; [ "$1" = -v ] || exec "$@"',
    "cmake": 'printf "cmake %s launcher=%s\\n" "$*" "${CMAKE_CXX_COMPILER_LAUNCHER:-none}" >>"$FAKE/calls"\n'
             'mkdir -p build/asan; : >build/asan/fuzz_targets\n'
             'for way in portable avx2; do mkdir -p build/$way/bin; program=build/$way/bin/sip_test\n'
             '  printf "#!%s\\n" "$BASH" >$program; chmod +x $program; done',
    "ctest": 'printf "ctest %s\\n" "$*" >>"$FAKE/calls"',
    "ninja": "exit 1",
}


class Machine(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.work = pathlib.Path(self.folder.name)
        self.bin = self.work / "bin"
        self.tree = self.work / "tree"
        self.bin.mkdir()
        (self.tree / "examples/demo").mkdir(parents=True)
        for name in ("dev", "CMakePresets.json"):
            shutil.copy(ROOT / name, self.tree)
        for show in ("run", "bot"):
            self.program(self.tree / f"examples/demo/{show}", f'printf "show {show} %s\\n" "$*" >>"$FAKE/calls"')
        for tool in TOOLS:
            (self.bin / tool).symlink_to(shutil.which(tool))
        for name, text in FAKES.items():
            self.program(self.bin / name, text)
        self.installed("")

    @staticmethod
    def program(path, text):
        path.write_text(f"#!{shutil.which('bash')}\n{text}\n")
        path.chmod(0o755)

    def installed(self, names):
        (self.work / "installed").write_text("".join(f"{name}\n" for name in names.split()))

    def run_dev(self, *words, uid=0):
        done = subprocess.run([shutil.which("bash"), self.tree / "dev", *words], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL,
                              env={"PATH": str(self.bin), "FAKE": str(self.work), "FAKE_UID": str(uid), "HOME": "/"})
        return done.returncode, done.stdout + done.stderr

    def calls(self):
        log = self.work / "calls"
        return log.read_text().splitlines() if log.exists() else []

    def asked_for(self):
        return next(line for line in self.calls() if line.startswith("apt-get install")).split()[2:]

    def test_the_demonstration_alone_installs_and_goes_on(self):
        status, said = self.run_dev("demo", "--once")
        self.assertEqual(status, 0, said)
        self.assertIn("installing as root: g++ cmake", said)
        self.assertTrue({"g++", "cmake", "ninja-build", "ccache", "libssl-dev"} <= set(self.asked_for()))
        self.assertFalse({"clang", "doctest-dev", "nodejs", "npm", "clang-tidy"} & set(self.asked_for()))
        self.assertEqual([line.split()[0] for line in self.calls()], ["apt-get", "apt-get", "cmake", "cmake", "show"])
        self.assertEqual(self.calls()[-1], "show run --once")

    def test_it_builds_nothing_but_what_it_runs(self):
        self.run_dev("demo")
        builds = [line for line in self.calls() if line.startswith("cmake --build")]
        self.assertEqual(len(builds), 1)
        self.assertIn("--target softswitch phone ", builds[0])

    def test_it_asks_sudo_and_says_so(self):
        status, said = self.run_dev("demo", uid=1000)
        self.assertEqual(status, 0, said)
        self.assertIn("installing by sudo: ", said)
        self.assertEqual([line.split()[:2] for line in self.calls()[:2]], [["sudo", "-v"], ["sudo", "env"]])

    def test_without_root_and_sudo_it_names_what_is_missing(self):
        (self.bin / "sudo").unlink()
        status, said = self.run_dev("demo", uid=1000)
        self.assertEqual(status, 1)
        self.assertRegex(said, "neither root nor sudo: .*g[+][+] cmake")
        self.assertEqual(self.calls(), [])

    def test_what_is_there_is_not_installed_again(self):
        self.run_dev("demo")
        (self.work / "calls").unlink()
        status, said = self.run_dev("demo")
        self.assertEqual(status, 0, said)
        self.assertNotIn("installing", said)
        self.assertEqual([line.split()[0] for line in self.calls()], ["cmake", "cmake", "show"])

    def test_where_apt_fails_nothing_is_built(self):
        (self.work / "broken").touch()
        for command in ("demo", "test", "fuzz", "setup"):
            status, said = self.run_dev(command)
            self.assertEqual(status, 1, said)
        self.assertEqual({line.split()[0] for line in self.calls()}, {"apt-get"})

    def test_the_bot_in_node_needs_node(self):
        status, said = self.run_dev("demo", "bot")
        self.assertEqual(status, 0, said)
        self.assertTrue({"nodejs", "npm"} <= set(self.asked_for()))
        self.assertEqual(self.calls()[-1], "show bot ")

    def test_a_node_that_is_there_is_taken(self):
        self.program(self.bin / "node", "")
        self.run_dev("demo", "bot")
        self.assertFalse({"nodejs", "npm"} & set(self.asked_for()))

    def test_the_bot_in_python_needs_no_node(self):
        self.run_dev("demo", "bot", "--python")
        self.assertIn("python3-websockets", self.asked_for())
        self.assertFalse({"nodejs", "npm"} & set(self.asked_for()))
        self.assertEqual(self.calls()[-1], "show bot --python")

    def test_the_tests_alone_install_and_go_on(self):
        for words in (("test",), ("test", "quick")):
            self.installed("")
            (self.work / "calls").unlink(missing_ok=True)
            status, said = self.run_dev(*words)
            self.assertEqual(status, 0, said)
            self.assertTrue({"g++", "clang", "lld", "doctest-dev", "sip-tester", "nodejs"} <= set(self.asked_for()))
            self.assertNotIn("clang-tidy", self.asked_for())
            kinds = [line.split()[0] for line in self.calls()]
            self.assertEqual(kinds[:2], ["apt-get", "apt-get"])
            self.assertIn("ctest", kinds)

    def test_setup_has_lint_as_well_and_may_find_nothing(self):
        self.run_dev("setup")
        self.assertIn("clang-tidy", self.asked_for())
        self.assertEqual(self.run_dev("setup"), (0, "nothing is missing\n"))

    def test_a_build_that_began_without_ccache_goes_on_without(self):
        self.program(self.bin / "ccache", "")
        release = self.tree / "build/release"
        release.mkdir(parents=True)
        self.run_dev("demo")
        (release / "build.ninja").touch()
        (release / "CMakeCache.txt").write_text("CMAKE_CXX_COMPILER:FILEPATH=/usr/bin/c++\n")
        self.run_dev("demo")
        (release / "CMakeCache.txt").write_text("CMAKE_CXX_COMPILER_LAUNCHER:STRING=ccache\n")
        self.run_dev("demo")
        configured = [line for line in self.calls() if line.startswith("cmake --preset")]
        self.assertEqual([line.split("launcher=")[1] for line in configured], ["ccache", "none", "ccache"])


if __name__ == "__main__":
    unittest.main()
