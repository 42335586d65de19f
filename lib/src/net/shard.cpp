#include <trunkline/net/shard.hpp>

#include <array>
#include <optional>
#include <utility>
#include <variant>

#include <trunkline/core/assert.hpp>
#include <trunkline/net/clock.hpp>
#include <trunkline/net/system_entropy.hpp>

#include "listeners_state.hpp"
#include "machine_host.hpp"
#include "mailbox.hpp"
#include "media_loop.hpp"
#include "poller.hpp"
#include "resolver.hpp"
#include "signalling.hpp"
#include "streams.hpp"

namespace trunkline::net {

namespace {

// How often callbacks may be answered by more callbacks before sockets have their turn again.
constexpr int max_rounds = 4;

// Of other threads' commands, for the same reason.
constexpr std::size_t commands_a_turn = 256;

/// Who is meant by an event: the upper half of its mark. The lower half is theirs.
enum class source : std::uint64_t { alarm, commands, media, signalling, streams, names };

[[nodiscard]] constexpr std::uint64_t mark(source whose) noexcept {
    return static_cast<std::uint64_t>(whose) << 32;
}

} // namespace

struct shard::impl {
    explicit impl(shard_config given) : config{std::move(given)} {
        if (!config.listeners) config.listeners = std::make_shared<net::listeners>();
        TRUNKLINE_ASSERT(config.index < config.listeners->shards());
    }

    [[nodiscard]] std::error_code open(listeners_state& shared);
    void turn(bool block);
    void run_commands();
    void finish();
    void settle();
    void arm();

    [[nodiscard]] bool unsettled() noexcept {
        return !host.out().empty() || !host.answers.empty() || names.has_answers();
    }

    // What the pump asks of its driver.
    void flush(const outbox& full, time_point at);
    void act(const effect& what, time_point at);
    void deliver(const effects::event& what, time_point at) {
        host.driven->deliver(what, at, host.out());
    }
    void deliver(const effects::note& what) { host.driven->deliver(what); }
    [[nodiscard]] const input* next_answer();
    void receive(const input& answer, time_point at) { host.receive(answer, at); }

