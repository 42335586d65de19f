#include <trunkline/manager/trunk_manager.hpp>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <mutex>
#include <span>
#include <stdexcept>
#include <thread>
#include <utility>

#include <trunkline/net/clock.hpp>
#include <trunkline/net/descriptor_limit.hpp>
#include <trunkline/sip/identity.hpp>
#include <trunkline/trunk/directory.hpp>

#include "host.hpp"
#include "shared_call_rate.hpp"
#include "shared_channels.hpp"

namespace trunkline {

namespace {

// A connection belongs to one shard, and a request in a call of another one may come by it.
constexpr const char* one_shard = "TCP and TLS need shards = 1, as a connection has one owner";

[[nodiscard]] bool by_stream(const trunk_config& config) {
    const auto is_stream = [](const std::optional<transport>& over) {
        return over && *over != transport::udp;
    };
    return is_stream(config.transport) ||
           std::ranges::any_of(config.gateways,
                               [&](const gateway& one) { return is_stream(one.transport); });
}

[[nodiscard]] bool by_tls(const trunk_config& config) {
    return config.transport == transport::tls ||
           std::ranges::any_of(config.gateways,
                               [](const gateway& one) { return one.transport == transport::tls; });
}

using client_context = std::shared_ptr<const net::tls_context>;

/// What a trunk of TLS speaks it by; nothing for any other.
[[nodiscard]] result<client_context, config_error> client_of(const trunk_config& config,
                                                             const net::tls_settings& ours) {
    if (!by_tls(config)) return client_context{};
    const bool own = !config.tls.certificate.empty();
    auto made =
        net::open_tls_client({.ca = config.tls.ca,
                              .certificate = own ? config.tls.certificate : ours.certificate,
                              .key = own ? config.tls.key : ours.key,
                              .verify = config.tls.verify,
                              .wildcards = config.tls.wildcards});
    if (made) return *std::move(made);
    return config_error{"tls." + made.reason().field, "a PEM file", made.reason().message};
}

[[nodiscard]] net::listener_config parse_listen(const std::string& text) {
    net::listener_config made;
    const auto colon = text.find(':');
    const auto scheme = text.substr(0, colon);
    const bool known = scheme == "udp" || scheme == "tcp" || scheme == "tls";
    const auto at = known && colon != std::string::npos
                        ? endpoint::parse(std::string_view{text}.substr(colon + 1))
                        : result<endpoint>{error{.code = errc::bad_address}};
    if (!at) {
        throw std::invalid_argument{"listen '" + text +
                                    "': expected udp:ADDRESS:PORT, or tcp or tls"};
    }
    if (scheme == "tcp") made.transport = transport::tcp;
    if (scheme == "tls") made.transport = transport::tls;
    made.at = *at;
    return made;
}

[[nodiscard]] trunks::advertised parse_advertise(const std::string& text) {
    if (const auto both = endpoint::parse(text)) return {to_text(both->address), both->port};
    const auto colon = text.rfind(':');
    const bool has_port = colon != std::string::npos && text.find(':') == colon;
    if (!has_port) return {text, 0};
    std::uint16_t port = 0;
    const auto* end = text.data() + text.size();
    const auto [at, failed] = std::from_chars(text.data() + colon + 1, end, port);
    if (failed != std::errc{} || at != end || port == 0 || colon == 0) {
        throw std::invalid_argument{"advertise '" + text + "': expected HOST or HOST:PORT"};
    }
    return {text.substr(0, colon), port};
}

[[nodiscard]] std::optional<address> parse_address(const std::string& text, const char* what) {
    if (text.empty()) return std::nullopt;
    const auto parsed = address::parse(text);
    if (!parsed) {
        throw std::invalid_argument{std::string{what} + " '" + text + "' is not an IP address"};
    }
    return *parsed;
}

/// The way to a shard that handles keep, closed before the shard goes. A task that is turned down
/// dies in here, and what it held may knock once more: hence recursive.
struct door {
    std::recursive_mutex guard;
    host* behind = nullptr;

