// A registrar that answers whatever it likes, whenever it likes.
#include <trunkline/trunk/registration.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <trunkline/core/text.hpp>

namespace {

using namespace trunkline;
using namespace std::chrono_literals;
using trunks::registration;

void require(bool holds) {
    if (!holds) std::abort();
}

class bytes_of {
public:
    explicit bytes_of(std::span<const std::uint8_t> all) noexcept : all_{all} {}
    [[nodiscard]] bool over() const noexcept { return all_.empty(); }
    [[nodiscard]] std::uint8_t next() noexcept {
        if (all_.empty()) return 0;
        const auto first = all_.front();
        all_ = all_.subspan(1);
        return first;
    }
    [[nodiscard]] std::string_view take(std::size_t most) noexcept {
        const auto taken = all_.first(std::min(most, all_.size()));
        all_ = all_.subspan(taken.size());
        return as_text(std::as_bytes(taken));
    }

private:
    std::span<const std::uint8_t> all_;
};

/// The value of the first header line of that name.
[[nodiscard]] std::string line_of(const std::string& text, std::string_view name) {
    const auto at = text.find("\r\n" + std::string{name} + ": ");
    if (at == std::string::npos) return {};
    const auto begin = at + name.size() + 4;
    return text.substr(begin, text.find("\r\n", begin) - begin);
}

[[nodiscard]] std::shared_ptr<const trunks::trunk> trunk_of() {
    trunk_config config;
    config.name = "carrier";
    config.gateways = {{"198.51.100.1"}, {"198.51.100.2"}};
    config.auth = userpass{"alice", "secret"};
    config.registration.emplace();
    return *trunks::compile(trunk_id{1}, std::move(config), {}, nullptr, nullptr);
}

class run {
public:
    explicit run(bytes_of from) : from_{from} {
        machine_->begin(now_, out_);
        settle();
        while (!from_.over()) step();
        // Whatever it is in the midst of, it lets go in time.
        leave();
        advance(registration::patience + 1ms);
        require(machine_->over());
        advance(10min);
        require(wheel_.size() == 0 && transactions_.size() == 0);
    }

private:
    struct request {
        std::string text;
        endpoint to;
    };

