// Who may speak in a call's dialogs: from where its requests may come.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <trunkline/core/address.hpp>
#include <trunkline/core/export.hpp>
#include <trunkline/core/flow.hpp>
#include <trunkline/sip/dialog.hpp>
#include <trunkline/trunk/gateway_names.hpp>

namespace trunkline::trunks {

/// Tags and Call-ID are no secret: every proxy on the way has seen them, and so has whoever reads a
/// trace. A request in a dialog therefore has to come from where the INVITE or its responses came
/// from, or from a host that Contact or Record-Route names (RFC 3261 12.2.1.1: requests go straight
/// to the Contact where no proxy has recorded a route). What a trunk knows besides, its own
/// networks and gateways, is its own affair.
///
/// A dialog that began by TLS stays there: by UDP or TCP anybody on the way could speak in it. UDP
/// and TCP are equal, and ports say nothing: a request comes by whatever its sender has open.
class TRUNKLINE_EXPORT dialog_peers {
public:
    enum class verdict : std::uint8_t {
        peer,
        insecure, ///< By UDP or TCP into a dialog of TLS.
        unknown,  ///< No address of the dialog's: a name of it may still lead there.
    };
    static constexpr std::size_t most_sources = 8; ///< Forks answer from as many places at most.
    static constexpr std::size_t most_names = 8;
    static constexpr std::size_t most_refused = 8;

    dialog_peers() = default;
    /// `hop` is where the INVITE came from, or went to.
    dialog_peers(const address& hop, transport over) : hop_{hop}, secure_{over == transport::tls} {}

    /// A response to our INVITE came from there.
    void answered_from(const address& source);
    /// The peer has shown its password there.
    void move_to(const address& source);

    [[nodiscard]] verdict judge(const flow_info& from, const sip::dialog& within) const;
    /// A CANCEL is not routed: it comes from the hop that the INVITE came from (section 9.1).
    [[nodiscard]] verdict judge_cancel(const flow_info& from) const;

    /// The hosts of Contact and Record-Route that are names.
    [[nodiscard]] static std::vector<gateway_name> names_of(const sip::dialog& within);

    /// True once for each source, and never after many: what is refused is told once.
    [[nodiscard]] bool first_refusal(const address& source);

private:
    address hop_{};
    bool secure_ = false;
    std::vector<address> sources_{}; ///< Others than the hop.
    std::vector<address> refused_{};
};

} // namespace trunkline::trunks
