// Which numbers a trunk dials, and as which caller. Configuration, row and guard of a trunk have
// the same names for it.
#pragma once

namespace softswitch {

template <class From, class Into>
void copy_dialling_rules(const From& from, Into& into) {
    into.caller_id = from.caller_id;
    into.allow_prefixes = from.allow_prefixes;
    into.deny_prefixes = from.deny_prefixes;
    into.calls_per_token = from.calls_per_token;
    into.allow_emergency = from.allow_emergency;
}

} // namespace softswitch
