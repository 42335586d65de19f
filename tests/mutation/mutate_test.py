#!/usr/bin/env python3
"""What the tool that plants faults makes of a source, and what it refuses."""

import pathlib
import sys
import tempfile
import unittest

import mutate

SOURCE = """int most(int count) {
    if (count == 3) return count;
    if (count == 4)
        forget(count);
    return count + 1;
}
"""


def fault(old, new, title="a fault", after="", file="a.cpp"):
    return mutate.Fault("core", title, file, old, new, "core_test", "", after)


class Lists(unittest.TestCase):
    def test_a_paragraph_is_a_fault(self):
        text = ("# of numbers\nfault: one more\nfile: a.cpp\nold: count\nold: == 3\n"
                "new: count == 4\ntest: core_test core: three, and no more\n")
        read, = mutate.read_list(text, "core")
        self.assertEqual(read.old, "count\n== 3")
        self.assertEqual((read.program, read.test), ("core_test", "core: three, and no more"))

    def test_a_paragraph_without_a_test_is_refused(self):
        with self.assertRaisesRegex(mutate.Unfit, "no `test`"):
            mutate.read_list("fault: one more\nfile: a.cpp\nold: 3\nnew: 4\n", "core")

    def test_two_faults_of_one_title_are_refused(self):
        one = "fault: one more\nfile: a.cpp\nold: 3\nnew: 4\ntest: core_test\n"
        with self.assertRaisesRegex(mutate.Unfit, "two faults"):
            mutate.read_list(one + "\n" + one, "core")

    def test_an_unknown_key_is_refused(self):
        with self.assertRaisesRegex(mutate.Unfit, "no such line"):
            mutate.read_list("fault: one more\nwith: 4\n", "core")


class Planting(unittest.TestCase):
    def test_an_expression_is_chosen_between(self):
        one = fault("count == 3", "count == 4")
        planted = mutate.plant(SOURCE, [one])
        self.assertIn(f"if ((::trunkline::mutation::on({one.number}UL) ? (count == 4) : "
                      "(count == 3))) return", planted)

    def test_a_statement_is_chosen_between_and_may_be_left_out(self):
        planted = mutate.plant(SOURCE, [fault("forget(count);", "")])
        self.assertIn("{  } else { forget(count); }", planted)

    def test_white_space_does_not_count_and_lines_stay_where_they_were(self):
        planted = mutate.plant(SOURCE, [fault("if (count == 4) forget(count);", "")])
        self.assertEqual(planted.count("\n"), SOURCE.count("\n"))

    def test_two_faults_of_one_place_both_sleep_there(self):
        both = [fault("count == 3", "count == 2", "a"), fault("count == 3", "true", "b")]
        planted = mutate.plant(SOURCE, both)
        self.assertIn("(count == 2)", planted)
        self.assertIn("(true)", planted)

    def test_one_fault_may_stand_inside_another(self):
        both = [fault("if (count == 3) return count;", "", "a"), fault("count == 3", "true", "b")]
        planted = mutate.plant(SOURCE, both)
        self.assertIn("? (true) : (count == 3)", planted)

    def test_faults_that_overlap_are_refused(self):
        both = [fault("(count == 3) return", "x", "a"), fault("return count; if", "y", "b")]
        with self.assertRaisesRegex(mutate.Unfit, "overlap"):
            mutate.plant(SOURCE, both)

    def test_a_value_in_braces_is_an_expression(self):
        source = "auto in(int n) { return minutes{n}; }"
        self.assertIn("? (minutes{2}) : (minutes{n})",
                      mutate.plant(source, [fault("minutes{n}", "minutes{2}")]))

    def test_a_declaration_is_refused(self):
        with self.assertRaisesRegex(mutate.Unfit, "declaration"):
            mutate.plant("const int n = 3;", [fault("const int n = 3;", "const int n = 4;")])

    def test_half_a_statement_is_refused(self):
        with self.assertRaisesRegex(mutate.Unfit, "bracket"):
            mutate.plant(SOURCE, [fault("int most(int count) {", "int most(int) {")])

    def test_brackets_in_quotes_do_not_count(self):
        self.assertTrue(mutate.balanced("if (c == '(' || text == \"\\\"{\") ++n;"))

    def test_behind_an_anchor_the_first_counts(self):
        planted = mutate.plant(SOURCE, [fault("count", "0", after="forget(count);")])
        self.assertIn("(count) + 1".replace("(count)", ": (count))"), planted)


class Rot(unittest.TestCase):
    def refused(self, one, why):
        with tempfile.TemporaryDirectory() as root:
            (pathlib.Path(root) / "a.cpp").write_text(SOURCE)
            with self.assertRaisesRegex(mutate.Unfit, why):
                mutate.planted_files([one], pathlib.Path(root))

    def test_a_text_that_is_gone_is_refused(self):
        self.refused(fault("count == 5", "true"), "stands 0 times")

    def test_a_text_that_stands_twice_is_refused(self):
        self.refused(fault("if (count", "true"), "stands 2 times")

    def test_an_anchor_that_is_gone_is_refused(self):
        self.refused(fault("count", "true", after="remember(count)"), "`after` stands 0 times")

    def test_a_file_that_is_gone_is_refused(self):
        self.refused(fault("count == 3", "true", file="b.cpp"), "there is no b.cpp")

    def test_an_expression_without_another_is_refused(self):
        self.refused(fault("count == 3", ""), "replaced by another")


class Verdicts(unittest.TestCase):
    """A stand-in for a test program: it fails where its fault is on, or as its test's name says."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.one = fault("count == 3", "true")
        program = pathlib.Path(self.folder.name) / "core_test"
        program.write_text(
            "#!/bin/sh\ncase \"$*\" in\n*none*) echo 'test cases: 0 |'; exit 0 ;;\n"
            "*broken*) echo 'test cases: 1 |'; exit 1 ;;\nesac\necho 'test cases: 1 |'\n"
            f"[ \"$TRUNKLINE_MUTATION\" != {self.one.number} ]\n")
        program.chmod(0o755)

    def played(self):
        return mutate.play([self.one], pathlib.Path(self.folder.name), 1, False)

    def test_a_fault_that_its_test_notices_is_no_survivor(self):
        self.assertEqual(self.played(), ([], []))

    def test_a_fault_that_its_test_passes_over_survives(self):
        program = pathlib.Path(self.folder.name) / "core_test"
        program.write_text("#!/bin/sh\necho 'test cases: 1 |'\n")
        broken, survivors = self.played()
        self.assertEqual((broken, len(survivors)), ([], 1))

    def test_a_test_that_fails_by_itself_proves_nothing(self):
        self.one.test = "broken"
        self.assertEqual(len(self.played()[0]), 1)

    def test_a_filter_that_finds_no_test_proves_nothing(self):
        self.one.test = "none"
        self.assertEqual(len(self.played()[0]), 1)


class Tree(unittest.TestCase):
    def test_every_fault_of_the_lists_fits_the_sources(self):
        mutate.check(mutate.read_lists())

    def test_there_are_at_least_150(self):
        self.assertGreaterEqual(len(mutate.read_lists()), 150)


if __name__ == "__main__":
    sys.exit(unittest.main())
