// Whoever answers a call: derive from agent, override what you want to know.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <trunkline/call/types.hpp>
#include <trunkline/core/export.hpp>
#include <trunkline/trunk/call_record.hpp>

namespace trunkline {

class call;

/// All callbacks of a call come on the thread of its shard, one at a time, and may give any
/// command, hang_up() included. The call is valid until the callback returns; take its handle() for
/// later. The call owns its agent and destroys it after on_ended. A callback that throws ends the
/// call (500, or BYE) as ended_by::agent.
class TRUNKLINE_EXPORT agent {
public:
    agent() = default;
    agent(const agent&) = delete;
    agent& operator=(const agent&) = delete;
    virtual ~agent();

    virtual void on_initiated(call&) {} ///< Outbound: it has an id, and nothing was sent yet.
    virtual void on_ringing(call&) {}   ///< Outbound: 180.
    /// Outbound: any other provisional response but 100; see provisional_words().
    virtual void on_progress(call&, int /*sip_code*/) {}
    virtual void on_early_media(call&) {} ///< Outbound: audio before the answer.
    /// Media flows from here on; what is said in here is heard first.
    virtual void on_answered(call&) {}
    virtual void on_audio(call&, const audio_frame&) {}
    virtual void on_digit(call&, char) {} ///< At its start, once, however it was signalled.
    /// All that was said before the mark has been sent, or it never will be.
    virtual void on_mark(call&, std::string_view /*name*/, bool /*played*/) {}
    virtual void on_drained(call&) {} ///< Everything that was said has been sent.
    /// What becomes of a transfer() of yours. When it has succeeded, hang_up() is up to you.
    virtual void on_transfer(call&, const transfer_progress&) {}
    /// The far end wants `target`, a SIP or tel URI, to be called in its place (REFER). Whoever
    /// does so tells it by report_referral(); who does not override this declines.
    virtual void on_referred(call&, std::string_view target);
    /// A part of a body that is no SDP, such as ISUP or a location (RFC 5621), of any message but
    /// the INVITE: for that see incoming_call::each_body_part(). `content` lives until this
    /// returns.
    virtual void on_body_part(call&, std::string_view /*content_type*/,
                              std::string_view /*content*/) {}
    virtual void on_ended(call&, const call_record&) {}
};

} // namespace trunkline
