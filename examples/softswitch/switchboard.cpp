#include "switchboard.hpp"

#include <cstdio>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <trunkline/core/text.hpp>
#include <trunkline/net/clock.hpp>

#include "calls/office.hpp"
#include "signals.hpp"
#include "text.hpp"

namespace softswitch {

namespace {

[[nodiscard]] std::string calls_text(std::size_t count) {
    return fmt::format("{} call{}", count, count == 1 ? "" : "s");
}

} // namespace

switchboard::switchboard(const configuration& of, const options& how)
    : of_{of},
      how_{how},
      records_{how.cdr, files_},
      hub_{of.sockets, io_},
      reception_{of.agents, files_,
                 [this](std::chrono::milliseconds delay, std::function<void()> what) {
                     io_.after(delay, std::move(what));
                 },
                 hub_, calls_} {
    if (how.trace) ladder_ = std::make_shared<ladder>(*how.trace, of.trunks);
}

switchboard::~switchboard() {
    // Whoever is still being fetched would be given to a manager that is no more.
    io_.stop();
    manager_.reset();
}

trunkline::manager_config switchboard::manager_config() {
    auto made = of_.manager;
    made.on_incoming = [this](trunkline::incoming_call& call) { reception_.incoming(call); };
    made.on_record = [this](const trunkline::call_record& record) { write(record); };
    made.on_note = [this](const trunkline::effects::note& note) {
        notes_.write(note, note_log::clock::now());
    };
    made.on_login_refused = [](const trunkline::login_refusal& refused) {
        spdlog::warn("{}", in_words(refused));
    };
    made.on_registration = [this](const trunkline::registration_status& how) {
        registered_.write(how);
    };
    if (ladder_) {
        made.tap = [this](const trunkline::net::wire_tap_record& what) { trace(what); };
    }
    return made;
}

bool switchboard::open(trunkline::manager_config wanted) {
    std::string at;
    for (const auto& one : wanted.listen) at += (at.empty() ? "" : ", ") + one.at;
    try {
        manager_ = std::make_unique<trunkline::trunk_manager>(std::move(wanted));
    } catch (const std::system_error& failed) {
        if (failed.code() == std::errc::address_in_use) {
            spdlog::error("{} is taken: is another softswitch running? ({})", at, failed.what());
        } else {
            spdlog::error("cannot open {}: {}", at, failed.what());
        }
        return false;
    } catch (const std::invalid_argument& wrong) {
        spdlog::error("{}", wrong.what());
        return false;
    }
    bool good = true;
    for (std::size_t i = 0; i < of_.trunks.size(); ++i) {
        const auto added = manager_->add_trunk(of_.trunks[i]);
        if (added) continue;
        spdlog::error("{}", to_text(of_.explain(i, added.reason()), how_.config));
        good = false;
    }
    return good;
}

void switchboard::write(const trunkline::call_record& record) {
    const auto id = calls_.ended(record, trunkline::trunk_manager::to_unix(trunkline::net::now()));
    records_.write(record, id);
    notes_.write(record, note_log::clock::now());
}

void switchboard::settle() {
    constexpr std::chrono::milliseconds step{10};
    for (auto waited = step; hub_.lines() != 0 && waited < std::chrono::seconds{1};
         waited += step) {
        std::this_thread::sleep_for(step);
    }
}

void switchboard::trace(const trunkline::net::wire_tap_record& what) {
    // A shard only copies. Parsing, masking and a slow terminal are for the thread that may wait.
    tapped kept{what.at, what.outgoing, what.info.local, what.info.peer,
                std::string{trunkline::as_text(what.bytes)}};
    files_.post([drawer = ladder_, kept = std::move(kept)] {
        const auto drawn = drawer->draw(kept);
        std::fwrite(drawn.data(), 1, drawn.size(), stderr);
    });
}

outcome serve(const configuration& of, const options& how) {
    switchboard board{of, how};
    if (!board.open(board.manager_config())) return outcome::usage;
    auto& manager = board.manager();
    for (std::size_t i = 0; i < of.manager.listen.size(); ++i) {
        spdlog::info("listening on udp:{}", trunkline::to_text(manager.listening(i)));
    }
    const signals ends{[&](int count) {
        if (count == 1) {
            spdlog::info("draining: {} may take up to {} to end; a second signal ends them now",
                         calls_text(manager.calls()), seconds_text(of.drain));
            manager.drain(of.drain);
        } else if (count == 2) {
            spdlog::info("ending {} now", calls_text(manager.calls()));
            manager.drain(std::chrono::milliseconds{0});
        } else {
            manager.stop();
        }
    }};
    const auto commanded = office::open(of, board);
    if (commanded == nullptr) return outcome::usage;
    manager.run();
    board.settle();
    if (const auto lost = board.files().take_refused(); lost != 0) {
        spdlog::error("{} pieces of work for the disk were dropped", lost);
    }
    spdlog::info("ended");
    return outcome::good;
}

} // namespace softswitch
