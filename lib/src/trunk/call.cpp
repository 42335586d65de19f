#include <trunkline/sip/multipart.hpp>
#include <trunkline/trunk/call.hpp>

#include <algorithm>
#include <utility>

#include <trunkline/core/text.hpp>
#include <trunkline/sip/uri.hpp>
#include <trunkline/trunk/agent.hpp>
#include <trunkline/trunk/dialling_guard.hpp>
#include <trunkline/trunk/engine.hpp>

namespace trunkline {

namespace {

constexpr error wrong_thread{.code = errc::wrong_thread};
constexpr error wrong_state{.code = errc::wrong_state};
constexpr error gone{.code = errc::gone};

} // namespace

agent::~agent() = default;

void agent::on_referred(call& of, std::string_view) {
    static_cast<void>(of.report_referral(603));
}

std::uint64_t call::id() const noexcept {
    return self_->record.id;
}
trunkline::direction call::direction() const noexcept {
    return self_->record.direction;
}
std::string_view call::trunk() const noexcept {
    return self_->record.trunk;
}
std::string_view call::from() const noexcept {
    return self_->record.from;
}
std::string_view call::to() const noexcept {
    return self_->record.to;
}
std::string_view call::number() const noexcept {
    return self_->record.number;
}
std::string_view call::agent_name() const noexcept {
    return self_->record.agent;
}
std::string_view call::fallback_name() const noexcept {
    return self_->fallback;
}
std::string_view incoming_call::header(std::string_view name) const {
    const auto* leg = engine_->leg_of(*self_);
    const auto* invite = leg != nullptr ? leg->request() : nullptr;
    if (invite == nullptr) return {};
    const auto known = sip::header_of(name);
    if (known == sip::header::privacy) return invite->privacy();
    if (known != sip::header::other) return invite->value(known);
    for (const auto& field : invite->fields()) {
        if (iequals(field.name, name)) return field.value;
    }
    return {};
}
void incoming_call::each_header(
    const std::function<void(std::string_view name, std::string_view value)>& visit) const {
    const auto* leg = engine_->leg_of(*self_);
    const auto* invite = leg != nullptr ? leg->request() : nullptr;
    if (invite == nullptr) return;
    for (const auto& field : invite->fields()) visit(field.name, field.value);
}
void incoming_call::each_body_part(
    const std::function<void(std::string_view content_type, std::string_view content)>& visit)
    const {
    const auto* leg = engine_->leg_of(*self_);
    const auto* invite = leg != nullptr ? leg->request() : nullptr;
    if (invite == nullptr) return;
    sip::body_parts parts;
    static_cast<void>(parts.read(*invite));
    for (const auto& one : parts.all()) {
        if (one.encoded || !iequals(one.type(), "application/sdp")) {
            visit(one.content_type, one.content);
        }
    }
}
call_handle call::handle() const {
    return {self_->record.id, engine_->config_.mailbox};
}
media_statistics call::statistics() const {
    const auto* leg = engine_->leg_of(*self_);
    const auto* media = leg ? leg->media() : nullptr;
    return media ? media->statistics() : self_->record.media;
}
time_point call::now() const noexcept {
    return engine_->active_ ? engine_->active_->now : self_->record.started;
}

outcome<> call::ringing() {
    if (engine_->active_ == nullptr) return wrong_thread;
    auto* leg = engine_->commanded(*self_);
    if (leg == nullptr) return gone;
    const auto done = leg->ringing(engine_->active_->now, engine_->active_->out);
    if (done && !self_->record.ringing) {
        self_->record.ringing = engine_->active_->now - self_->record.started;
    }
    return done;
}

outcome<> call::progress() {
    if (engine_->active_ == nullptr) return wrong_thread;
    auto* leg = engine_->commanded(*self_);
    return leg ? leg->progress(engine_->active_->now, engine_->active_->out) : result<void>{gone};
}

outcome<> call::answer(std::unique_ptr<agent> who, answer_options how) {
    if (engine_->active_ == nullptr) return wrong_thread;
    auto* leg = engine_->commanded(*self_);
    if (leg == nullptr) return gone;
    if (self_->decided) return wrong_state;
    const auto done = leg->answer(how.media, engine_->active_->now, engine_->active_->out);
    if (done) {
        self_->decided = true;
        self_->who = std::move(who);
    }
    return done;
}

outcome<> call::reject(int code, std::string_view reason, std::span<const std::string> targets) {
    if (engine_->active_ == nullptr) return wrong_thread;
    if (code < 300 || code > 699) return error{.code = errc::bad_number};
    for (std::size_t i = 0; i < reason.size(); ++i) {
        const auto byte = static_cast<unsigned char>(reason[i]);
        if (byte >= 0x20 && byte != 0x7f) continue;
        return error{.code = errc::bad_token, .offset = static_cast<std::uint32_t>(i)};
    }
    constexpr auto contact = static_cast<std::uint8_t>(sip::header::contact);
    if (code < 400 && targets.empty()) return error{.code = errc::missing, .field = contact};
    if (code >= 400 && !targets.empty()) return error{.code = errc::mismatch, .field = contact};
    std::string fields;
    for (const auto& one : targets) {
        const bool plain = one.find_first_of(" <>\"\r\n\t") == std::string::npos;
        if (!plain || !sip::uri_view::parse(one) || fields.size() + one.size() > 1024)
            return error{.code = errc::bad_address, .field = contact};
        fields += "Contact: <" + one + ">\r\n";
    }
    auto* leg = engine_->commanded(*self_);
    if (leg == nullptr) return gone;
    if (self_->decided) return wrong_state;
    self_->decided = true;
    // Where the configuration names nobody, the application's 404 is not its own choice.
    const auto why = code == 404 && agent_name().empty() ? diagnostic::refused_no_agent
                                                         : diagnostic::refused_by_application;
    self_->record.refused = why;
    const auto words = reason.empty() ? sip::reason_phrase(code) : reason;
    const auto& [now, out] = std::pair{engine_->active_->now, &engine_->active_->out};
    out->note(severity::info, why, self_->id.owner(), {0, code});
    leg->reject(code, words, fields,
                {.by = ended_by::application, .sip_code = code, .reason = std::string{words}}, now,
                *out);
    return {};
}

outcome<> call::send(const audio_frame& frame) {
    return send(frame.samples);
}

outcome<> call::send(std::span<const std::int16_t> pcm) {
    if (engine_->active_ == nullptr) return wrong_thread;
    auto* leg = engine_->commanded(*self_);
    if (leg == nullptr) return gone;
    if (leg->media() == nullptr) return wrong_state;
    const auto done = leg->media()->send(pcm, engine_->active_->now, engine_->active_->out);
    leg->rearm_media();
    return done;
}

result<utterance> call::say() {
    if (engine_->active_ == nullptr) return wrong_thread;
    auto* leg = engine_->commanded(*self_);
    if (leg == nullptr) return gone;
    if (leg->media() == nullptr) return wrong_state;
    const auto opened = leg->media()->speech().open();
    if (!opened) return opened.reason();
    return utterance{*engine_, self_->record.id, *opened};
}

outcome<std::vector<cleared>> call::clear() {
    if (engine_->active_ == nullptr) return wrong_thread;
    auto* leg = engine_->commanded(*self_);
    if (leg == nullptr) return gone;
    std::vector<cleared> told;
    if (leg->media() == nullptr) return told;
    for (const auto& one : leg->media()->speech().clear()) {
        told.push_back({static_cast<std::uint64_t>(one.id), one.sent, one.unsent});
    }
    leg->media()->tell_happened(engine_->active_->out);
    // What it waited for will never be sent.
    if (self_->hang_up_when_drained) hang_up();
    return told;
}

outcome<> call::pause() {
    if (engine_->active_ == nullptr) return wrong_thread;
    auto* leg = engine_->commanded(*self_);
    if (leg == nullptr) return gone;
    if (leg->media() == nullptr) return wrong_state;
    leg->media()->speech().pause();
    return {};
}

outcome<> call::resume() {
    if (engine_->active_ == nullptr) return wrong_thread;
    auto* leg = engine_->commanded(*self_);
    if (leg == nullptr) return gone;
    if (leg->media() == nullptr) return wrong_state;
    leg->media()->speech().resume();
    return {};
}

outcome<> call::send_digits(std::string_view digits) {
    if (engine_->active_ == nullptr) return wrong_thread;
    auto* leg = engine_->commanded(*self_);
    if (leg == nullptr) return gone;
    if (leg->media() == nullptr) return wrong_state;
    const auto done = leg->media()->send_digits(digits, engine_->active_->now);
    leg->rearm_media();
    return done;
}

outcome<> call::transfer(std::string_view target) {
    if (engine_->active_ == nullptr) return wrong_thread;
    auto* leg = engine_->commanded(*self_);
    if (leg == nullptr) return gone;
    const auto& [now, out] = std::pair{engine_->active_->now, &engine_->active_->out};
    // The peer calls it by the trunk's carrier, and the operator pays.
    if (forbidden(self_->trunk->config, target)) return error{.code = errc::forbidden};
    const bool number = !target.empty() && sip::telephone_number(target) == target;
    if (!number) return leg->transfer(target, now, *out);
    const auto& gateways = self_->trunk->gateways;
    const auto host = gateways.empty() ? to_text(leg->path().peer.address) : gateways.front().host;
    const auto literal = address::parse(host);
    const bool bare = literal && !literal->is_v4() && !host.starts_with('[');
    return leg->transfer("sip:" + std::string{target} + '@' + (bare ? '[' + host + ']' : host), now,
                         *out);
}

outcome<> call::report_referral(int status) {
    if (engine_->active_ == nullptr) return wrong_thread;
    auto* leg = engine_->commanded(*self_);
    return leg ? leg->report_referral(status, engine_->active_->now, engine_->active_->out)
               : result<void>{gone};
}

void call::hang_up(std::string_view reason) {
    if (engine_->active_ == nullptr || self_->ended) return;
    const auto why = reason.empty() ? std::string_view{"hung up"} : reason;
    engine_->hang_up(*self_, ended_by::application, 0, why);
}

void call::fail(std::string_view reason) {
    if (engine_->active_ == nullptr || self_->ended) return;
    engine_->hang_up(*self_, ended_by::agent, 500, reason);
}

void call::hang_up_after_drain() {
    if (engine_->active_ == nullptr || self_->ended) return;
    self_->hang_up_when_drained = true;
    const auto* leg = engine_->leg_of(*self_);
    if (leg == nullptr || leg->media() == nullptr || leg->media()->speech().empty()) hang_up();
}

namespace {

[[nodiscard]] bool ours(const trunks::live_call* found, std::uint64_t id) {
    return found != nullptr && found->record.id == id && !found->ended;
}

} // namespace

outcome<std::size_t> utterance::write(std::span<const std::int16_t> pcm) {
    if (engine_ == nullptr) return wrong_state;
    if (engine_->active_ == nullptr) return wrong_thread;
    auto* found = engine_->calls_.at(static_cast<std::uint32_t>(call_));
    auto* leg = ours(found, call_) ? engine_->commanded(*found) : nullptr;
    if (leg == nullptr || leg->media() == nullptr) return gone;
    return leg->media()->speech().write(id_, pcm);
}

outcome<> utterance::mark(std::string_view name) {
    if (engine_ == nullptr) return wrong_state;
    if (engine_->active_ == nullptr) return wrong_thread;
    auto* found = engine_->calls_.at(static_cast<std::uint32_t>(call_));
    auto* leg = ours(found, call_) ? engine_->commanded(*found) : nullptr;
    if (leg == nullptr || leg->media() == nullptr) return gone;
    const auto tag = found->first_mark + found->marks.size();
    const auto done = leg->media()->speech().mark(id_, tag);
    if (!done) return done;
    found->marks.emplace_back(std::string{name});
    leg->media()->tell_happened(engine_->active_->out);
    return {};
}

outcome<> utterance::finish() {
    if (engine_ == nullptr) return wrong_state;
    if (engine_->active_ == nullptr) return wrong_thread;
    auto* found = engine_->calls_.at(static_cast<std::uint32_t>(call_));
    auto* leg = ours(found, call_) ? engine_->commanded(*found) : nullptr;
    if (leg == nullptr || leg->media() == nullptr) return gone;
    const auto done = leg->media()->speech().finish(id_);
    leg->media()->tell_happened(engine_->active_->out);
    return done;
}

result<std::size_t> utterance::sent_up_to() const {
    if (engine_ == nullptr) return wrong_state;
    if (engine_->active_ == nullptr) return wrong_thread;
    auto* found = engine_->calls_.at(static_cast<std::uint32_t>(call_));
    auto* leg = ours(found, call_) ? engine_->commanded(*found) : nullptr;
    if (leg == nullptr || leg->media() == nullptr) return gone;
    return leg->media()->speech().sent_up_to(id_);
}

bool call_handle::post(std::function<void(call&)> what, std::function<void()> if_gone) const {
    if (!shard_ || !*shard_) return false;
    return (*shard_)([id = id_, what = std::move(what), if_gone = std::move(if_gone)](
                         trunks::engine& engine) { engine.with_call(id, what, if_gone); });
}

void call_batch::add(const call_handle& to, std::function<void(call&)> what) {
    if (!to.shard_ || !*to.shard_) return;
    auto found = std::ranges::find(waiting_, to.shard_, [](const auto& one) { return one.first; });
    if (found == waiting_.end()) found = waiting_.insert(found, {to.shard_, {}});
    found->second.push_back({to.id_, std::move(what)});
}

bool call_batch::post() {
    bool taken = true;
    for (auto& [shard, tasks] : std::exchange(waiting_, {})) {
        taken = (*shard)([tasks = std::move(tasks)](trunks::engine& engine) {
                    for (const auto& one : tasks) engine.with_call(one.id, one.what, {});
                }) &&
                taken;
    }
    return taken;
}

bool call_handle::hang_up(std::string reason) const {
    return post([reason = std::move(reason)](call& which) { which.hang_up(reason); });
}

bool call_handle::clear(std::function<void(std::vector<cleared>)> done) const {
    return post([done = std::move(done)](call& which) {
        auto told = which.clear();
        if (done && told) done(*std::move(told));
    });
}

} // namespace trunkline
