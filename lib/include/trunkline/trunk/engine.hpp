// The trunk engine of a shard: what comes in by signalling and media, what the application wants,
// and everything in between. Sans-I/O; a driver runs it.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <trunkline/call/leg.hpp>
#include <trunkline/core/export.hpp>
#include <trunkline/core/limits.hpp>
#include <trunkline/core/machine.hpp>
#include <trunkline/core/slab.hpp>
#include <trunkline/core/timer_wheel.hpp>
#include <trunkline/sip/digest.hpp>
#include <trunkline/sip/message.hpp>
#include <trunkline/sip/transaction_layer.hpp>
#include <trunkline/trunk/admission.hpp>
#include <trunkline/trunk/call.hpp>
#include <trunkline/trunk/call_record.hpp>
#include <trunkline/trunk/dialog_peers.hpp>
#include <trunkline/trunk/directory.hpp>
#include <trunkline/trunk/gateway_names.hpp>
#include <trunkline/trunk/live_call.hpp>
#include <trunkline/trunk/login_refusal.hpp>
#include <trunkline/trunk/password_guard.hpp>
#include <trunkline/trunk/peer_names.hpp>
#include <trunkline/trunk/registration.hpp>
#include <trunkline/trunk/stream.hpp>

namespace trunkline::trunks {

/// What the world is told of a listener; an empty host is the local address of each flow.
struct advertised {
    std::string host{};
    std::uint16_t port = 0;
    transport over = transport::udp;
};

struct engine_config {
    std::uint16_t shard = 0;
    std::uint16_t shards = 1; ///< Each trunk is registered by one of them.
    std::vector<advertised> listeners{};
    std::optional<address> media_at{};
    std::optional<address> media_advertise{};
    bool answer_strangers = true;
    std::size_t max_calls = 10'000;
    std::size_t max_transactions = limits::transactions;
    std::string user_agent{};
    /// Endpoints of this process that no media is sent to, whatever SDP says.
    std::vector<endpoint> own_services{};
    sip::digest_server::key digest_key{};
    sip::timers timers{};
    duration wall_clock_offset{};
    std::function<void(incoming_call&)> on_incoming{};
    std::function<void(const call_record&)> on_record{};
    std::function<void(const effects::note&)> on_note{};
    std::function<void(const registration_status&)> on_registration{};
    std::function<void(const login_refusal&)> on_login_refused{};
    std::shared_ptr<const call_handle::mailbox> mailbox{};
};

class TRUNKLINE_EXPORT engine final : public machine {
public:
    engine(engine_config config, entropy& random);
    engine(const engine&) = delete;
    engine& operator=(const engine&) = delete;
    ~engine();

    void receive(const input& what, time_point now, outbox& out) override;
    void tick(time_point now, outbox& out) override;
    [[nodiscard]] std::optional<time_point> next_deadline() const override;
    void deliver(const effects::event& what, time_point now, outbox& out) override;
    void deliver(const effects::note& what) override;
    [[nodiscard]] bool knows(const address& source, time_point now) const override;

    /// The trunks from now on. Calls in progress keep theirs.
    void set_directory(std::shared_ptr<const directory> trunks, time_point now, outbox& out);
    void dial(dial_request what, time_point now, outbox& out);
    /// New calls are refused from now on.
    void drain() noexcept { draining_ = true; }
    void hang_up_all(std::string_view reason, time_point now, outbox& out);
    /// Carriers send no more calls here, and after drain() nothing registers again.
    void leave_registrars(time_point now, outbox& out);
    [[nodiscard]] std::size_t calls() const noexcept { return calls_.size(); }
    /// No call, no BYE that waits for its answer, and no carrier that still knows where we are.
    [[nodiscard]] bool idle() const noexcept {
        return calls_.size() == 0 && legs_.size() == 0 && registrations_.size() == 0;
    }

    /// Those that only absorb retransmissions, too.
    [[nodiscard]] std::size_t transactions() const noexcept { return transactions_.size(); }

    /// Runs a task with the engine's call commands enabled: what a mailbox does.
    void run(const std::function<void(engine&)>& task, time_point now, outbox& out);
    void with_call(std::uint64_t id, const std::function<void(call&)>& what,
                   const std::function<void()>& gone);

private:
    friend class trunkline::call;
    friend class trunkline::incoming_call;
    friend class trunkline::utterance;

