// One call with one peer, from INVITE to BYE, either way: dialog, offer and answer, media.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <trunkline/call/credentials.hpp>
#include <trunkline/call/environment.hpp>
#include <trunkline/call/leg_settings.hpp>
#include <trunkline/call/media_stream.hpp>
#include <trunkline/call/media_target.hpp>
#include <trunkline/call/session_timer.hpp>
#include <trunkline/core/export.hpp>
#include <trunkline/core/outbox.hpp>
#include <trunkline/core/timer_wheel.hpp>
#include <trunkline/sdp/offer_answer.hpp>
#include <trunkline/sip/dialog.hpp>
#include <trunkline/sip/identity.hpp>

namespace trunkline::calls {

class TRUNKLINE_EXPORT leg {
public:
    /// The `kind` of the timers it arms.
    enum class timer : std::uint16_t {
        repeat = 2,
        media = 3,
        guard = 4,
        session = 16, ///< A refresh is due, or the end.
        transfer = 17,
        reinvite = 18, ///< After a glare (RFC 3261 section 14.1).
        referral = 19, ///< The peer's subscription to one ends.
        proof = 23,    ///< Media has left for as long as an unproved peer gets it without question.
    };

    /// `owner` is the leg's own: of transactions, media and notices. Events are told to `told`, or
    /// to `owner` when that is none.
    leg(environment& around, const sip::identity& who, owner_id owner, direction which,
        std::shared_ptr<const leg_settings> settings, signalling_path path,
        owner_id told = owner_id::none);
    /// Where media may come from besides; before anything is received. Outlives the leg.
    void expect_media_of(const media_origins& origins) noexcept { origins_ = &origins; }
    leg(const leg&) = delete;
    leg& operator=(const leg&) = delete;
    ~leg();

    // Inbound. `invite` was accepted as `transaction`.

    /// not_supported: no codec in common, or an offer that cannot be answered (488).
    [[nodiscard]] result<void> incoming(const sip::message_view& invite,
                                        sip::transaction_id transaction);
    result<void> ringing(time_point now, outbox& out);
    result<void> progress(time_point now, outbox& out);
    /// Without media the call is answered with an inactive stream, and no port is opened.
    result<void> answer(bool with_media, time_point now, outbox& out);
    /// `fields` are whole header lines.
    void reject(int status, std::string_view reason, std::string_view fields, const ending& end,
                time_point now, outbox& out);
    /// A CANCEL for it came: it was answered 200 already. `reason` is its Reason, as RFC 3326 has
    /// it.
    void cancelled(std::string_view reason, time_point now, outbox& out);

    // Outbound.

    void invite(invitation what, time_point now, outbox& out);

    // Both.

    void hang_up(ended_by by, int code, std::string_view reason, time_point now, outbox& out,
                 call_failure why = call_failure::none);

    /// REFER, RFC 3515: the peer is asked to call `target`, a SIP or tel URI. What becomes of it is
    /// told as event::transfer. wrong_state: no call is up, or a transfer is under way already.
    result<void> transfer(std::string_view target, time_point now, outbox& out);
    /// After event::referred: what became of the call that the peer asked for. 603 declines it; a
    /// final status is the last word.
    result<void> report_referral(int status, time_point now, outbox& out);
    /// The dialog that a request is in, an early one too; none when its tags and Call-ID are wrong.
    [[nodiscard]] const sip::dialog* dialog_of(const sip::message_view& request);
    /// A request in the dialog. ACK has no transaction; all others are accepted here.
    void receive_request(const sip::message_view& request, const flow_info& from, flow_id flow,
                         time_point now, outbox& out);
    void receive_response(const sip::message_view& response, sip::transaction_id id, time_point now,
                          outbox& out);
    void transaction_ended(const sip::transaction_layer::ended& what, time_point now, outbox& out);
    void media_opened(const inputs::media_opened& what, time_point now, outbox& out);
    void media_failed(const inputs::media_failed& what, time_point now, outbox& out);
    void receive_media(const inputs::media_packet& packet, time_point now, outbox& out);
    /// The peer reads what we send: it answered a challenge, or acknowledged.
    void prove(time_point now);
    /// After notice::unproved: whether media goes on all the same.
    void permit_media(bool permitted, time_point now);
    void set_path(signalling_path path, time_point now, outbox& out);
    /// An INVITE that UDP should not carry asks for another path first (section 18.1.1).
    void large_by_stream() noexcept { large_by_stream_ = true; }
    /// Where a new connection to the peer leads when the one in use has gone: for a response as
    /// section 18.2.2 has it, for requests by the dialog.
    [[nodiscard]] endpoint way_back() const;
    void fire(timer which, time_point now, outbox& out);

