#include "called.hpp"

#include <trunkline/core/text.hpp>
#include <trunkline/sip/name_addr.hpp>

namespace trunkline::trunks {

bool by_contact(const sip::message_view& request, const trunk& on) {
    return !on.contact_user.empty() && request.request_uri().user == on.contact_user;
}

std::string_view called_user(const sip::message_view& request, const trunk& on) {
    if (!by_contact(request, on)) return sip::subscriber(request.request_uri());
    for (const auto& field : request.fields()) {
        if (field.id != sip::header::other || !iequals(field.name, "P-Called-Party-ID")) continue;
        const auto party = sip::name_addr_view::parse(field.value);
        if (party && !party->uri.user.empty()) return sip::subscriber(party->uri);
    }
    return sip::subscriber(request.to().uri);
}

} // namespace trunkline::trunks