    enum timer : std::uint16_t {
        ring_timer = 5,
        attempt_timer = 6,
        stream_timer = 20,
        waiting_timer = 21,
        turn_timer = 22
    };
    static constexpr std::uint16_t record_event = 100;
    static constexpr std::uint16_t login_event = 102;

    /// Where media of a trunk's calls may come from besides what SDP and signalling say.
    struct trunk_origins final : calls::media_origins {
        const engine* of = nullptr;
        const trunks::trunk* trunk = nullptr;
        [[nodiscard]] bool expects_media(const address& source) const override;
    };
    struct held_leg {
        held_leg(calls::environment& around, const sip::identity& who, owner_id owner,
                 direction which, std::shared_ptr<const calls::leg_settings> settings,
                 calls::signalling_path path, owner_id told, slot_id of)
            : machine{around, who, owner, which, std::move(settings), std::move(path), told},
              call{of} {}
        calls::leg machine;
        slot_id call;
        flow_id on{};        ///< Counted there: see known_flow.
        tls_target secure{}; ///< Whom a new connection has to reach, by the rules of the trunk,
        std::shared_ptr<const trunks::trunk> trunk{}; ///< which is therefore held.
        trunk_origins origins{};
        bool counts_as_unproved = false; ///< In the trunk's ledger of such streams.
        dialog_peers peers{};            ///< From where its requests may come.
    };
    struct known_flow {
        std::uint32_t generation = 0;
        std::uint32_t legs = 0; ///< That go this way.
        flow_info info{};
        std::unique_ptr<trunks::stream> stream{}; ///< Of a connection, until it goes.
    };
    /// An outbound connect that waits for its flow: an attempt, or a dialog that moved.
    struct waiting_flow {
        std::uint64_t asked = 0;
        slot_id call{};
        std::optional<slot_id> leg{};
        std::optional<time_point> until{};
        bool large = false; ///< For a request that UDP should not carry.
    };
    /// A request in a dialog whose names are still looked up.
    struct held_request {
        flow_id flow;
        std::string bytes;
    };
    /// A gateway that answered 503 and said for how long (RFC 3261 section 21.5.4).
    struct resting {
        endpoint gateway;
        time_point until;
        time_point
            next{}; ///< A call that has nowhere else to go may be offered to it from then on.
    };
    /// The time and the outbox of the entry that is on the stack; commands need both.
    struct entry {
        entry(engine& of, time_point now, outbox& out) noexcept;
        entry(const entry&) = delete;
        entry& operator=(const entry&) = delete;
        ~entry();
        engine& engine_;
        entry* outer_;
        time_point now;
        outbox& out;
    };

    // engine.cpp
    void receive_packet(const inputs::packet& packet, time_point now, outbox& out);
    void receive_message(std::span<char> text, flow_id flow, const flow_info& from, time_point now,
                         outbox& out);
    void receive_response(flow_id flow, time_point now, outbox& out);
    void transaction_over(const sip::transaction_layer::ended& what, time_point now, outbox& out);
    void fire(timer_node& node, time_point now, outbox& out);
    void settle(time_point now, outbox& out);
    void take_notice(calls::notice& what, time_point now, outbox& out);
    void end_call(live_call& of, calls::ending how, time_point now, outbox& out);
    void leave_ledger(held_leg& gone);
    void note_media(live_call& of, const calls::leg& from);
    /// By its leg if it has one: between two gateways there is none, and there is not to be
    /// another.
    void hang_up(live_call& of, ended_by by, int code, std::string_view reason);
    void erase_call(live_call& gone);
    static void give_back_channel(live_call& of);
    [[nodiscard]] calls::leg* leg_of(const live_call& call);
    /// As long as its call has not ended: hung up in this very callback, it takes no commands.
    [[nodiscard]] calls::leg* commanded(const live_call& call);
    live_call& make_call(std::shared_ptr<const trunk> on, direction which, time_point now);
    void arm(timer_node& node, timer kind, live_call& of, time_point when);

    // flows.cpp
    void flow_up(const inputs::flow_up& up, time_point now, outbox& out);
    [[nodiscard]] bool forgotten(const inputs::flow_down& what) const;
    void flow_down(const inputs::flow_down& what, time_point now, outbox& out);
    void never_up(const inputs::flow_down& what, time_point now, outbox& out);
    [[nodiscard]] const flow_info* info_of(flow_id flow) const;
    [[nodiscard]] calls::signalling_path path_of(flow_id flow, const trunk& on) const;
    [[nodiscard]] static tls_target secure_for(const live_call& of);
    [[nodiscard]] held_leg& make_leg(live_call& of, flow_id flow, outbox& out);
    void join(flow_id flow, outbox& out);
    void leave(flow_id flow, time_point now, outbox& out);
    void move_legs(flow_id from, time_point now, outbox& out);

