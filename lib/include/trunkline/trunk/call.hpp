// A call as its agent commands it, and a handle for everybody else.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <trunkline/audio/playout_queue.hpp>
#include <trunkline/call/types.hpp>
#include <trunkline/core/export.hpp>
#include <trunkline/core/result.hpp>
#include <trunkline/trunk/agent.hpp>

namespace trunkline {

class call;
class incoming_call;
namespace trunks {
class engine;
struct live_call;
} // namespace trunks

/// How an agent wants its audio. 16-bit linear at 8 kHz.
struct answer_options {
    bool media = true; ///< false answers with an inactive stream and opens no port.
};

/// What an utterance came to when it was cleared, in its own samples.
struct cleared {
    std::uint64_t utterance = 0;
    std::size_t sent = 0;
    std::size_t unsent = 0;
};

/// A stretch of speech. Cheap to copy; it outlives its call and then says errc::gone. Only to be
/// used where the call may be.
class TRUNKLINE_EXPORT utterance {
public:
    utterance() = default;

    /// Any amount, faster than real time. Returns how many samples were taken: fewer when 120 s are
    /// queued. errc::cleared once it was cleared.
    outcome<std::size_t> write(std::span<const std::int16_t> pcm);
    /// on_mark(name) comes when all that was written before has been sent.
    outcome<> mark(std::string_view name);
    outcome<> finish();
    [[nodiscard]] result<std::size_t> sent_up_to() const; ///< Samples, exact at the socket.
    [[nodiscard]] std::uint64_t id() const noexcept { return static_cast<std::uint64_t>(id_); }

private:
    friend class call;
    utterance(trunks::engine& engine, std::uint64_t call, audio::utterance_id id) noexcept
        : engine_{&engine},
          call_{call},
          id_{id} {}

    trunks::engine* engine_ = nullptr;
    std::uint64_t call_ = 0;
    audio::utterance_id id_ = audio::utterance_id::none;
};

/// Works from any thread and outlives everything; when the call is over its commands do nothing.
class TRUNKLINE_EXPORT call_handle {
public:
    /// Runs a task on the call's shard. False when that shard has stopped.
    using mailbox = std::function<bool(std::function<void(trunks::engine&)>)>;

    call_handle() = default;
    call_handle(std::uint64_t id, std::shared_ptr<const mailbox> shard)
        : id_{id},
          shard_{std::move(shard)} {}

    /// Runs `what` with the call, on its shard; `gone` instead if the call has ended.
    bool post(std::function<void(call&)> what, std::function<void()> gone = {}) const;
    bool hang_up(std::string reason = {}) const;
    /// Clears what is queued; `done` gets what was sent and what was not, on the shard.
    bool clear(std::function<void(std::vector<cleared>)> done = {}) const;
    [[nodiscard]] std::uint64_t id() const noexcept { return id_; }

private:
    friend class call_batch;
    std::uint64_t id_ = 0;
    std::shared_ptr<const mailbox> shard_;
};

/// Work for many calls at once: each shard is woken once for all of it. Used by one thread.
class TRUNKLINE_EXPORT call_batch {
public:
    /// Nothing happens before post(); what is for one call keeps its order.
    void add(const call_handle& to, std::function<void(call&)> what);
    /// False when a shard has stopped, or has too much to do already: what was for it is lost.
    bool post();
    [[nodiscard]] bool empty() const noexcept { return waiting_.empty(); }

private:
    struct task {
        std::uint64_t id;
        std::function<void(call&)> what;
    };
    /// One list for each shard that something is for.
    std::vector<std::pair<std::shared_ptr<const call_handle::mailbox>, std::vector<task>>> waiting_;
};

/// Exists in callbacks, on its shard: commands act at once and return their result. Off its shard
/// they return errc::wrong_thread.
class TRUNKLINE_EXPORT call {
public:
    call(const call&) = delete;
    call& operator=(const call&) = delete;

    [[nodiscard]] std::uint64_t id() const noexcept;
    [[nodiscard]] trunkline::direction direction() const noexcept;
    [[nodiscard]] std::string_view trunk() const noexcept;
    [[nodiscard]] std::string_view from() const noexcept;   ///< User part of From.
    [[nodiscard]] std::string_view to() const noexcept;     ///< The number called, as it stands.
    [[nodiscard]] std::string_view number() const noexcept; ///< The did that matched.
    [[nodiscard]] std::string_view agent_name() const noexcept; ///< That did's, or the trunk's.
    /// Whom the configuration names for when that agent cannot; empty for an outbound call.
    [[nodiscard]] std::string_view fallback_name() const noexcept;
    [[nodiscard]] call_handle handle() const;
    [[nodiscard]] media_statistics statistics() const;
    /// Protocol time, of this callback.
    [[nodiscard]] time_point now() const noexcept;

