#include <trunkline/trunk/registration.hpp>

#include <algorithm>
#include <utility>

#include <trunkline/core/limits.hpp>
#include <trunkline/sip/via_transport.hpp>
#include <trunkline/sip/writer.hpp>

namespace trunkline {

std::string_view name(registration_state what) noexcept {
    switch (what) {
    case registration_state::idle: return "idle";
    case registration_state::registering: return "registering";
    case registration_state::registered: return "registered";
    case registration_state::waiting: return "waiting";
    case registration_state::unregistering: return "unregistering";
    }
    return "idle";
}

} // namespace trunkline

namespace trunkline::trunks {

namespace {

using std::chrono::seconds;

constexpr std::size_t room_for_request = 4096;
constexpr int most_raises = 2;
constexpr int most_challenges = 4; // Of a proxy and of who is behind it, each with a stale nonce.

/// Another address may do better. All else is what the carrier has decided about us.
[[nodiscard]] bool may_pass_over(int status) noexcept {
    return status == 408 || (status >= 500 && status < 600);
}

/// delta-seconds of a parameter; what is too large to count is cut off.
[[nodiscard]] std::optional<seconds> read_seconds(std::string_view text) {
    if (text.empty()) return std::nullopt;
    std::int64_t value = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return std::nullopt;
        value = std::min<std::int64_t>(value * 10 + (c - '0'), 0xffff'ffff);
    }
    return seconds{value};
}

} // namespace

registration::registration(const environment& around, std::shared_ptr<const trunk> on,
                           owner_id owner)
    : around_{around},
      on_{std::move(on)},
      owner_{owner},
      // Neither a Call-ID nor a tag of a call: nobody lives in that slot.
      call_id_{{around.shard, 0xffff'ffff, 0}, around.random},
      tag_{{around.shard, 0xffff'ffff, 0}, around.random},
      asked_{on_->config.registration->expires} {
    timer_.owner = this;
    timer_.kind = timer_kind;
}

registration::~registration() {
    around_.wheel.disarm(timer_);
    if (request_) around_.transactions.forget(request_);
}

bool registration::serves(const trunk& other) const {
    const auto& ours = on_->config;
    const auto& theirs = other.config;
    return on_->contact_user == other.contact_user && ours.registration == theirs.registration &&
           ours.auth == theirs.auth && ours.tls == theirs.tls && on_->gateways == other.gateways &&
           ours.signalling.advertise == theirs.signalling.advertise;
}

duration registration::between(duration least, duration most) {
    const auto range = static_cast<std::uint64_t>((most - least).count());
    return least + duration{static_cast<duration::rep>(around_.random.below(range + 1))};
}

void registration::tell(outbox& out) {
    registration_status made;
    made.trunk = on_->config.name;
    made.state = state_;
    if (cseq_ != 0) {
        made.gateway = in_uri(on_->gateways[gateway_].host, on_->gateways[gateway_].port);
    }
    made.sip_code = last_status_;
    made.reason = last_reason_;
    if (state_ != registration_state::idle && bound_until_ != time_point{}) {
        made.expires = bound_until_;
    }
    if (state_ == registration_state::waiting) made.retry = timer_.deadline();
    around_.told.push_back(std::move(made));
    out.tell(owner_id::none, event_code);
}

void registration::begin(time_point now, outbox& out) {
    if (state_ != registration_state::idle || over_) return;
    state_ = registration_state::registering;
    tell(out);
    start_round(now, out);
}

void registration::start_round(time_point now, outbox& out) {
    around_.wheel.disarm(timer_);
    state_ = registration_state::registering;
    step_ = step::naming;
    names_settled(now, out);
}

void registration::names_settled(time_point now, outbox& out) {
    if (step_ != step::naming) return;
    const auto& gateways = on_->gateways;
    const bool known = std::ranges::all_of(
        gateways, [&](const gateway& one) { return around_.names.settled(gateway_name::of(one)); });
    if (!known) return;
    const auto before = std::exchange(targets_, {});
    // An address may take by TCP what it does not take by UDP.
    const auto same = [&](const std::vector<target>& of, std::size_t gateway, const endpoint& to) {
        return std::ranges::find_if(of, [&, gateway](const target& one) {
            return one.to == to && gateways[one.gateway].transport == gateways[gateway].transport;
        });
    };
    for (std::size_t i = 0; i < gateways.size(); ++i) {
        for (const auto& to : around_.names.find(gateway_name::of(gateways[i]))) {
            if (targets_.size() == limits::gateway_addresses) break;
            if (same(targets_, i, to) != targets_.end()) continue;
            const auto old = same(before, i, to);
            targets_.push_back({i, to, old == before.end() ? time_point{} : old->not_before});
        }
    }
    // Whoever knows us is to go on knowing us: two registrars would both have calls for us.
    const auto bound = same(targets_, bound_gateway_, bound_at_) - targets_.cbegin();
    const auto first = targets_.begin() + bound;
    if (first != targets_.end()) std::rotate(targets_.begin(), first, first + 1);
    next_ = 0;
    if (targets_.empty()) {
        last_status_ = 0;
        last_reason_ = "no gateway's name can be resolved";
    }
    try_next(now, out);
}

/// When all were passed over, the next round waits for as long as RFC 5626 section 4.5 says, and
/// for as long as all of them have asked us to (RFC 3261 section 21.5.4).
void registration::try_next(time_point now, outbox& out) {
    while (next_ < targets_.size() && targets_[next_].not_before > now) ++next_;
    if (next_ < targets_.size()) return connect(targets_[next_].gateway, targets_[next_].to, out);
    failures_ = std::min(failures_ + 1, 6U);
    const duration most = std::min<duration>(back_off_most, back_off_base * (1U << failures_));
    auto when = now + between(most / 2, most);
    if (!targets_.empty()) {
        const auto soonest = std::ranges::min(targets_, {}, &target::not_before).not_before;
        when = std::max(when, soonest + between({}, seconds{5}));
    }
    wait_until(when, out);
}

void registration::wait_until(time_point when, outbox& out) {
    state_ = registration_state::waiting;
    step_ = step::none;
    around_.wheel.arm(timer_, when);
    tell(out);
}

void registration::connect(std::size_t gateway, const endpoint& to, outbox& out) {
    step_ = step::connecting;
    gateway_ = gateway;
    const auto& at = on_->gateways[gateway];
    const auto& name = on_->config.tls.server_name;
    out.connect(token{static_cast<std::uint64_t>(owner_)}, at.transport.value_or(transport::udp),
                listener_id{}, to, {on_->tls.profile, name.empty() ? at.host : name});
}

void registration::flow_up(calls::signalling_path path, time_point now, outbox& out) {
    if (step_ != step::connecting) return;
    const bool leaving = state_ == registration_state::unregistering;
    // It was left on its way to somebody else.
    if (leaving && path.peer != bound_at_) return connect(bound_gateway_, bound_at_, out);
    path_ = std::move(path);
    // What one address asked for is not another one's to know.
    if (challenger_ != path_.peer) {
        credentials_.forget();
        challenger_.reset();
    }
    challenges_ = 0;
    raised_ = 0;
    send(now, out);
}

void registration::flow_down(std::string_view words, time_point now, outbox& out) {
    if (step_ != step::connecting) return;
    pass_over(0, std::string{words}, now, out);
}

void registration::write_request(sip::writer& to) {
    const auto& at = on_->gateways[gateway_];
    const auto host = in_uri(at.host, at.port == 5060 ? std::uint16_t{0} : at.port);
    const auto registrar = "sip:" + host;
    const auto who = "<sip:" + sip::escape_user(on_->config.auth->username) + '@' + host + '>';
    const auto expires = removing_ ? seconds{0} : asked_;
    to.request_line("REGISTER", registrar);
    to.name(sip::header::via).raw("SIP/2.0/").raw(sip::in_via(path_.over)).raw(" ");
    to.text(path_.sent_by);
    to.raw(";branch=").raw(around_.transactions.branch(request_)).raw(";rport").line();
    to.field(sip::header::max_forwards, 70);
    to.name(sip::header::from).text(who).raw(";tag=").raw(tag_.view()).line();
    to.field(sip::header::to, who);
    to.field(sip::header::call_id, call_id_.view());
    to.name(sip::header::cseq).number(++cseq_).raw(" REGISTER").line();
    to.name(sip::header::contact).raw("<sip:").raw(on_->contact_user).raw("@");
    to.text(path_.sent_by);
    if (path_.over != transport::udp) {
        to.raw(";transport=").raw(path_.over == transport::tls ? "tls" : "tcp");
    }
    to.raw(">;expires=").number(expires.count()).line();
    to.field(sip::header::expires, expires.count());
    const auto& settings = *on_->settings;
    if (!settings.user_agent.empty()) to.field(sip::header::user_agent, settings.user_agent);
    credentials_.write(to, "REGISTER", registrar, settings, around_.random);
    to.no_body();
}

void registration::send(time_point now, outbox& out) {
    removing_ = state_ == registration_state::unregistering;
    step_ = step::asking;
    request_ = around_.transactions.open(sip::method::register_, path_.flow, reliable(), owner_);
    sip::writer to{out.reserve(path_.flow, room_for_request, owner_)};
    write_request(to);
    const auto bytes = out.commit(to.size());
    if (!bytes.empty()) return around_.transactions.sent(request_, bytes, now);
    around_.transactions.forget(std::exchange(request_, {}));
    pass_over(0, "what the carrier asks for cannot be sent", now, out);
}

void registration::pass_over(int status, std::string reason, time_point now, outbox& out) {
    last_status_ = status;
    last_reason_ = std::move(reason);
    if (state_ == registration_state::unregistering) return finish(out);
    ++next_;
    try_next(now, out);
}

void registration::receive_response(const sip::message_view& response, sip::transaction_id id,
                                    time_point now, outbox& out) {
    if (!request_ || id != request_ || response.status() < 200) return;
    around_.transactions.disown(std::exchange(request_, {}));
    const auto status = response.status();
    const bool challenged = (status == 401 || status == 407) && take_challenge(response, out);
    if (state_ == registration_state::unregistering) return left(response, challenged, now, out);
    if (challenged) return send(now, out);
    if (status < 300) return accepted(response, now, out);
    if (status == 423 && ask_longer(response)) return send(now, out);
    refused(response, now, out);
}

void registration::transaction_ended(const sip::transaction_layer::ended& what, time_point now,
                                     outbox& out) {
    using why = sip::transaction_layer::ended::why;
    if (what.what == why::nothing || !request_ || what.id != request_) return;
    request_ = {};
    const bool timeout = what.what == why::timeout;
    pass_over(timeout ? 408 : 0,
              timeout ? "no answer from the gateway" : "the gateway cannot be reached", now, out);
}

void registration::accepted(const sip::message_view& response, time_point now, outbox& out) {
    const auto granted = granted_by(response);
    if (granted == seconds{0}) {
        bound_until_ = {};
        return pass_over(response.status(), "the gateway took it, and keeps it for no time", now,
                         out);
    }
    failures_ = 0;
    last_status_ = response.status();
    last_reason_.clear();
    bound_gateway_ = gateway_;
    bound_at_ = path_.peer;
    bound_until_ = now + granted;
    state_ = registration_state::registered;
    step_ = step::none;
    // What is left has to do for an attempt that times out, and for another gateway; and trunks
    // that began together need not go on together.
    const duration whole = granted;
    const auto most = std::min<duration>(whole * 3 / 4, whole - spare_time);
    const auto after = most > shortest_refresh ? between(most * 2 / 3, most) : duration{};
    around_.wheel.arm(timer_, now + std::max<duration>(after, shortest_refresh));
    tell(out);
}

/// The parameter of our own Contact, of those that the registrar knows; else Expires; else what we
/// asked for (section 10.2.4). Some write a Contact of their own in ours' place.
seconds registration::granted_by(const sip::message_view& response) const {
    std::optional<seconds> granted;
    response.each_element(sip::header::contact, [&](std::string_view text) {
        const auto contact = sip::name_addr_view::parse(text);
        if (!contact || contact->uri.user != on_->contact_user) return;
        if (const auto own = contact->parameters.find("expires")) granted = read_seconds(*own);
    });
    if (!granted) {
        const auto all = response.seconds(sip::header::expires);
        granted = all ? seconds{*all} : asked_;
    }
    return std::min(*granted, longest);
}

/// Section 10.2.8. What it asks for is remembered: each refresh would be refused again.
bool registration::ask_longer(const sip::message_view& response) {
    const auto least = response.seconds(sip::header::min_expires);
    if (!least || seconds{*least} <= asked_ || seconds{*least} > longest) return false;
    asked_ = seconds{*least};
    if (raised_++ >= most_raises) return false;
    challenges_ = 0; // Its nonce may be spent, and the next one is the first of another attempt.
    return true;
}

void registration::refused(const sip::message_view& response, time_point now, outbox& out) {
    const auto status = response.status();
    std::string words{response.reason().substr(0, 256)};
    if (may_pass_over(status)) {
        const auto bar = response.seconds(sip::header::retry_after);
        if (bar && next_ < targets_.size()) {
            targets_[next_].not_before = now + std::min(seconds{*bar}, longest_bar);
        }
        return pass_over(status, std::move(words), now, out);
    }
    last_status_ = status;
    last_reason_ = std::move(words);
    wait_until(now + between(back_off_most / 2, back_off_most), out);
}

/// The first challenge of an attempt blames no password: the nonce of the last one may be spent.
bool registration::take_challenge(const sip::message_view& response, outbox& out) {
    using verdict = calls::credentials::verdict;
    if (challenges_ == 0) credentials_.forget();
    const bool loops = challenges_++ == most_challenges;
    const auto found = loops ? verdict::repeated : credentials_.take(response, *on_->settings);
    challenger_ = path_.peer;
    if (found == verdict::answered) return true;
    out.note(severity::warning, diagnostic::challenge_ignored, owner_id::none,
             {static_cast<std::int64_t>(found)});
    return false;
}

void registration::fire(time_point now, outbox& out) {
    switch (state_) {
    case registration_state::registered:
    case registration_state::waiting: return start_round(now, out);
    case registration_state::unregistering: return finish(out);
    case registration_state::idle:
    case registration_state::registering: return;
    }
}

void registration::leave(time_point now, outbox& out) {
    if (over_ || state_ == registration_state::unregistering) return;
    around_.wheel.disarm(timer_);
    // One at a time: what is under way has to be answered first (section 10.2).
    const bool asking = step_ == step::asking;
    if (!asking && !bound(now)) return finish(out);
    state_ = registration_state::unregistering;
    around_.wheel.arm(timer_, now + patience);
    tell(out);
    if (!asking && step_ != step::connecting) connect(bound_gateway_, bound_at_, out);
}

/// What came to a registration that is being left: first what was asked before it was, and then
/// what became of taking it back.
void registration::left(const sip::message_view& response, bool challenged, time_point now,
                        outbox& out) {
    const bool before = !removing_;
    if (before && response.status() < 300) bound_until_ = now + granted_by(response);
    if (before ? bound(now) : challenged) return send(now, out);
    last_status_ = response.status();
    finish(out);
}

/// Whatever is unanswered is not sent again: it could undo what a successor has registered.
void registration::finish(outbox& out) {
    around_.wheel.disarm(timer_);
    if (request_) around_.transactions.forget(std::exchange(request_, {}));
    state_ = registration_state::idle;
    step_ = step::none;
    over_ = true;
    tell(out);
}

} // namespace trunkline::trunks
