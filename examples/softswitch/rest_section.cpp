#include "rest_section.hpp"

#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "rest/webhook_url.hpp"
#include "secret_field.hpp"
#include "table_reader.hpp"
#include "text.hpp"

namespace softswitch {

namespace {

constexpr std::string_view default_at = "127.0.0.1:8080";
constexpr std::string_view default_database = "softswitch.db";

void read_key(table_reader& from, const std::filesystem::path& folder, rest_settings& into) {
    const auto file = from.text("key_file");
    const auto variable = from.text("key_env");
    if (file && variable) return from.complain("key_file", "give one of key_file and key_env");
    const std::string_view field = file ? "key_file" : "key_env";
    if (!file && !variable) {
        if (from.has("key_file") || from.has("key_env")) return; // Not text, which was said.
        return from.complain("needs key_file or key_env: the key that passwords in the database "
                             "are encrypted with; `openssl rand -hex 32` makes one");
    }
    if (file) into.key_file = folder / *file;
    const auto read = file ? secret_key_of_file(into.key_file) : secret_key_of_variable(*variable);
    if (!read) return from.complain(field, read.reason());
    into.key = *read;
}

} // namespace

std::optional<rest_settings> read_rest(table_reader& root, const std::filesystem::path& folder) {
    const auto* const table = root.table("rest");
    if (table == nullptr) return std::nullopt;
    table_reader from{*table, "rest", root.read()};
    rest_settings made;
    const auto at = trunkline::endpoint::parse(from.text("at").value_or(std::string{default_at}));
    if (at) {
        made.at = *at;
    } else {
        from.complain("at", R"(has to be "address:port", as "127.0.0.1:8080")");
    }
    const auto database = from.text("database").value_or(std::string{default_database});
    if (database.empty()) from.complain("database", "has to name a file");
    made.database = folder / database;
    read_key(from, folder, made);
    from.done();
    return made;
}

std::optional<webhook_settings> read_webhook(table_reader& root,
                                             const std::filesystem::path& folder) {
    const auto* const table = root.table("webhook");
    if (table == nullptr) return std::nullopt;
    table_reader from{*table, "webhook", root.read()};
    webhook_settings made;
    if (const auto url = from.text("url")) {
        made.url = *url;
        if (auto wrong = wrong_with_webhook_url(*url); !wrong.empty()) {
            from.complain("url", std::move(wrong));
        }
    } else if (!from.has("url")) {
        from.complain("has to have a url");
    }
    const auto problems_before = root.read().found.size();
    constexpr secret_keys keys{"secret", "secret_file", "secret_env"};
    made.secret = read_secret(from, keys, folder).value_or("");
    if (made.secret.empty() && root.read().found.size() == problems_before) {
        from.complain("needs secret, secret_file or secret_env: receivers know by it that we sent "
                      "an event");
    }
    from.done();
    return made;
}

std::string in_words(const rest_settings& what) {
    return fmt::format("rest: on http://{}, kept in {}\n", trunkline::to_text(what.at),
                       printable(what.database.string()));
}

std::string in_words(const webhook_settings& what) {
    return fmt::format("webhook: to {}\n", receiver_of(what.url));
}

} // namespace softswitch
