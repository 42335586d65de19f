#include <trunkline/trunk/dialog_peers.hpp>

#include <algorithm>
#include <string>

#include <trunkline/core/text.hpp>
#include <trunkline/sip/name_addr.hpp>
#include <trunkline/sip/uri.hpp>

namespace trunkline::trunks {

namespace {

/// Where a URI leads to: an maddr overrides its host (RFC 3261 section 19.1.1).
[[nodiscard]] std::string_view host_of(const sip::uri_view& uri) {
    return uri.parameter("maddr").value_or(uri.host);
}

template <class Visitor> // (const sip::uri_view&): true goes on.
void each_hop(const sip::dialog& within, Visitor visit) {
    const auto target = sip::uri_view::parse(within.remote_target());
    if (target && target->is_sip() && !visit(*target)) return;
    for (const auto& route : within.routes()) {
        const auto hop = sip::name_addr_view::parse(route);
        if (hop && hop->uri.is_sip() && !visit(hop->uri)) return;
    }
}

[[nodiscard]] transport transport_of(const sip::uri_view& uri) {
    const auto wanted = uri.parameter("transport").value_or("");
    if (uri.scheme == sip::uri_view::scheme_kind::sips || iequals(wanted, "tls")) {
        return transport::tls;
    }
    return iequals(wanted, "tcp") ? transport::tcp : transport::udp;
}

} // namespace

void dialog_peers::answered_from(const address& source) {
    if (source == hop_ || sources_.size() == most_sources) return;
    if (std::ranges::find(sources_, source) == sources_.end()) sources_.push_back(source);
}

/// What is under way from the place that it left is still heard.
void dialog_peers::move_to(const address& source) {
    if (source == hop_) return;
    if (sources_.size() == most_sources) sources_.erase(sources_.begin());
    sources_.push_back(hop_);
    hop_ = source;
}

dialog_peers::verdict dialog_peers::judge(const flow_info& from, const sip::dialog& within) const {
    if (secure_ && from.transport != transport::tls) return verdict::insecure;
    const auto& source = from.peer.address;
    if (source == hop_ || std::ranges::find(sources_, source) != sources_.end()) {
        return verdict::peer;
    }
    bool named = false;
    each_hop(within, [&](const sip::uri_view& uri) {
        const auto literal = address::parse(host_of(uri));
        named = literal && *literal == source;
        return !named;
    });
    return named ? verdict::peer : verdict::unknown;
}

dialog_peers::verdict dialog_peers::judge_cancel(const flow_info& from) const {
    if (secure_ && from.transport != transport::tls) return verdict::insecure;
    return from.peer.address == hop_ ? verdict::peer : verdict::unknown;
}

std::vector<gateway_name> dialog_peers::names_of(const sip::dialog& within) {
    constexpr std::size_t longest = 253; // RFC 1035 section 2.3.4, without the root's label.
    std::vector<gateway_name> found;
    each_hop(within, [&](const sip::uri_view& uri) {
        const auto host = host_of(uri);
        if (host.empty() || host.size() > longest || address::parse(host)) return true;
        gateway_name name{std::string{host}, uri.has_port ? uri.port : std::uint16_t{0},
                          transport_of(uri)};
        std::ranges::transform(name.host, name.host.begin(), to_lower);
        if (std::ranges::find(found, name) == found.end()) found.push_back(std::move(name));
        return found.size() < most_names;
    });
    return found;
}

bool dialog_peers::first_refusal(const address& source) {
    if (refused_.size() == most_refused) return false;
    if (std::ranges::find(refused_, source) != refused_.end()) return false;
    refused_.push_back(source);
    return true;
}

} // namespace trunkline::trunks
