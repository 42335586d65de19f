// A trunk by connections, and what its carrier says there.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "trunk/driver.hpp"

namespace trunkline::support {

inline const std::string carrier_port = "198.51.100.1:40000"; ///< Nobody listens there.

[[nodiscard]] inline std::string over_tcp(std::string text) {
    const auto at = text.find("SIP/2.0/UDP");
    if (at != std::string::npos) text.replace(at, 11, "SIP/2.0/TCP");
    return text;
}

[[nodiscard]] inline request_text options(int number) {
    request_text made;
    made.method = "OPTIONS";
    made.branch += std::to_string(number);
    made.call_id = std::to_string(number) + "@198.51.100.1";
    return made;
}

struct stream_listener final : agent {
    std::vector<std::string>* told;
    explicit stream_listener(std::vector<std::string>& into) : told{&into} {}
    void on_answered(call&) override { told->push_back("answered"); }
    void on_ended(call&, const call_record&) override { told->push_back("ended"); }
};

struct exchange_by_stream : driver {
    std::vector<std::string> told;
    std::vector<call_handle> handles;
    trunk_config wanted = carrier();

    exchange_by_stream() {
        wanted.gateways = {{"198.51.100.1"}, {"198.51.100.2"}};
        wanted.transport = transport::tcp;
        config.on_incoming = [this](incoming_call& call) {
            handles.push_back(call.handle());
            CHECK(call.ringing());
        };
    }
    void dial() {
        if (trunks.empty()) add(wanted);
        dial_request made;
        made.to = "+4930999";
        made.agent = std::make_unique<stream_listener>(told);
        running().dial(std::move(made), now, out());
        settle();
    }
    void pick_up() {
        handles.back().post([this](call& on) {
            CHECK(static_cast<incoming_call&>(on).answer(std::make_unique<stream_listener>(told)));
        });
        settle();
    }
    /// What the peer of a connection says to a request of ours.
    void answer(flow_id flow, const std::string& request, const std::string& status,
                const std::string& contact = "<sip:gw@198.51.100.1:5060;transport=tcp>") {
        receive(flow, answer_to(request, status, "peer1", "Contact: " + contact + '\n',
                                status.starts_with("2") ? their_sdp : std::string{}));
    }
    [[nodiscard]] std::vector<std::string> statuses() {
        std::vector<std::string> found;
        for (const auto& text : texts()) found.push_back(status_of(text));
        return found;
    }
};

} // namespace trunkline::support