    void step() {
        const auto what = from_.next();
        switch (what % 8) {
        case 0: return advance(std::chrono::milliseconds{from_.next() * 10});
        case 1: return advance(std::chrono::seconds{from_.next() * 8});
        case 2: unreachable_ = from_.next() % 4; return;
        case 3: return insist();
        case 4: return answer(requests_.size() - 1, some_status(), some_fields());
        case 5: return answer(from_.next(), some_status(), some_fields());
        case 6: return answer(requests_.size() - 1, some_status(), std::string{from_.take(200)});
        default: return receive(std::string{from_.take(400)}, {});
        }
    }
    /// The same again and again, at once: that must end by itself.
    void insist() {
        const auto how = from_.next();
        if (how % 16 == 0) return leave();
        for (unsigned i = 0; i < 20; ++i) {
            const auto last = requests_.size() - 1;
            if (how % 4 == 0) {
                answer(last, "423 Brief", "Min-Expires: " + std::to_string(301 + i) + "\r\n");
            } else if (how % 4 == 1) {
                answer(last, "401 Who",
                       "WWW-Authenticate: Digest realm=\"r\",nonce=\"m\",stale=true\r\n");
            } else {
                answer(last, "200 OK", "Expires: 1\r\n");
            }
        }
    }
    [[nodiscard]] std::string some_status() {
        static constexpr std::array<std::string_view, 12> all{
            "200 OK",        "401 Who", "407 Who", "423 Brief", "503 Later", "403 No",
            "302 Elsewhere", "100 Try", "500 Bad", "408 Late",  "699 Never", "204 Fine"};
        return std::string{all[from_.next() % all.size()]};
    }
    [[nodiscard]] std::string number() {
        static constexpr std::array<std::string_view, 8> all{"0",   "1",    "59",   "299",
                                                             "301", "7200", "7201", "4294967296"};
        const auto drawn = from_.next();
        return drawn < all.size() ? std::string{all[drawn]} : std::to_string(290 + drawn);
    }
    [[nodiscard]] std::string some_fields() {
        const auto which = from_.next();
        std::string made;
        if ((which & 1U) != 0) made += "Expires: " + number() + "\r\n";
        if ((which & 2U) != 0) made += "Min-Expires: " + number() + "\r\n";
        if ((which & 4U) != 0) made += "Retry-After: " + number() + "\r\n";
        if ((which & 8U) != 0) {
            made += "Contact: <sip:" + on_->contact_user + "@192.0.2.1:5060>;expires=" + number() +
                    "\r\n";
        }
        if ((which & 16U) != 0) made += challenge("WWW-Authenticate");
        if ((which & 32U) != 0) made += challenge("Proxy-Authenticate");
        return made;
    }
    [[nodiscard]] std::string challenge(std::string_view name) {
        const auto how = from_.next();
        return std::string{name} + ": Digest realm=\"r\",nonce=\"n" + std::to_string(how) +
               ((how & 1U) != 0 ? "\",stale=true" : "\"") +
               ((how & 2U) != 0 ? ",algorithm=SHA-256" : "") +
               ((how & 4U) != 0 ? ",qop=\"auth\"" : "") + "\r\n";
    }
    /// An answer to what was sent as `which`, from whom it was sent to.
    void answer(std::size_t which, const std::string& status, const std::string& fields) {
        if (requests_.empty()) return;
        const auto& of = requests_[which % requests_.size()];
        auto text = "SIP/2.0 " + status + "\r\nVia: " + line_of(of.text, "Via") +
                    "\r\nFrom: " + line_of(of.text, "From") + "\r\nTo: " + line_of(of.text, "To") +
                    ";tag=theirs\r\nCall-ID: " + line_of(of.text, "Call-ID") +
                    "\r\nCSeq: " + line_of(of.text, "CSeq") + "\r\n" + fields +
                    "Content-Length: 0\r\n\r\n";
        receive(std::move(text), of.to);
    }
    void receive(std::string text, const endpoint& from) {
        sip::message_view response;
        if (!response.parse(text) || response.is_request()) return;
        const auto got = transactions_.receive(response, {1, 1}, now_, out_);
        if (got.what == sip::transaction_layer::fate::response && got.owner == machine_->owner()) {
            if (response.status() == 401 || response.status() == 407)
                said_by_[from].push_back(text);
            machine_->receive_response(response, got.id, now_, out_);
        }
        settle();
    }
    void leave() {
        machine_->leave(now_, out_);
        if (!left_) left_ = now_;
        settle();
    }
    void advance(duration by) {
        const auto until = now_ + by;
        while (const auto next = wheel_.next_deadline()) {
            if (*next > until) break;
            now_ = std::max(now_, *next);
            wheel_.advance(now_, [&](timer_node& node) {
                if (node.kind == registration::timer_kind) return machine_->fire(now_, out_);
                const auto ended = transactions_.fire(node, now_, out_);
                if (ended.owner == machine_->owner()) {
                    machine_->transaction_ended(ended, now_, out_);
                }
            });
            settle();
        }
        now_ = until;
    }
    void settle() {
        std::vector<effects::connect> connects;
        do {
            connects.clear();
            for (const auto& what : out_) {
                if (const auto* wanted = std::get_if<effects::connect>(&what)) {
                    require(wanted->asked == token{5});
                    connects.push_back(*wanted);
                } else if (const auto* bytes = std::get_if<effects::send>(&what)) {
                    sent(std::string{as_text(bytes->bytes)});
                }
            }
            out_.clear();
            require(connects.size() <= 1); // One at a time.
            for (const auto& each : connects) {
                const bool first = each.to.address == address::v4(198, 51, 100, 1);
                require(first || each.to.address == address::v4(198, 51, 100, 2));
                if ((unreachable_ & (first ? 1U : 2U)) != 0) {
                    machine_->flow_down("the gateway cannot be reached", now_, out_);
                    continue;
                }
                peer_ = each.to;
                machine_->flow_up({.flow = {1, 1}, .peer = peer_, .sent_by = "192.0.2.1:5060"},
                                  now_, out_);
            }
        } while (!out_.empty());
        check();
    }
    void sent(std::string text) {
        if (!requests_.empty() && text == requests_.back().text) return; // Sent again.
        sip::message_view made;
        auto copy = text;
        require(made.parse(copy).has_value() && made.method() == sip::method::register_);
        require(made.cseq().number == ++cseq_);
        require(made.contact() != nullptr && made.contact()->uri.user == on_->contact_user);
        if (!requests_.empty()) {
            require(line_of(text, "Call-ID") == line_of(requests_[0].text, "Call-ID"));
        }
        for (const auto* name : {"Authorization", "Proxy-Authorization"}) {
            const auto line = line_of(text, name);
            if (line.empty()) continue;
            const auto at = line.find("nonce=\"") + 7;
            const auto nonce = line.substr(at, line.find('"', at) - at);
            // Whoever is told has asked, with this very nonce.
            const auto& asked = said_by_[peer_];
            require(std::ranges::any_of(asked, [&](const std::string& one) {
                return one.find(nonce) != std::string::npos;
            }));
        }
        require(text.find("secret") == std::string::npos);
        require(!machine_->over());
        // Two addresses, each asked once, twice more for 423 and four times for its challenges; and
        // taken back once, challenged as often.
        times_.push_back(now_);
        while (times_.front() + 14s < now_) times_.pop_front();
        require(times_.size() <= 2 * 7 + 5);
        requests_.push_back({std::move(text), peer_});
    }
    void check() {
        require(told_.size() <= 8);
        told_.clear();
        const auto deadline = machine_->next_deadline();
        require(!deadline || *deadline > now_);
        if (deadline) require(*deadline - now_ <= 2h);
        if (machine_->over()) require(!deadline);
        if (left_ && now_ > *left_ + registration::patience) require(machine_->over());
    }

    bytes_of from_;
    timer_wheel wheel_;
    seeded_entropy random_{1};
    sip::transaction_layer transactions_{{}, wheel_, random_, 0};
    trunks::gateway_names names_{wheel_, random_};
    std::deque<registration_status> told_;
    outbox out_;
    time_point now_{1h};
    std::shared_ptr<const trunks::trunk> on_ = trunk_of();
    std::unique_ptr<registration> machine_ = std::make_unique<registration>(
        registration::environment{transactions_, wheel_, random_, names_, told_, 0}, on_,
        owner_id{5});
    endpoint peer_{};
    unsigned unreachable_ = 0;
    std::uint32_t cseq_ = 0;
    std::vector<request> requests_;
    std::map<endpoint, std::vector<std::string>> said_by_;
    std::deque<time_point> times_;
    std::optional<time_point> left_;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const run all{bytes_of{{data, size}}};
    return 0;
}
