#include "watched.hpp"

#include <trunkline/manager/trunk_manager.hpp>
#include <trunkline/trunk/call.hpp>

namespace softswitch {

void watched::on_initiated(trunkline::call& call) {
    list_.bind(id_, call.handle());
    who_->on_initiated(call);
}

void watched::on_ringing(trunkline::call& call) {
    list_.ringing(id_, trunkline::trunk_manager::to_unix(call.now()));
    who_->on_ringing(call);
}

void watched::on_progress(trunkline::call& call, int sip_code) {
    list_.progressed(id_, sip_code, trunkline::trunk_manager::to_unix(call.now()));
    who_->on_progress(call, sip_code);
}

void watched::on_answered(trunkline::call& call) {
    list_.answered(id_, trunkline::trunk_manager::to_unix(call.now()));
    if (limit_) limit_(call.handle());
    who_->on_answered(call);
}

/// An operator who hands a caller over wants it gone; one that nobody took comes back to the agent.
void watched::on_transfer(trunkline::call& call, const trunkline::transfer_progress& how) {
    list_.transferred(id_, how, trunkline::trunk_manager::to_unix(call.now()));
    who_->on_transfer(call, how);
    if (how.state == trunkline::transfer_state::succeeded) call.hang_up("transferred");
}

} // namespace softswitch
