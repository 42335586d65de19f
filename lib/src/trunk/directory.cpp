#include <trunkline/trunk/directory.hpp>

#include <algorithm>
#include <string_view>
#include <unordered_set>
#include <utility>

#include <trunkline/core/text.hpp>
#include <trunkline/crypto/hash.hpp>
#include <trunkline/sip/grammar.hpp>
#include <trunkline/sip/uri.hpp>
#include <trunkline/trunk/dialling_guard.hpp>

namespace trunkline::trunks {

namespace {

[[nodiscard]] config_error wrong(std::string field, std::string rule, std::string message) {
    return {std::move(field), std::move(rule), std::move(message)};
}

[[nodiscard]] std::string at(std::string_view list, std::size_t index) {
    return std::string{list} + '[' + std::to_string(index) + ']';
}

[[nodiscard]] bool is_host(std::string_view text) {
    if (text.empty() || text.size() > 255) return false;
    if (address::parse(text)) return true;
    return sip::grammar::all(text, sip::grammar::set::host) && text.front() != '.' &&
           text.front() != '-';
}

[[nodiscard]] bool printable(std::string_view text) {
    return std::ranges::all_of(text, [](char c) {
        return static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) != 0x7f;
    });
}

/// Between quotes, as it stands.
[[nodiscard]] bool quotable(std::string_view text) {
    return printable(text) && text.find_first_of("\"\\") == std::string_view::npos;
}

[[nodiscard]] std::string_view without_plus(std::string_view number) {
    return number.starts_with('+') ? number.substr(1) : number;
}

[[nodiscard]] std::optional<config_error> check_credentials(const std::optional<userpass>& who,
                                                            const std::string& field) {
    if (!who) return std::nullopt;
    if (who->username.empty()) {
        return wrong(field + ".username", "required", "a user name is needed beside a password");
    }
    for (const auto& [text, part] :
         {std::pair{&who->username, ".username"}, {&who->realm, ".realm"}}) {
        if (!quotable(*text)) {
            return wrong(field + part, "characters",
                         "quotes, backslashes and control characters cannot be sent");
        }
    }
    return std::nullopt;
}

/// The trunk's name stands for a realm that is left out, and a trunk may be called by any name.
[[nodiscard]] std::optional<config_error> check_realm(const trunk_config& config) {
    const bool named = config.inbound_auth && config.inbound_auth->realm.empty();
    if (!named || quotable(config.name)) return std::nullopt;
    return wrong(
        "inbound_auth.realm", "required",
        "a realm is needed, as the trunk's name has quotes or backslashes and cannot be one");
}

[[nodiscard]] std::optional<config_error> check_names(const trunk_config& config) {
    if (config.name.empty() || config.name.size() > 100 || !printable(config.name)) {
        return wrong("name", "1 to 100 characters", "a trunk needs a name of 1 to 100 characters");
    }
    if (config.channels < 1 || config.channels > 1000) {
        return wrong("channels", "1 to 1000", "channels has to be between 1 and 1000");
    }
    if (config.calls_per_second < 1 || config.calls_per_second > 100'000) {
        return wrong("calls_per_second", "1 to 100000",
                     "calls_per_second has to be between 1 and 100000");
    }
    if (config.codecs.empty()) return wrong("codecs", "not empty", "a trunk needs a codec");
    for (std::size_t i = 0; i < config.codecs.size(); ++i) {
        const auto before = config.codecs.begin() + static_cast<std::ptrdiff_t>(i);
        if (std::find(config.codecs.begin(), before, config.codecs[i]) != before)
            return wrong(at("codecs", i), "once", "a codec may stand once");
    }
    if (config.gateways.size() > 8) {
        return wrong("gateways", "at most 8", "a trunk has at most 8 gateways");
    }
    for (std::size_t i = 0; i < config.gateways.size(); ++i) {
        if (!is_host(config.gateways[i].host)) {
            return wrong(at("gateways", i) + ".host", "address or name",
                         "'" + config.gateways[i].host + "' is neither an address nor a host name");
        }
    }
    if (!config.tls.server_name.empty() && !is_host(config.tls.server_name)) {
        return wrong("tls.server_name", "address or name",
                     "'" + config.tls.server_name + "' is neither an address nor a host name");
    }
    if (config.gateways.empty() && config.allow_from.empty()) {
        return wrong("gateways", "required",
                     "without gateways and without allow_from no call can come or go");
    }
    return std::nullopt;
}

/// RFC 4028 sections 4 and 5: 90 s is the least that any Min-SE may say.
[[nodiscard]] std::optional<config_error> check_session(const trunk_config& config) {
    using namespace std::chrono_literals;
    if (config.min_se < 90s || config.min_se > 1h) {
        return wrong("min_se", "90 to 3600", "min_se has to be between 90 and 3600 seconds");
    }
    if (config.gateway_timeout < 1ms || config.gateway_timeout > 1h) {
        return wrong("gateway_timeout", "1 ms to 3600 s",
                     "gateway_timeout has to be between 1 ms and 3600 seconds");
    }
    if (config.ringing_timeout < 1s || config.ringing_timeout > longest_ringing) {
        return wrong("ringing_timeout", "1 to 86400",
                     "ringing_timeout has to be between 1 and 86400 seconds");
    }
    const bool asked = config.session_expires != 0s;
    if (asked && (config.session_expires < config.min_se || config.session_expires > 24h)) {
        return wrong("session_expires", "0, or min_se to 86400",
                     "session_expires is 0, for none, or between min_se and 86400 seconds");
    }
    return std::nullopt;
}

[[nodiscard]] std::optional<config_error> check_numbers(const trunk_config& config) {
    std::unordered_set<std::string_view> seen;
    seen.reserve(config.numbers.size());
    for (std::size_t i = 0; i < config.numbers.size(); ++i) {
        const auto& number = config.numbers[i].number;
        if (number.empty() || (number != "*" && sip::telephone_number(number) != number)) {
            return wrong(at("numbers", i), "digits",
                         "'" + number + "' is not a telephone number: digits, with or without +");
        }
        if (!seen.insert(without_plus(number)).second) {
            return wrong(at("numbers", i), "once", "'" + number + "' stands twice");
        }
    }
    if (!config.caller_id.empty() && sip::telephone_number(config.caller_id).empty() &&
        !sip::grammar::all(config.caller_id, sip::grammar::set::token)) {
        return wrong("caller_id", "digits or a name", "caller_id is a number or a SIP user name");
    }
    for (std::size_t i = 0; i < config.headers.size(); ++i) {
        const auto& [name, value] = config.headers[i];
        if (!may_be_sent(name, value)) {
            return wrong(at("headers", i), "ours to set",
                         "'" + name + "' cannot be sent, or is written by the library itself");
        }
    }
    return std::nullopt;
}

[[nodiscard]] std::optional<config_error> check_prefixes(const std::vector<std::string>& prefixes,
                                                         std::string_view field) {
    constexpr std::size_t most = 1'000;
    if (prefixes.size() > most) {
        return wrong(std::string{field}, "at most 1000",
                     std::string{field} + " has at most 1000 prefixes");
    }
    for (std::size_t i = 0; i < prefixes.size(); ++i) {
        if (is_prefix(prefixes[i])) continue;
        return wrong(at(field, i), "1 to 15 digits",
                     "'" + prefixes[i] +
                         "' is not the beginning of a number: 1 to 15 digits, with or without +");
    }
    return std::nullopt;
}

[[nodiscard]] std::optional<config_error> check_registration(const trunk_config& config) {
    if (!config.registration) return std::nullopt;
    constexpr std::chrono::seconds least{60};
    constexpr std::chrono::seconds most{3'600};
    if (config.registration->expires < least || config.registration->expires > most) {
        return wrong("registration.expires", "60 to 3600",
                     "a registration lasts between 60 and 3600 seconds");
    }
    if (!config.auth) {
        return wrong("registration", "auth",
                     "a trunk registers as the user of its auth, and there is none");
    }
    if (config.gateways.empty()) {
        return wrong("registration", "gateways",
                     "a trunk registers with its gateways, and there is none");
    }
    return std::nullopt;
}

/// Opaque, and no secret: it tells trunks apart, and opens nothing to whoever knows it.
[[nodiscard]] std::string contact_user_of(const trunk_config& config) {
    if (!config.registration) return {};
    const auto hash = crypto::hash(crypto::hash_algorithm::sha256,
                                   {"contact\n", config.name, "\n", config.auth->username});
    return "tr" + std::string{hash.view().substr(0, 22)};
}

static_assert(static_cast<int>(prack_policy::required) ==
              static_cast<int>(calls::reliability::required));

[[nodiscard]] std::shared_ptr<const calls::leg_settings> settings_of(const trunk_config& config,
                                                                     std::string_view user_agent) {
    auto made = std::make_shared<calls::leg_settings>();
    made->codecs = {};
    for (const auto codec : config.codecs) {
        if (codec == codec_name::pcmu)
            made->codecs.push_back({0, sdp::encoding::pcmu});
        else
            made->codecs.push_back({8, sdp::encoding::pcma});
    }
    made->symmetry = config.rtp_symmetric;
    made->session = {config.session_expires, config.min_se};
    made->provisionals = static_cast<calls::reliability>(config.prack);
    made->user_agent = user_agent;
    if (config.auth) {
        made->auth_username = config.auth->username;
        made->auth_password = config.auth->password;
        made->auth_realm = config.auth->realm;
    }
    return made;
}

[[nodiscard]] std::optional<config_error> read_networks(const std::vector<std::string>& from,
                                                        std::string_view field,
                                                        std::vector<cidr>& into) {
    for (std::size_t i = 0; i < from.size(); ++i) {
        const auto parsed = cidr::parse(from[i]);
        if (!parsed) {
            return wrong(at(field, i), "address or network",
                         "'" + from[i] +
                             "' is not an address or a network like "
                             "198.51.100.0/24");
        }
        into.push_back(*parsed);
    }
    return {};
}

} // namespace

bool identifies(const std::vector<cidr>& networks, const address& source) noexcept {
    return std::ranges::any_of(
        networks, [&](const cidr& one) { return one.identifies() && one.contains(source); });
}

namespace {

[[nodiscard]] std::string_view digits_of(const did* which) {
    return without_plus(which->number);
}

} // namespace

const did* trunk::find(std::string_view user) const {
    const auto digits = sip::telephone_number(user);
    if (!digits.empty()) {
        const auto wanted = without_plus(digits);
        const auto found = std::ranges::lower_bound(numbers, wanted, {}, digits_of);
        if (found != numbers.end() && digits_of(*found) == wanted) return *found;
    }
    return user.empty() ? nullptr : any_number;
}

void trunk::index_numbers() {
    for (const auto& one : config.numbers) {
        if (one.number == "*")
            any_number = &one;
        else
            numbers.push_back(&one);
    }
    std::ranges::sort(numbers, {}, digits_of);
}

bool may_be_sent(std::string_view name, std::string_view value) {
    if (name.empty() || !sip::grammar::all(name, sip::grammar::set::token) || !printable(value)) {
        return false;
    }
    switch (sip::header_of(name)) {
    case sip::header::other:
    case sip::header::p_asserted_identity:
    case sip::header::privacy:
    case sip::header::diversion:
    case sip::header::identity:
    case sip::header::subject:
    case sip::header::alert_info: return true;
    default: return false;
    }
}

result<std::shared_ptr<const trunk>, config_error>
compile(trunk_id id, trunk_config config, std::string_view user_agent,
        std::shared_ptr<trunkline::channels> channels, std::shared_ptr<call_rate> rate,
        tls_lease tls, std::shared_ptr<trunkline::channels> unproved) {
    if (auto bad = check_names(config)) return *std::move(bad);
    if (auto bad = check_session(config)) return *std::move(bad);
    if (auto bad = check_numbers(config)) return *std::move(bad);
    if (auto bad = check_credentials(config.auth, "auth")) return *std::move(bad);
    if (auto bad = check_credentials(config.inbound_auth, "inbound_auth")) return *std::move(bad);
    if (auto bad = check_realm(config)) return *std::move(bad);
    if (auto bad = check_registration(config)) return *std::move(bad);
    if (auto bad = check_prefixes(config.allow_prefixes, "allow_prefixes")) return *std::move(bad);
    if (config.deny_prefixes) {
        if (auto bad = check_prefixes(*config.deny_prefixes, "deny_prefixes")) {
            return *std::move(bad);
        }
    }
    auto made = std::make_shared<trunk>();
    made->id = id;
    made->tls = std::move(tls);
    made->contact_user = contact_user_of(config);
    if (auto bad = read_networks(config.allow_from, "allow_from", made->allow_from)) {
        return *std::move(bad);
    }
    if (auto bad = read_networks(config.media_from, "media_from", made->media_from)) {
        return *std::move(bad);
    }
    const auto read = [](const std::string& text, std::optional<address>& into) {
        if (text.empty()) return true;
        const auto parsed = address::parse(text);
        if (parsed) into = *parsed;
        return parsed.has_value();
    };
    if (!read(config.media.at, made->media_at)) {
        return wrong("media.at", "address", "'" + config.media.at + "' is not an IP address");
    }
    if (!read(config.media.advertise, made->media_advertise)) {
        return wrong("media.advertise", "address",
                     "'" + config.media.advertise + "' is not an IP address");
    }
    made->gateways = config.gateways;
    for (auto& one : made->gateways) {
        if (!one.transport) one.transport = config.transport;
    }
    std::ranges::stable_sort(made->gateways, {}, &gateway::priority);
    made->settings = settings_of(config, user_agent);
    made->channels = std::move(channels);
    made->rate = std::move(rate);
    made->unproved =
        unproved ? std::move(unproved) : std::make_shared<local_channels>(unproved_streams);
    made->config = std::move(config);
    made->index_numbers();
    return std::shared_ptr<const trunk>{std::move(made)};
}

} // namespace trunkline::trunks
