// One trunk's registration with its carrier, RFC 3261 section 10: asked for, kept fresh, and taken
// back in the end.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <trunkline/call/credentials.hpp>
#include <trunkline/call/environment.hpp>
#include <trunkline/core/entropy.hpp>
#include <trunkline/core/export.hpp>
#include <trunkline/core/outbox.hpp>
#include <trunkline/core/time.hpp>
#include <trunkline/core/timer_wheel.hpp>
#include <trunkline/sip/identity.hpp>
#include <trunkline/sip/message.hpp>
#include <trunkline/sip/transaction_layer.hpp>
#include <trunkline/trunk/directory.hpp>
#include <trunkline/trunk/gateway_names.hpp>
#include <trunkline/trunk/registration_status.hpp>

namespace trunkline::trunks {

/// Asks the gateways in their order, each of their addresses in turn, until one of them takes it;
/// the same one is asked again before what it granted has run out. Whoever is unreachable, silent
/// or broken is passed over, and when all are, the next round comes after the times of RFC 5626
/// section 4.5. A refusal is the carrier's last word, and costs the longest of these times: who
/// guesses on is locked out.
///
/// Credentials answer the address that asked for them, which is one of a gateway of ours, and go
/// nowhere else: redirections are refusals, and another address is first asked without any.
class TRUNKLINE_EXPORT registration {
public:
    static constexpr std::uint16_t timer_kind = 8;
    static constexpr std::uint16_t event_code = 101; ///< There is something in `told`.

    static constexpr std::chrono::seconds back_off_base{30};
    static constexpr std::chrono::seconds back_off_most{1'800};
    static constexpr std::chrono::seconds longest{7'200}; ///< Asked for or believed.
    static constexpr std::chrono::seconds shortest_refresh{15};
    /// What a refresh leaves, where as much was granted: 64*T1, and the next gateway's turn.
    static constexpr std::chrono::seconds spare_time{40};
    static constexpr std::chrono::seconds longest_bar{3'600}; ///< Of Retry-After.
    static constexpr std::chrono::seconds patience{4};        ///< When it is taken back.

    /// The machines of a shard that it works with. All of them outlive it.
    struct environment {
        sip::transaction_layer& transactions;
        timer_wheel& wheel;
        entropy& random;
        const gateway_names& names;
        std::deque<registration_status>& told;
        std::uint16_t shard = 0;
    };

    /// `owner` is its own: of transactions, and the token of its connects.
    registration(const environment& around, std::shared_ptr<const trunk> on, owner_id owner);
    registration(const registration&) = delete;
    registration& operator=(const registration&) = delete;
    ~registration();

    void begin(time_point now, outbox& out);
    /// It may be known by now where the gateways' names lead to.
    void names_settled(time_point now, outbox& out);
    /// The answers to a connect.
    void flow_up(calls::signalling_path path, time_point now, outbox& out);
    void flow_down(std::string_view words, time_point now, outbox& out);
    void receive_response(const sip::message_view& response, sip::transaction_id id, time_point now,
                          outbox& out);
    void transaction_ended(const sip::transaction_layer::ended& what, time_point now, outbox& out);
    void fire(time_point now, outbox& out);
    /// Takes back what was granted; over() in `patience` at most, whatever the carrier does.
    void leave(time_point now, outbox& out);

    [[nodiscard]] bool over() const noexcept { return over_; }
    /// Whether a trunk of this configuration would be registered just the same.
    [[nodiscard]] bool serves(const trunk& other) const;
    /// Goes on for such a one: its files may have been read anew.
    void serve(std::shared_ptr<const trunk> other) { on_ = std::move(other); }
    /// Whether a carrier that knows us, or is asked to, may send calls by this flow.
    [[nodiscard]] bool goes_by(flow_id flow, time_point now) const noexcept {
        return path_.flow == flow && (bound(now) || step_ != step::none);
    }
    [[nodiscard]] registration_state state() const noexcept { return state_; }
    [[nodiscard]] owner_id owner() const noexcept { return owner_; }
    [[nodiscard]] const trunk& of() const noexcept { return *on_; }
    [[nodiscard]] std::optional<time_point> next_deadline() const noexcept {
        return timer_.armed() ? std::optional{timer_.deadline()} : std::nullopt;
    }

private:
    /// What it waits for to happen next, beside its timer.
    enum class step : std::uint8_t { none, naming, connecting, asking };
    struct target {
        std::size_t gateway = 0;
        endpoint to{};
        time_point not_before{}; ///< As its Retry-After says.
    };

    void start_round(time_point now, outbox& out);
    void try_next(time_point now, outbox& out);
    void connect(std::size_t gateway, const endpoint& to, outbox& out);
    void send(time_point now, outbox& out);
    void pass_over(int status, std::string reason, time_point now, outbox& out);
    void wait_until(time_point when, outbox& out);
    void finish(outbox& out);
    void tell(outbox& out);

    void accepted(const sip::message_view& response, time_point now, outbox& out);
    void refused(const sip::message_view& response, time_point now, outbox& out);
    void left(const sip::message_view& response, bool challenged, time_point now, outbox& out);
    [[nodiscard]] std::chrono::seconds granted_by(const sip::message_view& response) const;
    [[nodiscard]] bool ask_longer(const sip::message_view& response);
    [[nodiscard]] bool take_challenge(const sip::message_view& response, outbox& out);
    void write_request(sip::writer& to);

    [[nodiscard]] bool bound(time_point now) const noexcept { return bound_until_ > now; }
    [[nodiscard]] bool reliable() const noexcept { return path_.over != transport::udp; }
    [[nodiscard]] duration between(duration least, duration most);

    environment around_;
    std::shared_ptr<const trunk> on_;
    owner_id owner_;
    timer_node timer_;

    registration_state state_ = registration_state::idle;
    step step_ = step::none;
    bool over_ = false;
    bool removing_ = false; ///< What is under way has Expires: 0.

    std::vector<target> targets_;
    std::size_t next_ = 0;
    std::size_t gateway_ = 0;     ///< Whose address is asked,
    calls::signalling_path path_; ///< and how it is reached.
    sip::transaction_id request_;
    sip::identity_text call_id_;
    sip::identity_text tag_;
    std::uint32_t cseq_ = 0;
    std::chrono::seconds asked_;
    int raised_ = 0; ///< How often this target has found that too brief.

    calls::credentials credentials_;
    std::optional<endpoint> challenger_; ///< Whom they are for.
    int challenges_ = 0;                 ///< Of this attempt.

    std::size_t bound_gateway_ = 0;
    endpoint bound_at_{};
    time_point bound_until_{};
    unsigned failures_ = 0; ///< Rounds in a row.
    int last_status_ = 0;
    std::string last_reason_;
};

} // namespace trunkline::trunks