    bool post(std::function<void(trunks::engine&)> task) {
        const std::lock_guard held{guard};
        if (behind == nullptr) return false;
        return behind->shard().post(
            [to = behind, task = std::move(task)](time_point now, outbox& out) {
                to->engine().run(task, now, out);
            });
    }
    void close() {
        const std::lock_guard held{guard};
        behind = nullptr;
    }
};

} // namespace

struct trunk_manager::impl {
    explicit impl(manager_config wanted);
    impl(const impl&) = delete;
    impl& operator=(const impl&) = delete;
    ~impl() {
        for (const auto& one : doors) one->close();
    }

    void publish();
    /// What is wrong with a trunk for this manager alone.
    [[nodiscard]] std::optional<config_error> wrong_with(const trunk_config& one) const {
        if (config.shards == 1 || !by_stream(one)) return std::nullopt;
        return config_error{"transport", "one shard", one_shard};
    }
    /// As long as the trunk is anybody's: a call that it has left, or its farewell to a registrar.
    [[nodiscard]] trunks::tls_lease lend(client_context context) {
        auto [number, held] = profiles->add(std::move(context));
        return {number, std::move(held)};
    }
    void stop() {
        each([](host& one) { one.shard().stop(); });
    }
    void each(const std::function<void(host&)>& what) {
        for (auto& one : hosts) what(*one);
    }

    manager_config config;
    std::shared_ptr<net::listeners> listeners = std::make_shared<net::listeners>();
    std::vector<std::unique_ptr<host>> hosts;
    std::vector<std::shared_ptr<door>> doors; ///< One for each host.
    std::shared_ptr<net::tls_profiles> profiles = std::make_shared<net::tls_profiles>();
    std::atomic<std::size_t> at_work = 0; ///< Hosts that a drain has not brought to rest.
    std::vector<std::thread> threads;