    // streams.cpp
    void open_stream(flow_id flow, bool ours, time_point now, outbox& out);
    void regard(flow_id flow, outbox& out);
    void close_stream(flow_id flow);
    void receive_stream(stream& from, std::span<std::byte> bytes, time_point now, outbox& out);
    void refuse_broken(std::span<char> section, flow_id flow, const flow_info& from, time_point now,
                       outbox& out);
    void drop_stream(stream& gone, std::int64_t why, outbox& out);
    void stream_due(stream& of, time_point now, outbox& out);
    [[nodiscard]] bool registered_by(flow_id flow, time_point now);
    struct way {
        transport over = transport::udp;
        listener_id from{};
        endpoint to{};
        tls_target secure{};
    };
    void connect(waiting_flow who, const way& by, duration patience, time_point now, outbox& out);
    void arm_waiting();
    void waited_long_enough(time_point now, outbox& out);
    void send_large(slot_id which, held_leg& held, time_point now, outbox& out);
    [[nodiscard]] bool takes_streams(const endpoint& gateway, time_point now) const;
    void stream_refused(const endpoint& gateway, time_point now);

    // inbound.cpp
    void receive_request(std::string_view bytes, flow_id flow, const flow_info& from,
                         time_point now, outbox& out);
    void note_malformed(int answered, const error& reason, outbox& out);
    void note_ignored(const error& reason, const flow_info& from, time_point now, outbox& out);
    void malformed(const error& reason, flow_id flow, const flow_info& from, time_point now,
                   outbox& out);
    [[nodiscard]] std::shared_ptr<const trunk> trunk_of(const flow_info& from) const;
    [[nodiscard]] static bool allows(const trunk& one, const address& source);
    /// By a network that says something of the addresses in it, or as a gateway.
    [[nodiscard]] bool known_to(const trunk& one, const address& source) const;
    [[nodiscard]] bool is_gateway_of(const trunk& one, const address& source) const;
    /// Of a request's credentials the first for each hash: more in one message are guesses. What is
    /// counted and what is checked are the same ones.
    struct shown_credentials {
        std::array<sip::authorization_view, 2> ours{}; ///< For a challenge of ours,
        std::size_t count = 0;
        bool others = false; ///< and whether there are some with a nonce that is none of ours.
    };
    [[nodiscard]] static bool comes_by(const trunk& one, transport over);
    /// The detail of refused_unauthorized.
    enum unauthorized : std::int64_t {
        wrong_password = 1,
        stale,
        not_given,
        elsewhere,
        too_soon,
        banned
    };
    struct refusal {
        int status = 0; ///< 0: nothing is wrong.
        diagnostic why = diagnostic::none;
        std::string fields{};
        std::int64_t detail = 0;
        std::string words{};   ///< For the record, where the code alone says too little.
        std::string shorter{}; ///< Fields that do where `fields` are too long for an answer.
    };
    [[nodiscard]] refusal check(const trunk& on, const flow_info& from, bool merged, time_point now,
                                outbox& out);
    [[nodiscard]] refusal check_invite(const trunk& on) const;
    [[nodiscard]] const did* called(const trunk& on) const;
    void cancel(const sip::transaction_layer::received& invite, flow_id flow, const flow_info& from,
                time_point now, outbox& out);
    void answer(sip::transaction_id id, flow_id flow, const flow_info& from, int status,
                std::string_view fields, time_point now, outbox& out,
                std::string_view local_tag = {});
    [[nodiscard]] bool take_channel(const trunk& on, time_point now);
    void acknowledged(const held_leg& by);
    void admit(std::shared_ptr<const trunk> on, flow_id flow, const flow_info& from, time_point now,
               outbox& out);