    /// To be called after a command to the stream, so that the timer follows it.
    void rearm_media();
    [[nodiscard]] media_stream* media() noexcept { return media_ ? &*media_ : nullptr; }
    [[nodiscard]] const media_stream* media() const noexcept { return media_ ? &*media_ : nullptr; }

    [[nodiscard]] owner_id owner() const noexcept { return owner_; }
    [[nodiscard]] direction which() const noexcept { return direction_; }
    [[nodiscard]] std::string_view call_id() const noexcept { return call_id_; }
    [[nodiscard]] std::string_view local_tag() const noexcept { return local_tag_.view(); }
    /// The INVITE that came, until its answer was acknowledged.
    [[nodiscard]] const sip::message_view* request() const noexcept {
        return request_ ? &**request_ : nullptr;
    }
    [[nodiscard]] bool answered() const noexcept { return answered_; }
    [[nodiscard]] bool over() const noexcept { return told_end_; }
    [[nodiscard]] bool provisional_seen() const noexcept { return provisional_seen_; }
    [[nodiscard]] const signalling_path& path() const noexcept { return path_; }

private:
    enum class phase : std::uint8_t {
        idle,
        incoming,  ///< An INVITE waits for our final response.
        inviting,  ///< Ours waits for theirs.
        accepting, ///< 2xx sent, no ACK yet.
        confirmed,
        leaving, ///< BYE or CANCEL is under way.
        finished,
    };
    enum class wish : std::uint8_t { none, progress, answer };
    enum class media_state : std::uint8_t { none, opening, open, refused };

    [[nodiscard]] bool reliable() const noexcept { return path_.over != transport::udp; }
    [[nodiscard]] std::string_view via_transport() const noexcept;
    [[nodiscard]] std::string_view contact_parameters() const noexcept;
    void tell(notice::what kind, ending end = {});
    void end(ending how, time_point now, outbox& out);
    void finish();
    void disarm_all() noexcept;
    void release_media(time_point now, outbox& out);

    void open_media(outbox& out);
    [[nodiscard]] sdp::local_media local_media() const;
    void agree(const sdp::agreed& what, time_point now, std::string_view tag = {});
    void watch_proof(time_point now);
    [[nodiscard]] error misdirected(const sdp::agreed& what) const noexcept;
    [[nodiscard]] result<sdp::agreed> receive_offer(std::string_view body);
    [[nodiscard]] result<sdp::agreed> receive_answer(std::string_view body);
    void end_misdirected(time_point now, outbox& out);

    // leg_inbound.cpp
    void respond(int status, std::string_view reason, std::string_view fields,
                 std::string_view body, time_point now, outbox& out);
    void send_progress(time_point now, outbox& out);
    void send_answer(time_point now, outbox& out);
    void keep_2xx(std::span<const std::byte> bytes, std::uint32_t cseq, flow_id flow,
                  time_point now);
    void repeat_2xx(time_point now, outbox& out);
    void acknowledged(const sip::message_view& ack, time_point now, outbox& out);

    // leg_reliable.cpp
    [[nodiscard]] bool answers_reliably() const;
    void respond_provisionally(int status, std::string_view body, time_point now, outbox& out);
    void write_reliable(sip::writer& to);
    void keep_provisional(std::span<const std::byte> bytes, time_point now);
    void repeat_provisional(time_point now, outbox& out);
    void stop_repeating() noexcept;
    void remind_of_ringing(time_point now);
    void prack_received(const sip::message_view& request, sip::transaction_id id, flow_id flow,
                        const endpoint& source, time_point now, outbox& out);
    [[nodiscard]] bool take_reliable(const sip::message_view& response, time_point now,
                                     outbox& out);

