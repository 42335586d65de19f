#include <trunkline/sim/world.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>
#include <variant>

#include <trunkline/core/text.hpp>
#include <trunkline/trunk/call_rate.hpp>
#include <trunkline/trunk/channels.hpp>

namespace trunkline::sim {

host::host(world& around, const endpoint& at, trunks::engine_config config, std::uint64_t seed)
    : world_{around},
      at_{at},
      random_{seed},
      engine_{std::make_unique<trunks::engine>(std::move(config), random_)} {}

void host::run(const std::function<void(trunks::engine&, time_point, outbox&)>& command) {
    command(*engine_, world_.now(), pump_.out());
    settle();
}

void host::set_trunks(std::vector<trunk_config> configs) {
    trunks::directory made;
    for (auto& config : configs) {
        const trunk_id id{static_cast<std::uint32_t>(made.size() + 1)};
        auto channels = std::make_shared<local_channels>(config.channels);
        auto rate = std::make_shared<local_call_rate>(config.calls_per_second);
        auto compiled =
            trunks::compile(id, std::move(config), {}, std::move(channels), std::move(rate));
        if (!compiled) {
            throw std::invalid_argument{compiled.reason().field + ": " + compiled.reason().message};
        }
        made.push_back(*std::move(compiled));
    }
    run([&](trunks::engine& engine, time_point now, outbox& out) {
        engine.set_directory(std::make_shared<const trunks::directory>(std::move(made)), now, out);
    });
}

void host::receive(const endpoint& from, const endpoint& to, std::vector<std::byte>& bytes) {
    auto& out = pump_.out();
    if (to.port == at_.port) {
        auto known = std::ranges::find(flows_, from, &flow::peer);
        const auto slot = static_cast<std::uint32_t>(known - flows_.begin());
        const flow_id id{slot, 1};
        if (known == flows_.end()) {
            flows_.push_back({from});
            const flow_info info{transport::udp, listener_id{}, at_, from};
            engine_->receive(inputs::flow_up{id, info}, world_.now(), out);
        }
        engine_->receive(inputs::packet{id, bytes}, world_.now(), out);
    } else {
        for (std::size_t i = 0; i < media_.size(); ++i) {
            const bool rtcp = media_[i].port + 1 == to.port;
            if (!media_[i].open || (media_[i].port != to.port && !rtcp)) continue;
            const media_id id{static_cast<std::uint32_t>(i), 1};
            engine_->receive(inputs::media_packet{id, media_[i].owner, from, rtcp, bytes},
                             world_.now(), out);
        }
    }
    settle();
}

/// Until nothing is left: nothing here answers itself for ever.
void host::settle() {
    while (!pump_.settle(*this, world_.now())) {
    }
}

void host::flush(const outbox& full, time_point) {
    for (const auto& what : full) {
        if (const auto* send = std::get_if<effects::send>(&what)) {
            if (send->flow.slot < flows_.size()) {
                world_.send(at_, flows_[send->flow.slot].peer, send->bytes);
            }
        } else if (const auto* rtp = std::get_if<effects::send_media>(&what)) {
            const auto port =
                static_cast<std::uint16_t>(media_[rtp->media.slot].port + (rtp->rtcp ? 1 : 0));
            world_.send({at_.address, port}, rtp->to, rtp->bytes);
        }
    }
}

void host::deliver(const effects::event& what, time_point now) {
    engine_->deliver(what, now, pump_.out());
}

void host::deliver(const effects::note& what) {
    engine_->deliver(what);
}

void host::act(const effect& what, time_point) {
    if (const auto* connect = std::get_if<effects::connect>(&what)) {
        const auto known = std::ranges::find(flows_, connect->to, &flow::peer);
        const auto slot = static_cast<std::uint32_t>(known - flows_.begin());
        if (known == flows_.end()) flows_.push_back({connect->to});
        const flow_info info{transport::udp, listener_id{}, at_, connect->to};
        answers_.push_back(inputs::flow_up{{slot, 1}, info, connect->asked});
    } else if (const auto* open = std::get_if<effects::open_media>(&what)) {
        const media_id id{static_cast<std::uint32_t>(media_.size()), 1};
        media_.push_back({open->owner, next_port_, true});
        const auto port = std::exchange(next_port_, static_cast<std::uint16_t>(next_port_ + 2));
        answers_.push_back(
            inputs::media_opened{open->asked, id, port, static_cast<std::uint16_t>(port + 1)});
    } else if (const auto* close = std::get_if<effects::close_media>(&what)) {
        media_[close->media.slot].open = false;
    } else if (const auto* name = std::get_if<effects::resolve>(&what)) {
        answers_.push_back(inputs::resolved{name->asked, {}, {}}); // There is no name server here.
    }
}

const input* host::next_answer() {
    if (answers_.empty()) return nullptr;
    answer_ = answers_.front();
    answers_.pop_front();
    return &answer_;
}

void host::receive(const input& answer, time_point now) {
    engine_->receive(answer, now, pump_.out());
}

void carrier::say(std::string_view text, const endpoint& to) {
    world_.send(at_, to, as_bytes(text));
}

host& world::add_host(const endpoint& at, trunks::engine_config config) {
    hosts_.push_back(
        std::unique_ptr<host>{new host{*this, at, std::move(config), random_.number()}});
    return *hosts_.back();
}

carrier& world::add_carrier(const endpoint& at, carrier::script what) {
    carriers_.push_back(std::unique_ptr<carrier>{new carrier{*this, at, std::move(what)}});
    return *carriers_.back();
}

void world::send(const endpoint& from, const endpoint& to, std::span<const std::byte> bytes) {
    const auto happens = [this](double chance) {
        return static_cast<double>(random_.below(1'000'000)) < chance * 1'000'000;
    };
    const int copies = happens(weather_.doubled) ? 2 : 1;
    for (int i = 0; i < copies; ++i) {
        if (happens(weather_.loss)) continue;
        auto due = now_ + weather_.delay;
        if (weather_.jitter > duration{}) {
            due += duration{static_cast<std::int64_t>(
                random_.below(static_cast<std::uint64_t>(weather_.jitter.count())))};
        }
        under_way_.emplace(due, datagram{from, to, {bytes.begin(), bytes.end()}});
    }
}

void world::deliver(datagram what) {
    for (auto& each : hosts_) {
        if (each->at().address == what.to.address)
            return each->receive(what.from, what.to, what.bytes);
    }
    for (auto& each : carriers_) {
        if (each->at() != what.to) continue;
        each->heard.emplace_back(as_text(what.bytes));
        return each->script_(*each, each->heard.back(), what.from);
    }
}

bool world::run_until(const std::function<bool()>& reached, duration most) {
    const auto end = now_ + most;
    while (!reached()) {
        std::optional<time_point> next;
        if (!under_way_.empty()) next = under_way_.begin()->first;
        for (auto& each : hosts_) next = earliest(next, each->engine_->next_deadline());
        if (!next || *next > end) {
            now_ = end;
            return reached();
        }
        now_ = std::max(now_, *next);
        while (!under_way_.empty() && under_way_.begin()->first <= now_) {
            auto first = under_way_.extract(under_way_.begin());
            deliver(std::move(first.mapped()));
        }
        for (auto& each : hosts_) {
            each->engine_->tick(now_, each->pump_.out());
            each->settle();
        }
    }
    return true;
}

} // namespace trunkline::sim