    // dialogs.cpp
    [[nodiscard]] bool may_speak(held_leg& held, std::string_view bytes, flow_id flow,
                                 const flow_info& from, time_point now, outbox& out);
    [[nodiscard]] bool knows(const trunk& one, const address& source) const;
    [[nodiscard]] bool moves(held_leg& held, flow_id flow, const flow_info& from, time_point now,
                             outbox& out);
    void refuse_speaker(held_leg& held, flow_id flow, const flow_info& from, time_point now,
                        outbox& out);
    static void note_speaker(const held_leg& held, const flow_info& from, outbox& out);
    [[nodiscard]] bool same_host(flow_id known, flow_id other) const;
    [[nodiscard]] bool may_answer(flow_id known, flow_id other) const;
    void hold(std::string_view bytes, flow_id flow);
    void take_held(time_point now, outbox& out);
    // logins.cpp
    [[nodiscard]] shown_credentials credentials_of(const flow_info& from, time_point now) const;
    [[nodiscard]] refusal check_credentials(const trunk& on, const flow_info& from, time_point now,
                                            outbox& out);
    /// Whether the sender of a request has shown that it reads what is sent to its source.
    [[nodiscard]] bool has_shown(const trunk& on, const flow_info& from, time_point now) const;
    void refuse_login(const trunk& on, const flow_info& from, std::string_view user, bool ban,
                      outbox& out);

    // refusals.cpp
    void stranger(flow_id flow, const flow_info& from, time_point now, outbox& out);
    [[nodiscard]] refusal shed(const trunk& on, time_point now);
    void refuse(const trunk& on, const refusal& how, flow_id flow, const flow_info& from,
                time_point now, outbox& out);
    void answer_once(const trunk& on, const refusal& how, flow_id flow, const flow_info& from,
                     time_point now, outbox& out);
    void answer_statelessly(const trunk& on, const refusal& how, flow_id flow,
                            const flow_info& from, time_point now, outbox& out);
    /// Whether the sender of a request has shown that it reads what is sent to its source.
    [[nodiscard]] bool small_enough(std::size_t answer) const noexcept;
    [[nodiscard]] refusal over_rate() const;
    void record_refusal(const trunk* on, const refusal& how, std::optional<admission::tally> kind,
                        const flow_info& from, time_point now, outbox& out);

    // outbound.cpp
    void next_attempt(live_call& of, time_point now, outbox& out);
    void attempt_flow(live_call& of, flow_id flow, time_point now, outbox& out);
    void attempt_failed(live_call& of, const calls::ending& how, time_point now, outbox& out);
    static void note_attempt(live_call& of, const calls::ending& how, time_point now);
    static void note_progress(live_call& of, int status, duration since);
    [[nodiscard]] calls::invitation invitation_of(const live_call& of,
                                                  const calls::signalling_path& path) const;
    void names_settled(time_point now, outbox& out);
    void let_rest(const endpoint& gateway, std::uint32_t seconds, time_point now);
    [[nodiscard]] bool rests(const endpoint& gateway, bool last, time_point now);

    // registering.cpp
    void keep_registrations(time_point now, outbox& out);
    void begin_registrations(time_point now, outbox& out);
    [[nodiscard]] registration* registration_of(owner_id owner);
    void registration_moved(registration& which, time_point now, outbox& out);
    void tell_registration();

    // deliver.cpp
    void deliver_to(live_call& to, const effects::event& what);
    void deliver_mark(live_call& to, const effects::event& what);
    void deliver_incoming(live_call& to);
    template <class Callback>
    void guarded(live_call& of, Callback callback);
    void deliver_end(live_call& to);
    void tell_record(const call_record& record, owner_id owner);
    void tell_login(const login_refusal& refused);

    engine_config config_;
    entropy& random_;
    timer_wheel wheel_;
    std::vector<calls::notice> notices_;
    std::vector<calls::notice> taken_;
    sip::transaction_layer transactions_;
    calls::environment around_;
    sip::digest_server digest_;
    admission admission_;
    password_guard passwords_;
    gateway_names names_;
    peer_names peer_names_;
    std::vector<held_request> held_requests_;
    std::shared_ptr<const directory> directory_;
    slab<live_call, slot_id> calls_;
    slab<held_leg, slot_id> legs_;
    slab<registration, slot_id> registrations_;
    std::deque<registration_status> registrations_told_; ///< Until they are delivered.
    std::vector<known_flow> flows_;
    std::vector<waiting_flow> waiting_;
    timer_node waiting_timer_;
    std::map<endpoint, time_point> refused_streams_; ///< Gateways, and until when they are spared.
    std::vector<slot_id> waiting_for_names_;
    std::vector<resting> resting_;
    std::vector<sip::transaction_layer::ended> failed_;
    std::deque<call_record> records_;  ///< Of refusals, until they are delivered,
    std::deque<login_refusal> logins_; ///< and of wrong passwords.
    std::unique_ptr<sip::message_view> message_;
    std::uint64_t next_token_ = 1;
    bool draining_ = false;
    entry* active_ = nullptr;
};

} // namespace trunkline::trunks