    // leg_outbound.cpp
    void send_invite(time_point now, outbox& out);
    void invite_response(const sip::message_view& response, time_point now, outbox& out);
    void provisional(const sip::message_view& response, time_point now, outbox& out);
    void accepted(const sip::message_view& response, time_point now, outbox& out);
    void refused(const sip::message_view& response, time_point now, outbox& out);
    void send_ack(const sip::dialog& where, std::uint32_t cseq, outbox& out);
    void leave_fork(const sip::message_view& response, time_point now, outbox& out);

    // leg_requests.cpp
    struct early {
        sip::dialog dialog;
        std::uint32_t rseq = 0;  ///< Of its last reliable response.
        std::string described{}; ///< What it answered our offer with.
    };
    struct asking {
        sip::transaction_id id{};
        sip::method what = sip::method::other;
        std::string tag{}; ///< The peer's: of forks that ring, PRACK is for one.
        std::string fields{};
        std::string type{};
        std::string body{};
        bool challenged = false;
    };
    /// The CSeq that it was sent with; 0 when it was not.
    std::uint32_t ask(asking what, time_point now, outbox& out);
    void asked_answered(asking what, const sip::message_view& response, time_point now,
                        outbox& out);
    void asked_failed(sip::method what, int status, std::optional<std::uint32_t> retry_after,
                      time_point now, outbox& out);
    void drop_requests() noexcept;
    [[nodiscard]] sip::dialog* dialog_with(std::string_view tag);
    [[nodiscard]] early* early_dialog(const sip::message_view& response);

    // leg_refresh.cpp
    static constexpr duration usual_pause = std::chrono::seconds{10};
    void note_peer(const sip::message_view& message);
    void watch_session();
    void session_due(time_point now, outbox& out);
    void refresh_session(time_point now, outbox& out);
    /// Half of the interval is left for another try, or for several.
    void refresh_later(time_point now, duration pause = usual_pause);
    void refreshed(const sip::message_view& response, time_point now);
    [[nodiscard]] bool reinviting() const noexcept { return reinvite_ && !reinvite_done_; }
    void send_reinvite(time_point now, outbox& out);
    void reinvite_response(const sip::message_view& response, time_point now, outbox& out);
    void refresh_failed(int status, std::optional<std::uint32_t> retry_after, time_point now,
                        outbox& out);
    void write_contact(sip::writer& to) const;

    // leg_transfer.cpp
    void transfer_answered(int status, time_point now, outbox& out);
    void tell_transfer(transfer_state state, int status, outbox& out);
    [[nodiscard]] bool notify(int status, std::string_view state, time_point now, outbox& out);
    void referral_expired(time_point now, outbox& out);
    void notified(const sip::message_view& request, sip::transaction_id id, flow_id flow,
                  const endpoint& source, time_point now, outbox& out);
    void referred(const sip::message_view& request, sip::transaction_id id, flow_id flow,
                  const endpoint& source, time_point now, outbox& out);

    // leg_indialog.cpp
    void reinvited(const sip::message_view& request, sip::dialog& within, sip::transaction_id id,
                   flow_id flow, const endpoint& source, time_point now, outbox& out);
    [[nodiscard]] bool busy_negotiating(const sip::message_view& request) const;
    void bye_received(const sip::message_view& request, time_point now, outbox& out);
    void info_received(const sip::message_view& request, time_point now, outbox& out);
    [[nodiscard]] bool floods(sip::method what, time_point now);
    void reply_statelessly(const sip::message_view& request, flow_id flow, const endpoint& source,
                           int status, outbox& out);
    void reply(const sip::message_view& request, sip::transaction_id id, flow_id flow,
               const endpoint& source, int status, std::string_view fields, std::string_view body,
               time_point now, outbox& out);
    void send_bye(time_point now, outbox& out);
    [[nodiscard]] bool reopen();
    void write_credentials(sip::writer& to, std::string_view method, std::string_view uri);
    [[nodiscard]] bool take_challenge(const sip::message_view& response, outbox& out);
    void follow_target();

    environment& around_;
    owner_id owner_;
    owner_id told_;
    direction direction_;
    std::shared_ptr<const leg_settings> settings_;
    signalling_path path_;
    sip::identity_text local_tag_;

