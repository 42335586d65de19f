// softswitch: carriers' trunks on one side, agents on the other.
#include <cstdio>
#include <exception>
#include <filesystem>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <spdlog/async.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "check.hpp"
#include "config.hpp"
#include "signals.hpp"
#include "switchboard.hpp"
#include "text.hpp"
#include "token_command.hpp"

namespace {

using namespace softswitch;

constexpr const char* footer = R"(Examples:
  softswitch --config softswitch.toml --check       is the configuration good, and for how much?
  softswitch --config softswitch.toml               serve; one JSON object a call on stdout
  softswitch --cdr calls.json --trace carrier       the SIP of one trunk, on stderr
  softswitch --trace 4155550100                     the SIP of the calls from or to a number
  softswitch dial +14155550100 --agent play:hello.wav
  softswitch dial +14155550100 --trunk carrier --from +14155550199 --hang-up-after 10s
  softswitch token --name laptop                    who may use REST: a bearer token, shown once

Agents: reflect, echo, hold, play:<wav>, interrupt:<wav>, record:<wav>.
SIGTERM (or Ctrl-C) refuses new calls with 503 and lets the others go on for as long as `drain` says;
a second one ends them now.
Exit code: 0 good, or answered; 1 the call was refused; 2 the command line or the configuration.
Keys of the configuration: examples/softswitch/softswitch.example.toml. Records: docs/cdr.md.)";

void add_options(CLI::App& program, options& into) {
    program.description("A SIP softswitch: trunks to carriers, numbers, and agents that answer.");
    program.footer(footer);
    program.set_version_flag("--version", "softswitch " SOFTSWITCH_VERSION);
    program.add_option("-c,--config", into.config, "The configuration, TOML")
        ->capture_default_str()
        ->type_name("FILE");
    program.add_flag("--check", into.check,
                     "Check the configuration, say how many calls are possible, and end");
    program
        .add_option_function<std::string>(
            "--trace", [&](const std::string& only) { into.trace = only; },
            "Draw the SIP messages of all calls, or those of a trunk, or of a number or a part of "
            "one; passwords and keys are masked")
        ->expected(0, 1)
        ->type_name("[TRUNK|NUMBER]");
    program.add_option("--cdr", into.cdr, "Append call records to FILE rather than to stdout")
        ->type_name("FILE");
    program
        .add_option("--log-level", into.log_level,
                    "How much goes to stderr; info unless told otherwise, warning with dial")
        ->type_name("LEVEL")
        ->check(CLI::IsMember({"trace", "debug", "info", "warning", "error", "off"}));
}

CLI::App* add_dial(CLI::App& program, options& into) {
    auto* const dial = program.add_subcommand("dial", "Make one call and tell how it goes");
    dial->fallthrough();
    dial->add_option("number", into.number, "Whom to call")->required();
    dial->add_option("--trunk", into.trunk, "By which trunk; the first outbound one otherwise")
        ->type_name("NAME");
    dial->add_option("--from", into.from, "Who calls; the trunk's caller_id otherwise")
        ->type_name("NUMBER");
    dial->add_option("--agent", into.agent, "Who talks")->capture_default_str()->type_name("AGENT");
    dial->add_option_function<std::string>(
            "--hang-up-after",
            [&](const std::string& text) {
                into.hang_up_after = parse_duration(text);
                if (!into.hang_up_after) {
                    throw CLI::ValidationError{"--hang-up-after",
                                               "write a duration with its unit, as 10s or 500ms"};
                }
            },
            "Hang up so long after dialling, as 10s")
        ->type_name("DURATION");
    return dial;
}

CLI::App* add_token(CLI::App& program, token_options& into) {
    auto* const token =
        program.add_subcommand("token", "Make, list or revoke bearer tokens for REST");
    token->fallthrough();
    auto* const name =
        token->add_option("--name", into.name, "What the new token is called")->type_name("NAME");
    auto* const list = token->add_flag("--list", into.list, "List the tokens by name");
    auto* const revoke =
        token->add_option("--revoke", into.revoke, "Make a token worthless")->type_name("NAME");
    name->excludes(list)->excludes(revoke);
    list->excludes(revoke);
    return token;
}

/// The log has a thread of its own and drops the oldest lines before it makes a shard wait.
void open_log(const std::string& level) {
    spdlog::init_thread_pool(8'192, 1);
    auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    auto log =
        std::make_shared<spdlog::async_logger>("softswitch", std::move(sink), spdlog::thread_pool(),
                                               spdlog::async_overflow_policy::overrun_oldest);
    log->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
    log->set_level(spdlog::level::from_str(level));
    log->flush_on(spdlog::level::info);
    spdlog::set_default_logger(std::move(log));
}

/// `tokens` is null when it is not about them.
[[nodiscard]] outcome run(const options& how, bool dialling, const token_options* tokens) {
    auto loaded = load_configuration(how.config);
    if (!loaded) {
        for (const auto& one : loaded.reason()) {
            fmt::print(stderr, "{}\n", to_text(one, how.config));
        }
        return outcome::usage;
    }
    if (how.trace && !ladder{*how.trace, loaded->trunks}.means_something()) {
        fmt::print(stderr, "--trace: `{}` is neither a trunk of {} nor a number\n",
                   printable(*how.trace), how.config.string());
        return outcome::usage;
    }
    if (how.check) return static_cast<outcome>(check(*loaded, how.config));
    if (tokens != nullptr) return static_cast<outcome>(token(*loaded, *tokens));
    signals::block();
    open_log(!how.log_level.empty() ? how.log_level : dialling ? "warning" : "info");
    const auto ended = dialling ? dial(std::move(*loaded), how) : serve(*loaded, how);
    spdlog::shutdown();
    return ended;
}

} // namespace

int main(int argc, char** argv) {
    options how;
    CLI::App program;
    add_options(program, how);
    const auto* const dialling = add_dial(program, how);
    token_options tokens;
    const auto* const about_tokens = add_token(program, tokens);
    program.require_subcommand(0, 1);
    try {
        program.parse(argc, argv);
    } catch (const CLI::ParseError& wrong) {
        // --help and --version come by here, too.
        return program.exit(wrong) == 0 ? 0 : static_cast<int>(outcome::usage);
    }
    try {
        return static_cast<int>(
            run(how, dialling->parsed(), about_tokens->parsed() ? &tokens : nullptr));
    } catch (const std::exception& failed) {
        spdlog::shutdown();
        fmt::print(stderr, "softswitch: {}\n", failed.what());
        return static_cast<int>(outcome::usage);
    }
}
