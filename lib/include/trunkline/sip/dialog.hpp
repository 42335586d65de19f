// Dialogs, RFC 3261 section 12: what a request in a call needs to be written and to be believed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <trunkline/core/export.hpp>
#include <trunkline/sip/message.hpp>
#include <trunkline/sip/writer.hpp>

namespace trunkline::sip {

class TRUNKLINE_EXPORT dialog {
public:
    dialog() = default;
    /// From the INVITE that we answer with `local_tag` (section 12.1.1).
    [[nodiscard]] static dialog as_callee(const message_view& invite, std::string_view local_tag);
    /// From a response with a To tag to an INVITE of ours (section 12.1.2).
    [[nodiscard]] static dialog as_caller(const message_view& response);

    /// A later response of the same dialog: a 2xx fixes the route set anew (section 13.2.2.4).
    void confirm(const message_view& response);
    /// A target refresh: the peer's new Contact (section 12.2.2).
    void refresh(const message_view& message);

    /// Whether a request in it comes in order (section 12.2.2); takes its CSeq over if so.
    [[nodiscard]] bool take_cseq(std::uint32_t number);
    [[nodiscard]] bool matches(const message_view& message, bool from_peer) const;
    [[nodiscard]] std::uint32_t next_cseq() noexcept { return ++local_cseq_; }

    /// Request-Line, Via, Max-Forwards, Route, From, To, Call-ID, CSeq (section 12.2.1.1), strict
    /// routers served.
    void write_head(writer& to, method what, std::uint32_t cseq, std::string_view branch,
                    std::string_view transport, std::string_view sent_by) const;
    /// Bytes that write_head() may take: as many as the peer's routes and addresses make it.
    [[nodiscard]] std::size_t room() const noexcept;
    /// The URI of whoever gets it next: the first route, else the remote target.
    [[nodiscard]] std::string_view next_hop() const;

    [[nodiscard]] std::string_view call_id() const noexcept { return call_id_; }
    [[nodiscard]] std::string_view remote_tag() const noexcept { return remote_tag_; }
    [[nodiscard]] std::string_view remote_target() const noexcept { return remote_target_; }
    /// Route elements as they were recorded, nearest first.
    [[nodiscard]] const std::vector<std::string>& routes() const noexcept { return routes_; }
    [[nodiscard]] std::uint32_t local_cseq() const noexcept { return local_cseq_; }

private:
    void read_routes(const message_view& message, bool reversed);

    std::string call_id_;
    std::string local_;  ///< The whole From of our requests,
    std::string remote_; ///< and their To.
    std::string local_tag_;
    std::string remote_tag_;
    std::string remote_target_;
    std::vector<std::string> routes_; ///< Elements as written, nearest first.
    std::uint32_t local_cseq_ = 0;
    std::optional<std::uint32_t> remote_cseq_;
};

} // namespace trunkline::sip
