"""The runner has to find what is planted here, or a README with nothing true in it would pass."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

import run

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Reading(unittest.TestCase):
    def test_blocks_keep_their_kind_and_line(self):
        found = run.blocks_of("text\n```sh\nls\n```\n\n```\nplain\n```\n```cpp\nint x;\n```\n")
        self.assertEqual([(b.kind, b.line, b.text) for b in found],
                         [("sh", 2, "ls\n"), ("", 6, "plain\n"), ("cpp", 9, "int x;\n")])

    def test_a_fence_that_does_not_end_is_refused(self):
        with self.assertRaises(ValueError):
            run.blocks_of("```sh\nls\n")

    def test_a_block_without_an_include_continues_the_one_before(self):
        blocks = run.blocks_of("```cpp\n#include <a>\n```\n```cpp\nint x;\n```\n```cpp\n#include <b>\n```\n")
        self.assertEqual([p.text for p in run.programs_of(blocks)],
                         ["#include <a>\nint x;\n", "#include <b>\n"])

    def test_long_commands_are_looked_at_and_short_ones_run(self):
        ran, looked_at = run.commands_of("git clone x && y\n./dev help # all\n./dev test\nls \\\n -l\n")
        self.assertEqual(ran, ["./dev help # all", "ls   -l"])
        self.assertEqual([words[:2] for words in looked_at], [["git", "clone"], ["./dev", "test"]])

    def test_a_preset_that_is_none_is_refused(self):
        self.assertIsNotNone(run.complaint_about(["cmake", "--preset", "nonsense"], ROOT))
        self.assertIsNone(run.complaint_about(["cmake", "--preset", "dev"], ROOT))

    def test_a_dev_command_that_is_none_is_refused(self):
        self.assertIsNotNone(run.complaint_about(["./dev", "nonsense"], ROOT))
        self.assertIsNone(run.complaint_about(["./dev", "test"], ROOT))


class Running(unittest.TestCase):
    def status_of(self, markdown, kind):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["git", "init", "-q", folder], check=True)
            readme = pathlib.Path(folder, "README.md")
            readme.write_text(markdown)
            return subprocess.run([sys.executable, "-B", run.__file__, kind, "--readme", readme,
                                   "--build", folder, "--prefix", folder],
                                  stdout=subprocess.DEVNULL, check=False).returncode

    def test_a_block_that_fails_fails(self):
        self.assertEqual(self.status_of("```sh\ntest -f README.md\n```\n", "sh"), 0)
        self.assertEqual(self.status_of("```sh\nfalse\ntrue\n```\n", "sh"), 1)
        self.assertEqual(self.status_of("```sh\nfalse | true\n```\n", "sh"), 1)

    def test_a_configuration_without_a_softswitch_to_check_it_fails(self):
        self.assertEqual(self.status_of("```toml\na = 1\n```\n", "toml"), 1)


if __name__ == "__main__":
    unittest.main()