    phase phase_ = phase::idle;
    bool told_end_ = false;
    bool answered_ = false;
    bool cancel_wanted_ = false; ///< As soon as a provisional response has come.
    bool provisional_seen_ = false;
    bool bye_when_acked_ = false;
    bool ack_waits_ = false; ///< For the path to the dialog's target.
    bool bye_waits_ = false;
    bool bye_again_ = false; ///< It found its connection closed, and got another one.
    std::string bye_reason_; ///< Of CANCEL, too: a header line of RFC 3326, or nothing.
    bool rerouting_ = false;
    bool large_by_stream_ = false;
    bool invite_waits_ = false; ///< For the path that a large one asked for.
    bool late_offer_ = false;
    bool finish_waits_ = false;   ///< For the media pair that is still being opened.
    bool final_seen_ = false;     ///< Of our INVITE: its transaction ends by itself from then on.
    bool bye_challenged_ = false; ///< Its credentials are its own affair, not the INVITE's.

    std::string call_id_;
    std::string contact_user_;
    sip::dialog dialog_;
    bool has_dialog_ = false;
    sip::transaction_id invite_;
    sip::transaction_id bye_;
    flow_id invite_flow_{}; ///< Of ours; the dialog's may lead elsewhere.
    std::uint32_t invite_cseq_ = 1;
    std::optional<sip::message> request_; ///< The INVITE, until it is acknowledged.
    endpoint source_{};                   ///< Where it came from.
    invitation invitation_;
    credentials credentials_;
    std::vector<early> early_;   ///< Forks that ring, until one answers.
    std::vector<asking> asking_; ///< Requests of ours in the dialog, but INVITE and BYE.

    sdp::negotiation negotiation_;
    wish wish_ = wish::none;
    bool with_media_ = true;
    media_state media_state_ = media_state::none;
    media_id media_id_{};
    std::uint16_t rtp_port_ = 0;
    std::uint16_t rtcp_port_ = 0;
    std::optional<media_stream> media_;
    const media_origins* origins_ = nullptr;
    signalling_sources sources_;
    bool proved_ = false;        ///< The peer has shown that it reads what we send.
    bool unproved_told_ = false; ///< The trunk waits for notice::proved.
    target_fault misdirected_ = target_fault::none; ///< Of the last answer.

    unsigned requests_lately_ = 0; ///< Of the peer's, within the dialog,
    time_point flood_until_{};     ///< until then.
    session_timer session_;
    bool peer_takes_update_ = false;
    sip::transaction_id reinvite_;
    std::uint32_t reinvite_cseq_ = 0;
    bool reinvite_done_ = false; ///< It has its 2xx, which may come again.
    bool reinvite_challenged_ = false;
    bool reinvite_cancelled_ = false; ///< The layer ends it, whatever becomes of it.

    /// A transfer that we asked for.
    enum class transfer_phase : std::uint8_t { none, asked, subscribed };
    transfer_phase transfer_ = transfer_phase::none;
    std::uint32_t transfer_cseq_ = 0; ///< Of our last REFER, which its NOTIFYs may name.
    std::uint32_t referral_cseq_ = 0; ///< Of theirs, which ours name.
    bool referred_ = false;           ///< The peer asked for one, and waits for what becomes of it.

    std::vector<std::byte> last_provisional_; ///< Reliable, and not acknowledged yet.
    std::uint32_t rseq_ = 0;
    int next_provisional_ = 0;        ///< What waits for that.
    int said_provisionally_ = 0;      ///< The last one's status.
    bool described_reliably_ = false; ///< The answer has arrived: the 200 does not repeat it.

    std::vector<std::byte> last_2xx_;
    std::uint32_t cseq_2xx_ = 0; ///< The ACK's, too.
    flow_id flow_2xx_{};         ///< A response goes where its request came from.
    duration repeat_interval_{};
    time_point repeat_until_{};
    timer_node repeat_timer_;
    timer_node media_timer_;
    timer_node guard_timer_;
    timer_node session_timer_;
    timer_node transfer_timer_;
    timer_node reinvite_timer_;
    timer_node referral_timer_;
    timer_node proof_timer_;
};

} // namespace trunkline::calls