    shard_config config;
    machine_host host;
    system_entropy dice;
    poller poller_; // Before all that is watched in it.
    alarm_clock alarm;
    mailbox commands{max_commands};
    std::vector<command> running; ///< Taken from the mailbox,
    std::size_t ran = 0;          ///< and run up to here.
    std::optional<media_loop> media;
    std::optional<signalling> sip;
    std::optional<net::streams> streams;
    resolver names;
    std::size_t answered = 0;            ///< Of host.answers, how many were received.
    std::vector<resolver::answer> named; ///< What views in host.answers point to.
    bool closing = false;
    bool stopped = false;
};

std::error_code shard::impl::open(listeners_state& shared) {
    const auto ports = config.media_ports.share(config.index, shared.shards);
    media.emplace(host, ports, dice);
    sip.emplace(host, shared, config, siphash_key::draw(dice));
    streams.emplace(host, shared, config);
    auto failed = poller_.open();
    if (!failed) failed = alarm.open();
    if (!failed) failed = commands.open();
    if (!failed) failed = media->open();
    if (!failed) failed = poller_.watch(alarm.fd(), mark(source::alarm));
    if (!failed) failed = poller_.watch(commands.fd(), mark(source::commands));
    if (!failed) failed = poller_.watch(media->fd(), mark(source::media));
    if (!failed) failed = sip->open(poller_, mark(source::signalling));
    if (!failed) failed = streams->open(poller_, mark(source::streams));
    if (!failed) {
        failed = names.open(poller_, mark(source::names), config.dns_servers, config.hosts_path);
    }
    if (!failed) arm();
    return failed;
}

/// Media first: it is what anybody hears. Everything is level-triggered, so what one turn leaves is
/// found by the next.
void shard::impl::turn(bool block) {
    std::array<epoll_event, 64> room;
    bool rang = false, commanded = false, heard = false;
    for (const auto& event : poller_.wait(room, block)) {
        const auto detail = static_cast<std::uint32_t>(event.data.u64);
        switch (static_cast<source>(event.data.u64 >> 32)) {
        case source::alarm: rang = true; break;
        case source::commands: commanded = true; break;
        case source::media: heard = true; break;
        case source::signalling: sip->ready(detail, event.events); break;
        case source::streams: streams->ready(detail, event.events); break;
        case source::names: names.ready(static_cast<int>(detail), event.events); break;
        }
    }
    if (heard) {
        media->wake();
        for (bool more = true; more;) {
            more = media->receive(now());
            settle();
        }
    }
    if (rang) {
        alarm.rang();
        const auto at = now();
        host.driven->tick(at, host.out());
        sip->tick(at);
        streams->tick(at);
        names.tick(at);
        settle();
    }
    if (commanded) run_commands();
    sip->receive(now());
    streams->receive(now());
    settle();
    if (closing) return finish();
    arm();
}

void shard::impl::run_commands() {
    if (ran == running.size()) {
        running.clear();
        ran = 0;
        closing = commands.take(running);
    }
    const auto at = now();
    for (std::size_t i = 0; i < commands_a_turn && ran < running.size(); ++i) {
        running[ran](at, host.out());
        running[ran] = {}; // What it carried goes now, not when all others are done.
        ++ran;
    }
    settle();
    if (ran < running.size()) commands.remind();
}

/// The mailbox takes nothing any more, so this ends.
void shard::impl::finish() {
    while (ran < running.size()) run_commands();
    media->send_all(host.out());
    sip->send_all(host.out());
    streams->send_all(host.out());
    stopped = true;
}

/// Each round has its own time: callbacks may take long.
void shard::impl::settle() {
    for (int round = 0; round < max_rounds && unsettled(); ++round) {
        static_cast<void>(host.pump.settle(*this, now(), 1));
    }
    if (unsettled()) commands.remind();
}

void shard::impl::flush(const outbox& full, time_point) {
    media->send_all(full);
    sip->send_all(full);
    streams->send_all(full);
}

void shard::impl::act(const effect& what, time_point at) {
    if (const auto* flow = std::get_if<effects::connect>(&what)) {
        if (flow->transport == transport::udp)
            sip->act_on(*flow, at);
        else
            streams->act_on(*flow, at);
    } else if (const auto* gone = std::get_if<effects::close>(&what)) {
        sip->act_on(*gone);
        streams->act_on(*gone, at);
    } else if (const auto* worth = std::get_if<effects::regard>(&what)) {
        streams->act_on(*worth);
    } else if (const auto* name = std::get_if<effects::resolve>(&what)) {
        names.act_on(*name, at);
    } else if (const auto* ports = std::get_if<effects::open_media>(&what)) {
        media->act_on(*ports, at);
    } else if (const auto* ended = std::get_if<effects::close_media>(&what)) {
        media->act_on(*ended, at);
    }
}

const input* shard::impl::next_answer() {
    if (names.has_answers()) {
        names.take(named);
        for (const auto& one : named) {
            host.answers.push_back(inputs::resolved{one.asked, one.message, one.hosts});
        }
    }
    if (answered < host.answers.size()) return &host.answers[answered++];
    host.answers.clear();
    host.words.clear();
    answered = 0;
    return nullptr;
}

void shard::impl::arm() {
    auto next = host.driven->next_deadline();
    next = earliest(next, sip->next_deadline());
    next = earliest(next, streams->next_deadline());
    next = earliest(next, names.next_deadline());
    if (next) alarm.ring_by(*next);
}

shard::shard(shard_config config) : impl_{std::make_unique<impl>(std::move(config))} {}
shard::~shard() = default;

std::error_code shard::open(machine& driven) {
    TRUNKLINE_ASSERT(impl_->host.driven == nullptr);
    impl_->host.driven = &driven;
    return impl_->open(*impl_->config.listeners->state_);
}

void shard::run() noexcept {
    while (!impl_->stopped) impl_->turn(true);
}

void shard::stop() noexcept {
    impl_->commands.close();
}

int shard::fd() const noexcept {
    return impl_->poller_.fd();
}

bool shard::poll() noexcept {
    if (!impl_->stopped) impl_->turn(false);
    return !impl_->stopped;
}

bool shard::post(command what) {
    return impl_->commands.post(std::move(what));
}

endpoint shard::local(listener_id which) const {
    return impl_->config.listeners->local(which);
}

std::size_t shard::free_media_ports() const noexcept {
    return impl_->media ? impl_->media->free_ports() : 0;
}

const shard_counters& shard::counted() const noexcept {
    return impl_->host.counted;
}

} // namespace trunkline::net
