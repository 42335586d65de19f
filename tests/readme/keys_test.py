"""The check is tried on documents that name what is not there: keys.py."""

import unittest

import keys

SOURCES = '''
    into.at = from.text("at").value_or("");
    const auto* const table = root.table("media");
    into.key = read_file_name(tls, "key", folder);
    constexpr secret_keys password_keys{"password", "password_file"};
    read_secret(agents, {"auth_token", "auth_token_env"}, folder)
    from.integer("channels", 1, 100);
    from.duration("min_se", std::chrono::seconds{90});
'''
KEYS = {"at", "media", "key", "password", "password_file", "auth_token", "auth_token_env", "channels", "min_se"}
EXAMPLE = """at = "x"   # of sockets
[media]
# key = "a.key"
password = "b" # or password_file = "c"
auth_token = "d" # or auth_token_env
channels = 10
min_se = "90s"
"""


def said_of(text, name="docs/rest.md"):
    return keys.complaints_about(name, text, KEYS, {"on_record"})


class Keys(unittest.TestCase):
    def test_the_sources_say_which_there_are(self):
        self.assertEqual(keys.keys_of(SOURCES), KEYS)

    def test_an_example_that_has_each_is_taken(self):
        self.assertEqual(keys.complaints_about_example(EXAMPLE, KEYS), [])

    def test_an_example_that_lacks_one_is_refused(self):
        self.assertEqual(keys.complaints_about_example(EXAMPLE.replace("channels", "lines"), KEYS),
                         ["softswitch.example.toml lacks channels",
                          "softswitch.example.toml has lines, which nothing reads"])

    def test_an_assignment_of_what_is_no_key_is_refused(self):
        self.assertEqual(said_of("Say `channels = 3`.\n\nOr `lines = 3`."), ["docs/rest.md:3: there is no key lines"])
        self.assertEqual(said_of("```toml\nlines = 3\n```\n```cpp\nauto lines = 3;\n```"),
                         ["docs/rest.md:2: there is no key lines"])
        self.assertEqual(said_of("A member, `.shards = 3`, is none."), [])

    def test_what_the_operator_is_told_to_set_has_to_be_there(self):
        row = "| `refused_x` | Answered 421. | {} |\n"
        name = "docs/diagnostics.md"
        for advice in ("Set the trunk's provisionals to supported.", "Raise its provisionals.", "lower provisionals."):
            self.assertEqual(said_of(row.format(advice), name), [f"{name}:1: there is no key provisionals"])
        self.assertEqual(said_of(row.format("Use max_lines."), name), [f"{name}:1: there is no key max_lines"])
        self.assertEqual(said_of(row.format("Raise channels, or the port range; lower min_se."), name), [])

    def test_a_name_that_nothing_has_is_refused(self):
        self.assertEqual(said_of("`on_record` tells, `min_se` too, `on_nothing` does not."),
                         ["docs/rest.md:1: nothing is named on_nothing"])


if __name__ == "__main__":
    unittest.main()
