"""The check is tried on tables that lie: table.py."""

import unittest

import table

CMAKE = """trunkline_component(core SOURCES a.cpp) # the floor
trunkline_component(sip
  DEPENDS trunkline_core OpenSSL::Crypto
  EXTERNAL openssl/)
trunkline_component(call DEPENDS trunkline_core trunkline_sip)
trunkline_component(trunk REAL_WORLD SOURCES b.cpp DEPENDS trunkline_core trunkline_sip trunkline_call)
"""
TABLE = """| component | holds | may use |
|---|---|---|
| core | results | the standard library |
| sip | messages | core |
| call | legs | core, sip |
| trunk | trunks | what call may, and call |
"""


class Table(unittest.TestCase):
    def test_a_table_that_is_true_is_taken(self):
        self.assertEqual(table.complaints(TABLE, CMAKE), [])

    def test_a_row_that_allows_too_much_is_named(self):
        self.assertEqual(table.complaints(TABLE.replace("| core |\n| call", "| core, call |\n| call"), CMAKE),
                         ["sip may use core; the table says call, core"])

    def test_a_row_that_forgets_one_is_named(self):
        self.assertEqual(table.complaints(TABLE.replace(", and call", ""), CMAKE),
                         ["trunk may use call, core, sip; the table says core, sip"])

    def test_a_component_without_a_row_is_named(self):
        self.assertEqual(table.complaints(TABLE.replace("| sip | messages | core |\n", ""), CMAKE),
                         ["sip is in one of the two only"])


if __name__ == "__main__":
    unittest.main()
