"""How run.py divides the time, and what it reads in libFuzzer's log."""

import unittest

import run

LOG = """#2\tREAD units: 3
#4\tINITED cov: 120 ft: 300 corp: 3/90b exec/s: 0 rss: 40Mb
#90\tNEW    cov: 125 ft: 306 corp: 4/99b lim: 4096 exec/s: 0 rss: 40Mb
#200\tDONE   cov: 131 ft: 320 corp: 9/200b lim: 4096 exec/s: 100 rss: 41Mb
stat::number_of_executed_units: 200
"""


class Shares(unittest.TestCase):
    def test_a_third_goes_to_all_alike(self):
        self.assertEqual(run.first_shares(list("abcdef"), 180, 2), dict.fromkeys("abcdef", 20))

    def test_each_is_tried_for_two_seconds_at_least(self):
        self.assertEqual(run.first_shares(list("abcdef"), 3, 1), dict.fromkeys("abcdef", 2))

    def test_what_found_nothing_gets_nothing_more(self):
        self.assertEqual(run.second_shares({"parser": 0, "engine": 9, "leg": 9}, 100, 2), {"engine": 100, "leg": 100})

    def test_what_found_more_gets_more(self):
        self.assertEqual(run.second_shares({"one": 1, "nine": 9, "none": 0}, 40, 1), {"nine": 30, "one": 10})

    def test_one_alone_gets_no_more_than_the_clock_has(self):
        self.assertEqual(run.second_shares({"engine": 400, "via": 1, "uri": 1}, 60, 2),
                         {"engine": 60, "via": 30, "uri": 30})

    def test_where_none_found_any_all_go_on(self):
        self.assertEqual(run.second_shares({"a": 0, "b": 0}, 60, 1), {"a": 30, "b": 30})

    def test_the_processors_end_together(self):
        self.assertEqual(run.makespan({"a": 60, "b": 30, "c": 30}, 2), 60)


class Log(unittest.TestCase):
    def test_new_edges_are_those_beyond_the_corpus(self):
        self.assertEqual(run.edges_of(LOG), 11)

    def test_a_target_that_never_began_found_none(self):
        self.assertEqual(run.edges_of("==1== ERROR: libFuzzer"), 0)

    def test_the_executions_are_the_last_that_it_says(self):
        self.assertEqual(run.statistic(LOG, "number_of_executed_units"), 200)


if __name__ == "__main__":
    unittest.main()