    std::mutex trunks_guard;
    std::shared_ptr<const trunks::directory> directory =
        std::make_shared<const trunks::directory>();
    std::uint32_t next_trunk = 1;
    std::size_t next_dial = 0;
};

trunk_manager::impl::impl(manager_config wanted) : config{std::move(wanted)} {
    net::raise_descriptor_limit();
    if (config.shards == 0 || config.shards > 64) {
        throw std::invalid_argument{"shards has to be between 1 and 64"};
    }
    const auto [first, last] = std::pair{config.media_ports.first, config.media_ports.last};
    if (first == 0 || first >= last) {
        throw std::invalid_argument{"media_ports: has to be a range of two ports or more, and is " +
                                    std::to_string(first) + " to " + std::to_string(last)};
    }
    if (config.max_calls == 0) throw std::invalid_argument{"max_calls has to be at least 1"};
    const auto shards = config.shards;
    net::listeners_config open;
    std::vector<trunks::advertised> advertised;
    for (const auto& one : config.listen) {
        open.at.push_back(parse_listen(one.at));
        advertised.push_back(parse_advertise(one.advertise));
        advertised.back().over = open.at.back().transport;
        if (advertised.back().over != transport::udp && shards > 1) {
            throw std::invalid_argument{"listen '" + one.at + "': " + one_shard};
        }
    }
    const bool secure = std::ranges::any_of(
        open.at, [](const auto& one) { return one.transport == transport::tls; });
    if (secure) {
        const auto context = net::open_tls_server(config.tls);
        if (!context) {
            throw std::invalid_argument{"tls." + context.reason().field + ": " +
                                        context.reason().message};
        }
        profiles->serve(*context);
    }
    open.shards = shards;
    open.owner_of = [shards](std::span<const std::byte> bytes) {
        const auto owner = sip::owner_of(bytes, shards);
        return owner ? static_cast<int>(*owner) : -1;
    };
    auto at = config.listen.size();
    if (const auto failed = listeners->open(std::move(open), &at)) {
        throw std::system_error{failed, at < config.listen.size()
                                            ? "cannot listen at " + config.listen[at].at
                                            : std::string{"cannot listen"}};
    }
    sip::digest_server::key key{};
    net::system_entropy entropy;
    entropy.fill(key);
    const auto media_at = parse_address(config.media.at, "media.at");
    const auto media_advertise = parse_address(config.media.advertise, "media.advertise");
    at_work = shards;
    auto own_services = config.own_services;
    for (std::size_t i = 0; i < config.listen.size(); ++i) {
        own_services.push_back(listeners->local(listener_id{static_cast<std::uint16_t>(i)}));
    }
    for (std::uint16_t i = 0; i < shards; ++i) {
        trunks::engine_config engine;
        engine.shard = i;
        engine.shards = shards;
        engine.listeners = advertised;
        engine.media_at = media_at;
        engine.media_advertise = media_advertise;
        engine.answer_strangers = config.unknown_source == unknown_source::answer;
        engine.max_calls = config.max_calls;
        engine.user_agent = config.user_agent;
        engine.own_services = own_services;
        engine.digest_key = key;
        engine.wall_clock_offset = duration{net::unix_offset()};
        engine.on_incoming = config.on_incoming;
        engine.on_record = config.on_record;
        engine.on_note = config.on_note;
        engine.on_registration = config.on_registration;
        engine.on_login_refused = config.on_login_refused;
        auto way = doors.emplace_back(std::make_shared<door>());
        engine.mailbox = std::make_shared<const call_handle::mailbox>(
            [way](std::function<void(trunks::engine&)> task) {
                return way->post(std::move(task));
            });
        net::shard_config where;
        where.listeners = listeners;
        where.index = i;
        where.media_ports = config.media_ports;
        where.tap = config.tap;
        where.tls = profiles;
        where.dns_servers = config.dns_servers;
        const auto on_rest = [this] {
            if (at_work.fetch_sub(1) == 1) stop();
        };
        hosts.push_back(std::make_unique<host>(std::move(where), std::move(engine), on_rest));
        auto* made = hosts.back().get();
        if (const auto failed = made->shard().open(*made)) {
            throw std::system_error{failed, "cannot open shard " + std::to_string(i)};
        }
        way->behind = made;
    }
}

void trunk_manager::impl::publish() {
    each([this](host& one) {
        static_cast<void>(
            one.shard().post([&one, now_valid = directory](time_point now, outbox& out) {
                one.engine().set_directory(now_valid, now, out);
            }));
    });
}

trunk_manager::trunk_manager(manager_config config)
    : impl_{std::make_unique<impl>(std::move(config))} {}

trunk_manager::~trunk_manager() {
    stop();
    for (auto& one : impl_->threads) one.join();
}

result<void, config_error> trunk_manager::check(const trunk_config& config) {
    const auto made = trunks::compile(trunk_id{}, config, {}, nullptr, nullptr);
    if (!made) return made.reason();
    const auto context = client_of(config, {});
    if (!context) return context.reason();
    return {};
}

result<trunk_id, config_error> trunk_manager::add_trunk(trunk_config config) {
    const std::lock_guard held{impl_->trunks_guard};
    const auto taken = std::ranges::any_of(
        *impl_->directory, [&](const auto& one) { return one->config.name == config.name; });
    if (taken) {
        return config_error{"name", "unique", "there is a trunk '" + config.name + "' already"};
    }
    if (auto bad = impl_->wrong_with(config)) return *std::move(bad);
    auto context = client_of(config, impl_->config.tls);
    if (!context) return context.reason();
    const trunk_id id{impl_->next_trunk};
    auto channels = std::make_shared<shared_channels>(config.channels);
    auto rate = std::make_shared<shared_call_rate>(config.calls_per_second);
    auto made =
        trunks::compile(id, std::move(config), impl_->config.user_agent, std::move(channels),
                        std::move(rate), impl_->lend(*std::move(context)),
                        std::make_shared<shared_channels>(trunks::unproved_streams));
    if (!made) return made.reason();
    ++impl_->next_trunk;
    auto next = *impl_->directory;
    next.push_back(*std::move(made));
    impl_->directory = std::make_shared<const trunks::directory>(std::move(next));
    impl_->publish();
    return id;
}

result<void, config_error> trunk_manager::replace_trunk(trunk_id which, trunk_config config) {
    const std::lock_guard held{impl_->trunks_guard};
    auto next = *impl_->directory;
    const auto found = std::ranges::find(next, which, [](const auto& one) { return one->id; });
    if (found == next.end()) return config_error{"", "known", "there is no such trunk"};
    for (const auto& one : next) {
        if (one->id == which || one->config.name != config.name) continue;
        return config_error{"name", "unique", "there is a trunk '" + config.name + "' already"};
    }
    if (auto bad = impl_->wrong_with(config)) return *std::move(bad);
    auto context = client_of(config, impl_->config.tls);
    if (!context) return context.reason();
    // Calls in progress hold the ledger, so it goes on, and a change gives nobody a fresh burst.
    const auto ledger = std::static_pointer_cast<shared_channels>((*found)->channels);
    const auto rate = std::static_pointer_cast<shared_call_rate>((*found)->rate);
    const auto most = config.channels;
    const auto per_second = config.calls_per_second;
    auto made = trunks::compile(which, std::move(config), impl_->config.user_agent, ledger, rate,
                                impl_->lend(*std::move(context)), (*found)->unproved);
    if (!made) return made.reason();
    ledger->set_most(most);
    rate->set_per_second(per_second);
    *found = *std::move(made);
    impl_->directory = std::make_shared<const trunks::directory>(std::move(next));
    impl_->publish();
    return {};
}

bool trunk_manager::remove_trunk(trunk_id which) {
    const std::lock_guard held{impl_->trunks_guard};
    auto next = *impl_->directory;
    if (std::erase_if(next, [&](const auto& one) { return one->id == which; }) == 0) return false;
    impl_->directory = std::make_shared<const trunks::directory>(std::move(next));
    impl_->publish();
    return true;
}

void trunk_manager::dial(dial_request what) {
    std::size_t shard = 0;
    {
        const std::lock_guard held{impl_->trunks_guard};
        shard = impl_->next_dial++ % impl_->hosts.size();
    }
    auto& on = *impl_->hosts[shard];
    static_cast<void>(
        on.shard().post([&on, what = std::move(what)](time_point now, outbox& out) mutable {
            on.engine().dial(std::move(what), now, out);
        }));
}

void trunk_manager::run() {
    for (std::size_t i = 1; i < impl_->hosts.size(); ++i) {
        impl_->threads.emplace_back([one = impl_->hosts[i].get()] { one->shard().run(); });
    }
    impl_->hosts.front()->shard().run();
    for (auto& one : impl_->threads) one.join();
    impl_->threads.clear();
}

void trunk_manager::start() {
    for (auto& each : impl_->hosts) {
        impl_->threads.emplace_back([one = each.get()] { one->shard().run(); });
    }
}

void trunk_manager::stop() {
    impl_->stop();
}

void trunk_manager::drain(std::chrono::milliseconds deadline) {
    if (deadline < std::chrono::milliseconds{0}) {
        throw std::invalid_argument{"drain: deadline is negative"};
    }
    impl_->each([deadline](host& one) {
        static_cast<void>(one.shard().post(
            [&one, deadline](time_point now, outbox& out) { one.drain(deadline, now, out); }));
    });
}

endpoint trunk_manager::listening(std::size_t listener) const {
    return impl_->listeners->local(listener_id{static_cast<std::uint16_t>(listener)});
}

std::size_t trunk_manager::calls() const {
    std::size_t sum = 0;
    for (const auto& one : impl_->hosts) sum += one->calls();
    return sum;
}

std::int64_t trunk_manager::to_unix(time_point when) {
    return when.time_since_epoch().count() + net::unix_offset();
}

} // namespace trunkline