    // Before the answer. An inbound call that nobody decides about gets 480 after the trunk's
    // ringing_timeout.

    outcome<> ringing();  ///< 180
    outcome<> progress(); ///< 183 with early media
    outcome<> answer(std::unique_ptr<agent> who, answer_options how = {});
    /// A 3xx says by `targets`, SIP or tel URIs, where else the callee is, and needs one: without
    /// it the error is errc::missing and names sip::header::contact.
    outcome<> reject(int code, std::string_view reason = {},
                     std::span<const std::string> targets = {});

    /// Sends one frame of 10 to 60 ms at once, ahead of what is queued.
    outcome<> send(const audio_frame& frame);
    outcome<> send(std::span<const std::int16_t> pcm);
    /// Opens an utterance; several play one after the other.
    [[nodiscard]] result<utterance> say();
    /// Drops what is queued; later writes to those utterances return errc::cleared.
    outcome<std::vector<cleared>> clear();
    outcome<> pause();
    outcome<> resume();
    /// Digits by RFC 4733. errc::not_supported when the peer takes none.
    outcome<> send_digits(std::string_view digits);

    /// Asks the far end to call `target` instead: a SIP or tel URI, or a number, which is then one
    /// of the trunk's first gateway. on_transfer() tells what becomes of it, and the call goes on
    /// meanwhile (RFC 3515). errc::wrong_state before the answer, and while another is under way;
    /// errc::forbidden for what the trunk itself does not dial: forbidden() says why.
    outcome<> transfer(std::string_view target);
    /// After on_referred(): the SIP status of the call that was asked for; a final one is the last.
    outcome<> report_referral(int status);

    /// The reason stands in the record and, as RFC 3326 has it, in the BYE.
    void hang_up(std::string_view reason = {});
    /// The agent cannot go on: 500, or BYE with that reason, and the record says ended_by::agent.
    void fail(std::string_view reason);
    void hang_up_after_drain(); ///< When all that was said has been sent.

protected:
    call() = default;
    ~call() = default;

private:
    friend class trunks::engine;
    friend class incoming_call;
    trunks::engine* engine_ = nullptr;
    trunks::live_call* self_ = nullptr;
};

/// What on_incoming is given.
class TRUNKLINE_EXPORT incoming_call : public call {
public:
    /// A header of the INVITE as it came, the first of that name, in any spelling: Diversion,
    /// P-Asserted-Identity, Privacy, Identity or an X- of the carrier's. Empty when there is none,
    /// and once the call was answered. The trunk's carrier says so; whether that is true it knows.
    [[nodiscard]] std::string_view header(std::string_view name) const;
    /// All headers, in order.
    void each_header(
        const std::function<void(std::string_view name, std::string_view value)>& visit) const;
    /// Parts of the INVITE's body that are no SDP (RFC 5621), in order; nothing once the call was
    /// answered. What comes later is told by agent::on_body_part().
    void each_body_part(const std::function<void(std::string_view content_type,
                                                 std::string_view content)>& visit) const;
};

/// A call to make. `agent` is told of everything, a failure too: what the trunk's dialling guard
/// forbids (forbidden() in dialling_guard.hpp) ends as 403 with a sentence that names the setting.
struct dial_request {
    std::string to{};    ///< A number, a tel URI, or the user of a SIP URI.
    std::string from{};  ///< Empty: the trunk's caller_id.
    std::string trunk{}; ///< Empty: the first that takes outbound calls.
    std::unique_ptr<trunkline::agent> agent{};
    std::string agent_name{}; ///< For the record.
    /// Who asked for it, by a name: a trunk's calls_per_token counts by it. Empty: it does not.
    std::string token{};
    std::optional<std::chrono::seconds> ringing_timeout{}; ///< 1 s to 24 h; none: the trunk's.
    /// The callee is not to see who calls: Privacy: id, an anonymous From, and the caller in
    /// P-Asserted-Identity, for the carrier alone (RFC 3325 section 9.1).
    bool anonymous = false;
    /// Of this INVITE, after the trunk's own. As trunk_config::headers: not what the library
    /// writes.
    std::vector<std::pair<std::string, std::string>> headers{};
};

} // namespace trunkline
