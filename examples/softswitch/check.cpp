#include "check.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include <trunkline/net/descriptor_limit.hpp>

#include "exposure.hpp"
#include "text.hpp"

namespace softswitch {

namespace {

using trunkline::address;

/// Standard input and output, the log, the listeners and pollers of every shard, a file or two.
constexpr std::size_t other_descriptors = 64;

[[nodiscard]] sockaddr_in6 to_socket_address(const address& what, std::uint16_t port) {
    sockaddr_in6 made{};
    made.sin6_family = AF_INET6;
    made.sin6_port = htons(port);
    std::memcpy(&made.sin6_addr, what.bytes.data(), what.bytes.size());
    return made;
}

[[nodiscard]] address from_socket_address(const sockaddr& from) {
    address made;
    if (from.sa_family == AF_INET) {
        sockaddr_in v4{};
        std::memcpy(&v4, &from, sizeof v4);
        made = address::v4(0, 0, 0, 0);
        std::memcpy(made.bytes.data() + 12, &v4.sin_addr, 4);
    } else {
        sockaddr_in6 v6{};
        std::memcpy(&v6, &from, sizeof v6);
        std::memcpy(made.bytes.data(), &v6.sin6_addr, made.bytes.size());
    }
    return made;
}

/// A socket for both families, which is closed at the end.
struct scratch_socket {
    int file = ::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    scratch_socket() {
        const int off = 0;
        ::setsockopt(file, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    }
    scratch_socket(const scratch_socket&) = delete;
    scratch_socket& operator=(const scratch_socket&) = delete;
    ~scratch_socket() {
        if (file >= 0) ::close(file);
    }
};

[[nodiscard]] std::optional<address> resolve(const std::string& name) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_DGRAM;
    addrinfo* found = nullptr;
    if (::getaddrinfo(name.c_str(), nullptr, &hints, &found) != 0) return std::nullopt;
    const auto first = from_socket_address(*found->ai_addr);
    ::freeaddrinfo(found);
    return first;
}

/// Connecting a datagram socket sends nothing and asks the routing table.
[[nodiscard]] std::optional<address> route(const address& peer) {
    const scratch_socket socket;
    const auto to = to_socket_address(peer, 5060);
    if (::connect(socket.file, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
        return std::nullopt;
    }
    sockaddr_in6 local{};
    socklen_t size = sizeof local;
    auto* const into = reinterpret_cast<sockaddr*>(&local);
    if (::getsockname(socket.file, into, &size) != 0) return std::nullopt;
    return from_socket_address(*into);
}

[[nodiscard]] bool is_ours(const address& what) {
    const scratch_socket socket;
    const auto at = to_socket_address(what, 0);
    return ::bind(socket.file, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0;
}

[[nodiscard]] bool is_public(const address& what) {
    return !what.is_private() && !what.is_loopback() && !what.is_multicast() && !what.is_wildcard();
}

/// What an advertise field or a listener says: an address, with or without a port; none for a name.
[[nodiscard]] std::optional<address> address_in(std::string_view text) {
    if (const auto alone = address::parse(text)) return *alone;
    for (const std::string_view scheme : {"udp:", "tcp:", "tls:"}) {
        if (text.starts_with(scheme)) text.remove_prefix(scheme.size());
    }
    if (const auto with_port = trunkline::endpoint::parse(text)) return with_port->address;
    return std::nullopt;
}

/// What a carrier is told to send to, and the field that can change it.
struct offer {
    std::string_view what;
    std::string_view field;
    std::optional<address> told{}; ///< None when it is a name, which we believe.
};

/// The first that says anything: advertised addresses before bound ones, the trunk's before ours.
[[nodiscard]] std::optional<address> told(std::initializer_list<std::string_view> said,
                                          const std::optional<address>& routed) {
    for (const auto text : said) {
        if (text.empty()) continue;
        const auto read = address_in(text);
        if (!read) return std::nullopt;
        if (!read->is_wildcard()) return read;
    }
    return routed;
}

[[nodiscard]] std::array<offer, 2> offers(const configuration& of,
                                          const trunkline::trunk_config& trunk,
                                          const std::optional<address>& routed) {
    const auto& listener = of.manager.listen.front();
    const auto& ours = of.manager.media;
    // Who is reached for signalling at a public address is reached there for media, too, unless
    // media has an address of its own.
    const bool apart = !trunk.media.at.empty() || !ours.at.empty();
    const auto& named =
        trunk.signalling.advertise.empty() ? listener.advertise : trunk.signalling.advertise;
    const auto shared = apart || !address_in(named) ? std::string_view{} : std::string_view{named};
    return {{{"signalling", "listen.advertise",
              told({trunk.signalling.advertise, listener.advertise, listener.at}, routed)},
             {"media", "media.advertise",
              told({trunk.media.advertise, ours.advertise, shared, trunk.media.at, ours.at,
                    listener.at},
                   routed)}}};
}

void warn_of_gateways(const configuration& of, std::size_t index, const surveyor& world,
                      problems& into) {
    const auto& trunk = of.trunks[index];
    std::array<bool, 2> warned{};
    for (std::size_t i = 0; i < trunk.gateways.size(); ++i) {
        const auto& host = trunk.gateways[i].host;
        const auto field = fmt::format("trunk[{}].gateways[{}]", index, i);
        const auto literal = address::parse(host);
        const auto at = literal ? std::optional{*literal} : world.resolve(host);
        if (!at) {
            into.push_back({of.line_of(field), field,
                            fmt::format("`{}` has no address here; without SRV records in DNS no "
                                        "call will get there",
                                        printable(host))});
            continue;
        }
        if (!is_public(*at)) continue;
        const auto both = offers(of, trunk, world.route(*at));
        for (std::size_t k = 0; k < both.size(); ++k) {
            if (!both[k].told || is_public(*both[k].told) || warned[k]) continue;
            warned[k] = true;
            into.push_back(
                {of.line_of(field), field,
                 fmt::format("{} is on the Internet and would be told to send {} to {}, which it "
                             "cannot reach: set {} to the public address of this machine",
                             printable(host), both[k].what, trunkline::to_text(*both[k].told),
                             both[k].field)});
        }
    }
}

void warn_of_rest(const configuration& of, problems& into) {
    if (!of.rest) return;
    const auto& rest = *of.rest;
    if (!rest.at.address.is_loopback()) {
        into.push_back({of.line_of("rest.at"), "rest.at",
                        "tokens and passwords cross the network in the clear: stay on 127.0.0.1, "
                        "and put a proxy with TLS before it"});
    }
    if (!rest.key_file.empty() && others_may_read(rest.key_file)) {
        into.push_back({of.line_of("rest.key_file"), "rest.key_file",
                        fmt::format("others may read the key: chmod 600 {}",
                                    printable(rest.key_file.string()))});
    }
}

void warn_of_local(const configuration& of, const std::string& field, std::string_view at,
                   const surveyor& world, problems& into) {
    const auto read = address_in(at);
    if (!read || read->is_wildcard() || world.is_ours(*read)) return;
    into.push_back({of.line_of(field), field,
                    fmt::format("{} is no address of this machine; behind NAT, it belongs into "
                                "advertise",
                                trunkline::to_text(*read))});
}

} // namespace

surveyor real_world() {
    return {resolve, route, is_ours};
}

problems warnings(const configuration& of, const surveyor& world) {
    problems found;
    warn_of_rest(of, found);
    for (std::size_t i = 0; i < of.manager.listen.size(); ++i) {
        warn_of_local(of, fmt::format("listen[{}].at", i), of.manager.listen[i].at, world, found);
    }
    warn_of_local(of, "media.at", of.manager.media.at, world, found);
    for (std::size_t i = 0; i < of.trunks.size(); ++i) {
        const auto& trunk = of.trunks[i];
        const auto name = fmt::format("trunk[{}]", i);
        warn_of_local(of, name + ".media.at", trunk.media.at, world, found);
        warn_of_gateways(of, i, world, found);
        if (trunk.inbound && trunk.numbers.empty()) {
            found.push_back({of.line_of(name), name,
                             "has no numbers, so every inbound call gets 404: add them, or \"*\" "
                             "for all, or set inbound = false"});
        }
        for (std::size_t k = 0; k < trunk.numbers.size() && trunk.inbound; ++k) {
            if (!trunk.numbers[k].agent.empty() || !trunk.default_agent.empty()) continue;
            const auto field = fmt::format("{}.numbers[{}]", name, k);
            found.push_back({of.line_of(field), field,
                             "has no agent, and neither has its trunk: calls to it get 404"});
        }
    }
    warn_of_exposure(of, found);
    return found;
}

problems refusals(const configuration& of) {
    auto scratch = of.manager;
    // Not the real ports: a switch with this configuration may be running.
    scratch.listen = {trunkline::listen{}};
    scratch.listen.front().at = "udp:127.0.0.1:0";
    problems found;
    const bool secure = std::ranges::any_of(
        of.manager.listen, [](const auto& one) { return one.at.starts_with("tls:"); });
    if (secure) {
        const auto context = trunkline::net::open_tls_server(of.manager.tls);
        if (!context) {
            const auto field = "tls." + context.reason().field;
            found.push_back({of.line_of(field), field, context.reason().message});
        }
    }
    trunkline::trunk_manager manager{std::move(scratch)};
    for (std::size_t i = 0; i < of.trunks.size(); ++i) {
        const auto added = manager.add_trunk(of.trunks[i]);
        if (!added) found.push_back(of.explain(i, added.reason()));
    }
    return found;
}

std::size_t capacity::calls() const noexcept {
    return std::min({by_descriptors, by_ports, by_limit});
}

capacity capacity_of(const configuration& of, std::size_t descriptors) {
    const auto& ports = of.manager.media_ports;
    const auto first = std::size_t{ports.first} + ports.first % 2;
    const auto last = std::size_t{ports.last} + 1;
    capacity made;
    made.descriptors = descriptors;
    made.by_descriptors =
        descriptors > other_descriptors ? (descriptors - other_descriptors) / 2 : 0;
    made.by_ports = last > first ? (last - first) / 2 : 0;
    made.by_limit = of.manager.max_calls * of.manager.shards;
    for (const auto& trunk : of.trunks) made.channels += trunk.channels;
    return made;
}

std::string in_words(const capacity& what, const configuration& of) {
    auto text = fmt::format("descriptors: {} allow {} calls\nmedia ports: {}-{} allow {} calls\n"
                            "max_calls: {} x {} shard{}\n"
                            "together: {} calls at once; the trunks have {} channel{}\n",
                            what.descriptors, what.by_descriptors, of.manager.media_ports.first,
                            of.manager.media_ports.last, what.by_ports, of.manager.max_calls,
                            of.manager.shards, of.manager.shards == 1 ? "" : "s", what.calls(),
                            what.channels, what.channels == 1 ? "" : "s");
    if (what.channels > what.calls()) {
        const auto* const remedy = what.calls() == what.by_ports ? "widen media.ports"
                                   : what.calls() == what.by_limit
                                       ? "raise max_calls"
                                       : "raise the hard limit (ulimit -Hn, LimitNOFILE=)";
        text += fmt::format("warning: more channels than calls: {}\n", remedy);
    }
    return text;
}

int check(const configuration& of, const std::filesystem::path& file) {
    const auto refused = refusals(of);
    for (const auto& one : refused) fmt::print(stderr, "{}\n", to_text(one, file));
    if (!refused.empty()) return 2;
    for (const auto& one : warnings(of, real_world())) {
        fmt::print("warning: {}\n", to_text(one, file));
    }
    std::size_t numbers = 0;
    for (const auto& trunk : of.trunks) numbers += trunk.numbers.size();
    fmt::print("{}", in_words(capacity_of(of, trunkline::net::raise_descriptor_limit()), of));
    if (of.rest) fmt::print("{}", in_words(*of.rest));
    if (of.webhook) fmt::print("{}", in_words(*of.webhook));
    fmt::print("{}: {} trunk{}, {} number{}: good\n", file.string(), of.trunks.size(),
               of.trunks.size() == 1 ? "" : "s", numbers, numbers == 1 ? "" : "s");
    return 0;
}

} // namespace softswitch
