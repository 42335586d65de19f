#include "tls_names.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <string>

#include <openssl/x509v3.h>

#include <trunkline/core/address.hpp>
#include <trunkline/core/text.hpp>

namespace trunkline::net {

namespace {

[[nodiscard]] std::string_view text_of(const ASN1_STRING* from) {
    return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(from)),
            static_cast<std::size_t>(ASN1_STRING_length(from))};
}

[[nodiscard]] bool same_host(std::string_view shown, std::string_view wanted, bool wildcards) {
    // Nobody vouched for what stands behind a NUL.
    if (shown.find('\0') != std::string_view::npos) return false;
    if (iequals(shown, wanted)) return true;
    if (!wildcards || !shown.starts_with("*.")) return false;
    const auto dot = wanted.find('.');
    const auto domain = shown.substr(1);
    // "*.net" would be for half the world.
    return dot != 0 && dot != std::string_view::npos &&
           domain.find('.', 1) != std::string_view::npos && iequals(domain, wanted.substr(dot));
}

/// The host of "sip:example.net"; nothing for a URI of a user, who is no domain (section 7.1).
[[nodiscard]] std::optional<std::string_view> domain_of(std::string_view uri) {
    constexpr std::string_view scheme = "sip:";
    if (!iequals(uri.substr(0, scheme.size()), scheme)) return std::nullopt;
    uri.remove_prefix(scheme.size());
    if (uri.find('@') != std::string_view::npos) return std::nullopt;
    return uri.substr(0, uri.find_first_of(":;?"));
}

[[nodiscard]] bool same_address(const ASN1_STRING* shown, const address& wanted) {
    const auto bytes = text_of(shown);
    const auto* ours = reinterpret_cast<const char*>(wanted.bytes.data());
    const std::size_t skipped = wanted.is_v4() ? 12 : 0;
    return bytes.size() == wanted.bytes.size() - skipped &&
           std::memcmp(bytes.data(), ours + skipped, bytes.size()) == 0;
}

[[nodiscard]] bool common_name_is(X509* shown, std::string_view host, bool wildcards) {
    auto* subject = X509_get_subject_name(shown);
    const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at < 0) return false;
    const auto* value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
    return same_host(text_of(value), host, wildcards);
}

} // namespace

bool certificate_is_for(X509* shown, std::string_view host, bool wildcards) {
    while (host.ends_with('.')) host.remove_suffix(1);
    if (host.empty()) return false;
    const auto literal = address::parse(host);
    // No octet of an address is a label, and no name stands for an address.
    if (literal) wildcards = false;
    int how_many = -1;
    const std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)> names{
        static_cast<GENERAL_NAMES*>(
            X509_get_ext_d2i(shown, NID_subject_alt_name, &how_many, nullptr)),
        GENERAL_NAMES_free};
    bool by_uri = false;
    bool by_name = false;
    bool uri_fits = false;
    bool name_fits = false;
    for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
        const auto* one = sk_GENERAL_NAME_value(names.get(), i);
        if (one->type == GEN_URI) {
            const auto domain = domain_of(text_of(one->d.uniformResourceIdentifier));
            if (!domain) continue;
            by_uri = true;
            uri_fits = uri_fits || same_host(*domain, host, wildcards);
        } else if (one->type == GEN_DNS) {
            by_name = true;
            name_fits =
                name_fits || (!literal && same_host(text_of(one->d.dNSName), host, wildcards));
        } else if (one->type == GEN_IPADD) {
            by_name = true;
            name_fits = name_fits || (literal && same_address(one->d.iPAddress, *literal));
        }
    }
    if (by_uri && !literal) return uri_fits;
    if (by_name || by_uri) return name_fits || uri_fits;
    // Only without any alternative name (RFC 5922 section 7.1): one of mail addresses names nobody.
    constexpr int absent = -1;
    return names == nullptr && how_many == absent && common_name_is(shown, host, wildcards);
}

} // namespace trunkline::net
