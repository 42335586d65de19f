// Other forks of an INVITE of ours that answer when one has answered already, RFC 3261 section
// 13.2.2.4: everyone is acknowledged, and ended by BYE. The call itself may long be over then.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <trunkline/core/entropy.hpp>
#include <trunkline/core/export.hpp>
#include <trunkline/core/outbox.hpp>
#include <trunkline/core/token_bucket.hpp>
#include <trunkline/sip/message.hpp>
#include <trunkline/sip/transaction_layer.hpp>

namespace trunkline::calls {

class TRUNKLINE_EXPORT forks {
public:
    /// How our INVITE went, which leads through the proxy that forked it.
    struct path {
        flow_id flow{};
        transport over = transport::udp;
        std::string_view sent_by;
    };
    /// ACK for each copy of the 2xx, and BYE for the first; no more than some a second.
    void leave(const sip::message_view& response, const path& by, sip::transaction_layer& with,
               entropy& random, time_point now, outbox& out);

private:
    // A 2xx is repeated for 32 seconds; a copy of one that was forgotten costs another BYE.
    std::array<std::uint64_t, 256> left_{};
    std::size_t next_ = 0;
    token_bucket byes_; ///< A hostile gateway may invent forks.
};

} // namespace trunkline::calls
