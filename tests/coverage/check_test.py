"""The check has to find what is planted here, or a table of tests that nobody wrote would pass."""

import pathlib
import tempfile
import unittest

import check

CASES = {"sip::via: is read", "sip::via: is written"}
HEAD = "# Coverage\n\n## RFC 3261\n\n| section | what | test |\n|---|---|---|\n"


def wrong_with(rows, tests=pathlib.Path("/nonexistent")):
    return check.complaints_about(HEAD + rows, CASES, tests)[0]


class Planted(unittest.TestCase):
    def test_a_row_with_tests_that_exist_is_good(self):
        self.assertEqual(wrong_with("| 20.42 | Via | `sip::via: is read`, `sip::via: is written` |\n"), [])

    def test_a_test_that_does_not_exist_is_named(self):
        wrong, = wrong_with("| 20.42 | Via | `sip::via: is read`, `sip::via: sings` |\n")
        self.assertIn("no test 'sip::via: sings'", wrong)

    def test_part_of_a_name_is_no_test(self):
        self.assertEqual(len(wrong_with("| 20.42 | Via | `sip::via: is` |\n")), 1)

    def test_a_section_without_a_test_is_named(self):
        for tested in ("", "sip::via: is read"):
            wrong, = wrong_with(f"| 20.42 | Via | {tested} |\n")
            self.assertIn("section 20.42 has no test", wrong)

    def test_a_row_of_another_form_is_found(self):
        for row in ("| 20.42 | `sip::via: is read` |", "| 20.42 | | `sip::via: is read` |",
                    "| Via | Via | `sip::via: is read` |"):
            self.assertEqual(len(wrong_with(row + "\n")), 1, row)

    def test_a_section_stands_once_in_an_rfc(self):
        row = "| 4 | x | `sip::via: is read` |\n"
        self.assertIn("second time", wrong_with(row + row)[0])
        self.assertEqual(wrong_with(row + "\n## RFC 3581\n\n" + row), [])

    def test_a_document_without_a_row_is_wrong(self):
        self.assertEqual(wrong_with("## Not implemented\n\n| 1 | 2 | 3 |\n"),
                         ["there is no row in any table"])

    def test_what_has_a_row_is_not_said_to_be_missing(self):
        row = "| 4 | x | `sip::via: is read` |\n\n## Not implemented\n\n"
        self.assertEqual(wrong_with(row + "- RFC 3261: a (5), b (14.1).\n- RFC 3428, whole.\n"), [])
        self.assertEqual(len(wrong_with(row + "- RFC 3261: a (5, 4).\n")), 1)
        self.assertEqual(len(wrong_with(row + "- RFC 9999: c. RFC 3261, whole (x).\n")), 1)

    def test_a_case_of_ctest_is_looked_for_in_its_suite(self):
        with tempfile.TemporaryDirectory() as scratch:
            tests = pathlib.Path(scratch)
            (tests / "agents").mkdir()
            (tests / "agents/CMakeLists.txt").write_text("foreach(name kills hostile)\n")
            self.assertEqual(wrong_with("| 5 | x | `agents.hostile` |\n", tests), [])
            self.assertEqual(len(wrong_with("| 5 | x | `agents.host` |\n", tests)), 1)
            self.assertEqual(len(wrong_with("| 5 | x | `agent.hostile` |\n", tests)), 1)

    def test_names_are_read_in_pieces_and_with_fixtures_and_not_from_comments(self):
        source = ('TEST_CASE("one: a") {\nTEST_CASE_FIXTURE(desk, "two: b") {\n'
                  'TEST_CASE_FIXTURE(desk,\n                  "three: a long "\n    "name") {\n'
                  '// TEST_CASE("four: gone") {\n')
        self.assertEqual(check.cases_in(source), {"one: a", "two: b", "three: a long name"})


if __name__ == "__main__":
    unittest.main()
