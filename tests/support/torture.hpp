// The torture messages of RFC 4475 and RFC 5118 with what the shared tables say of them, and what
// we answer to each.
#pragma once

#include <cctype>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "support/shared.hpp"

namespace trunkline::support {

struct torture_message {
    std::string file; ///< Without its extension.
    std::filesystem::path path;
    std::string method;
    std::string expected;   ///< The table's sentence about what a UAS answers.
    std::string acceptable; ///< And what it may answer as well.
};

[[nodiscard]] inline std::vector<torture_message> torture_messages(std::string_view folder) {
    const bool ipv6 = folder == "rfc5118";
    const auto base = shared(folder);
    const auto rows = read_csv(read_file(base / "expected.csv"));
    std::vector<torture_message> made;
    for (std::size_t i = 1; i < rows.size(); ++i) {
        const auto& row = rows[i];
        auto path = ipv6 ? base / "wire" / (row[0] + ".sip") : base / "msgs" / row[0];
        const auto file = path.stem().string();
        made.push_back({file, std::move(path), row[ipv6 ? 2 : 3], row[ipv6 ? 5 : 7],
                        ipv6 ? std::string{} : row[8]});
    }
    return made;
}

/// The answer to each on a trunk whose application lets every number ring; "" is silence. One that
/// is no answer to the table's sentence is explained in not_by_the_table.
inline const std::map<std::string, std::string> torture_answers{
    {"wsinv", "481"},
    {"intmeth", "501"},
    {"esc01", "180"},
    {"escnull", "405"},
    {"esc02", "501"},
    {"lwsdisp", "200"},
    {"longreq", "180"},
    {"dblreq", "405"},
    {"semiuri", "200"},
    {"transports", "200"},
    {"mpart01", "405"},
    {"unreason", ""},
    {"noreason", ""},
    {"badinv01", "400"},
    {"clerr", "400"},
    {"ncl", "400"},
    {"scalar02", "400"},
    {"scalarlg", ""},
    {"quotbal", "400"},
    {"ltgtruri", "400"},
    {"lwsruri", "400"},
    {"lwsstart", "400"},
    {"trws", "400"},
    {"escruri", "400"},
    {"baddate", "180"},
    {"regbadct", "400"},
    {"badaspec", "400"},
    {"baddn", "400"},
    {"badvers", "505"},
    {"mismatch01", "400"},
    {"mismatch02", "501"},
    {"bigcode", ""},
    {"badbranch", "400"},
    {"insuf", "400"},
    {"unkscm", "416"},
    {"novelsc", "416"},
    {"unksm2", "405"},
    {"bext01", "420"},
    {"invut", "415"},
    {"regaut01", "405"},
    {"multi01", "400"},
    {"mcl01", "400"},
    {"bcast", ""},
    {"zeromf", "200"},
    {"cparam01", "405"},
    {"cparam02", "405"},
    {"regescrt", "405"},
    {"sdp01", "406"},
    {"inv2543", "180"},
    {"test", ""},
    {"ipv6-good", "405"},
    {"ipv6-bad", "400"},
    {"port-ambiguous", "405"},
    {"port-unambiguous", "405"},
    {"via-received-param-with-delim", "481"},
    {"via-received-param-no-delim", "200"},
    {"ipv6-in-sdp", "488"},
    {"mult-ip-in-header", "481"},
    {"mult-ip-in-sdp", "180"},
    {"ipv4-mapped-ipv6", "488"},
    {"ipv6-bug-abnf-3-colons", "200"},
    {"ipv6-correct-abnf-2-colons", "200"}};

/// Where the table asks for something else, and why that cannot be.
inline const std::map<std::string, std::string_view> not_by_the_table{
    {"wsinv", "Its To has a tag, and no dialog of ours has it. RFC 3261 12.2.2: who will not make "
              "up a dialog for it MUST answer 481. RFC 4475 3.1.1.1 is about its syntax."},
    {"via-received-param-with-delim",
     "The table says OPTIONS, but RFC 5118 4.5 has a BYE here, with a To tag. No dialog has it, "
     "and RFC 3261 15.1.2 has 481 for that."},
    {"ipv6-in-sdp", "Its only audio format is G726-32, which we do not have, and we take no video: "
                    "the offer is not acceptable, and RFC 3261 13.3.1.3 has 488 for that."},
    {"ipv4-mapped-ipv6", "The same formats as in ipv6-in-sdp, and the same 488."},
};

/// Every answer that the table allows; "" is silence.
[[nodiscard]] inline std::set<std::string> answers_by_the_table(const torture_message& of) {
    // We are no registrar: what is well formed is 405 (RFC 3261 8.2.1).
    if (of.method == "REGISTER" && of.expected != "400") return {"405"};
    std::set<std::string> made;
    const auto digit = [](char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; };
    for (const auto& sentence : {of.expected, of.acceptable}) {
        for (std::size_t at = 0; at < sentence.size();) {
            std::size_t length = 0;
            while (at + length < sentence.size() && digit(sentence[at + length])) ++length;
            if (length == 3) made.insert(sentence.substr(at, 3));
            at += length + 1;
        }
    }
    const auto says = [&](std::string_view words) {
        return of.expected.find(words) != std::string::npos;
    };
    if (says("normal INVITE")) made.insert("180");
    if (says("none")) return {""};
    if (says("drop")) made.insert("");
    return made;
}

} // namespace trunkline::support
