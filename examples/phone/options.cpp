#include "options.hpp"

#include <charconv>
#include <cmath>
#include <map>
#include <string_view>

#include <CLI/CLI.hpp>

namespace phone {
namespace {

using std::chrono::milliseconds;

constexpr const char* examples = R"(Examples:
  Say a sentence to a number behind a gateway and keep what comes back:
    phone call sip:+14155550100@127.0.0.1:5060 --play said.wav --record heard.wav --for 10s
  Interrupt whoever answers after 1.2 seconds, and press 1, 2, 3:
    phone call sip:+14155550100@127.0.0.1 --play caller.wav --say-after 1.2s --digits 123
  Call through a carrier that asks who is calling:
    phone call sip:+14155550100@sip.example.net --user 1001 --password secret
  Be the carrier: wait for one call, ask the caller for a password, play, hang up:
    phone wait --listen udp:127.0.0.1:5080 --challenge 1001:secret --play said.wav --hang-up
  Be a gateway that is out of order:
    phone wait --listen udp:127.0.0.1:5081 --answer-with 503
  Was the sentence heard, and not the other one?
    phone compare said.wav heard.wav --not other.wav)";

/// "1.2s", "500ms" or "2m": nothing without a unit, for 10 might be any of them.
std::string read_duration(std::string_view text, std::optional<milliseconds>& into) {
    double count = 0;
    const auto [end, trouble] = std::from_chars(text.data(), text.data() + text.size(), count);
    const std::string_view unit{end, static_cast<std::size_t>(text.data() + text.size() - end)};
    const double factor = unit == "ms" ? 1 : unit == "s" ? 1'000 : unit == "m" ? 60'000 : 0;
    constexpr double day = 86'400'000;
    if (trouble != std::errc{} || factor == 0 || !(count >= 0 && count * factor <= day)) {
        return "a time is written 500ms, 1.2s or 2m, and is a day at most";
    }
    into = milliseconds{std::llround(count * factor)};
    return {};
}

void add_duration(CLI::App& to, const char* name, std::optional<milliseconds>& into,
                  const char* description) {
    to.add_option_function<std::string>(
          name,
          [&into](const std::string& text) {
              if (const auto wrong = read_duration(text, into); !wrong.empty()) {
                  throw CLI::ValidationError(text, wrong);
              }
          },
          description)
        ->type_name("TIME");
}

/// What both sides of a call can do.
void add_talk(CLI::App& to, call_options& into) {
    to.add_option("--play", into.play, "Say this once the call is answered")
        ->type_name("WAV")
        ->check(CLI::ExistingFile);
    add_duration(to, "--say-after", into.say_after, "Stay silent that long first");
    to.add_option("--record", into.record, "Write what is heard")->type_name("WAV");
    to.add_option("--said", into.said, "Write what was said: of --play, the part that was sent")
        ->type_name("WAV");
    to.add_option("--digits", into.digits, "Press these keys after the answer (RFC 4733)")
        ->check([](const std::string& text) {
            return text.find_first_not_of("0123456789*#ABCD") == std::string::npos
                       ? std::string{}
                       : "keys are 0 to 9, *, # and A to D";
        });
    add_duration(to, "--for", into.hang_up_after, "Hang up that long after the answer");
    to.add_flag("--hang-up", into.hang_up_after_drain, "Hang up when all of --play was sent");
    to.add_option("--law", into.law, "Speak only this codec; otherwise PCMU or PCMA")
        ->transform(CLI::CheckedTransformer(
            std::map<std::string, trunkline::codec_name>{{"pcmu", trunkline::codec_name::pcmu},
                                                         {"pcma", trunkline::codec_name::pcma}},
            CLI::ignore_case))
        ->type_name("pcmu|pcma");
    to.add_option("--listen", into.listen, "Where SIP is received, such as udp:127.0.0.1:5080")
        ->type_name("ADDRESS");
    to.add_option("--json", into.json,
                  "Write the call's statistics, one object a line; - is stdout")
        ->type_name("FILE");
}

void add_call(CLI::App& to, call_options& into, trunkline::userpass& credentials) {
    to.add_option("URI", into.to, "sip:NUMBER@HOST[:PORT]")->required();
    to.add_option("--from", into.from, "The number or name that is calling")->capture_default_str();
    add_talk(to, into);
    add_duration(to, "--ring-for", into.ring_for, "Give up when nobody answers for that long");
    auto* user = to.add_option("--user", credentials.username, "Who to be when challenged");
    to.add_option("--password", credentials.password, "And the password for it")->needs(user);
}

void add_wait(CLI::App& to, call_options& into) {
    add_talk(to, into);
    to.add_option_function<std::string>(
          "--challenge",
          [&into](const std::string& text) {
              const auto colon = text.find(':');
              if (colon == std::string::npos || colon == 0) {
                  throw CLI::ValidationError("--challenge", "is written user:password");
              }
              into.challenge = {text.substr(0, colon), text.substr(colon + 1), "phone"};
          },
          "Answer only those who know this")
        ->type_name("USER:PASSWORD");
    to.add_option("--answer-with", into.answer_with, "Refuse with this status instead of answering")
        ->type_name("400-699")
        ->check(CLI::Range(400, 699));
    to.add_option("--calls", into.calls, "End after so many calls; 0 waits for ever")
        ->capture_default_str();
}

void add_compare(CLI::App& to, compare_options& into) {
    to.add_option("SAID", into.said, "What was said")->required()->check(CLI::ExistingFile);
    to.add_option("HEARD", into.heard, "What was heard")->required()->check(CLI::ExistingFile);
    to.add_option("--not", into.other, "A sentence that must not be heard")
        ->type_name("WAV")
        ->check(CLI::ExistingFile);
    to.add_option("--at-least", into.at_least, "The likeness that counts as heard")
        ->capture_default_str();
    to.add_option("--below", into.below, "The likeness that counts as not heard")
        ->capture_default_str();
    to.add_option("--json", into.json, "Write the likeness as JSON; - is stdout")
        ->type_name("FILE");
}

} // namespace

parsed_options parse(int count, char** words) {
    CLI::App app{"A telephone for the command line: it calls or waits, plays a WAV, records a WAV\n"
                 "and prints what the call was like. It registers nowhere.\n",
                 "phone"};
    app.require_subcommand(1);
    app.footer(examples);
    app.set_help_all_flag("--help-all", "The options of every command, too");
    options wanted;
    trunkline::userpass credentials;
    auto* call = app.add_subcommand("call", "Call a SIP URI. Exit status 0 when it was answered");
    auto* wait = app.add_subcommand("wait", "Answer, or refuse, whoever calls");
    auto* compare = app.add_subcommand(
        "compare", "Look for one recording in another. Exit status 0 when it is there");
    add_call(*call, wanted.call, credentials);
    // The same fields take either command's options: only one of them is ever given.
    add_wait(*wait, wanted.call);
    add_compare(*compare, wanted.compare);
    try {
        app.parse(count, words);
    } catch (const CLI::ParseError& trouble) {
        const auto status = app.exit(trouble);
        return {std::nullopt, status == 0 ? 0 : 2};
    }
    wanted.command = call->parsed()   ? command::call
                     : wait->parsed() ? command::wait
                                      : command::compare;
    if (!credentials.username.empty()) wanted.call.credentials = credentials;
    return {wanted, 0};
}

} // namespace phone
