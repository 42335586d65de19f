#include <trunkline/sip/transaction_layer.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <trunkline/core/text.hpp>

namespace {

using namespace trunkline;
using namespace trunkline::sip;
using layer = transaction_layer;

void require(bool holds) {
    if (!holds) std::abort();
}

/// Plays a program, one instruction a byte: requests and responses that come, requests and answers
/// that go, time that passes, flows that break.
class player {
public:
    void play(std::string_view program) {
        for (const char c : program) {
            const auto code = static_cast<unsigned char>(c);
            step(code >> 4, code & 15U);
            check();
        }
        finish();
    }

private:
    struct client {
        transaction_id id;
        bool invite = false;
        bool over = false; ///< It had its outcome.
    };
    struct server {
        transaction_id id;
        bool invite = false;
    };

    void step(unsigned what, unsigned which) {
        switch (what) {
        case 0: return receive("INVITE", which, false);
        case 1: return receive("ACK", which, false);
        case 2: return receive("BYE", which, true);
        case 3: return receive("CANCEL", which, false);
        case 4: return open(which);
        case 5: return answered(which, 100);
        case 6: return answered(which, 180);
        case 7: return answered(which, 200);
        case 8: return answered(which, 486);
        case 9: return respond(which, 180);
        case 10: return respond(which, 200);
        case 11: return respond(which, 404);
        case 12: return pass(std::chrono::milliseconds{1U << which});
        case 13: return cancel(which);
        case 14: return fail(which);
        default: return receive(which % 2 == 0 ? "WIBBLE" : "OPTIONS", which, true);
        }
    }

    void receive(std::string_view method, unsigned which, bool inside) {
        const std::string text =
            std::string{method} + " sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=" +
            (which % 4 == 3 ? "old" : "z9hG4bK") + std::to_string(which / 4) +
            "\r\nFrom: <sip:a@h>;tag=a\r\nTo: <sip:b@h>" + (inside ? ";tag=b" : "") +
            "\r\nCall-ID: " + std::to_string(which % 2) + "\r\nCSeq: 1 " + std::string{method} +
            "\r\n\r\n";
        auto copy = text;
        require(view_.parse(copy).has_value());
        const auto got = layer_.receive(view_, flow, now_, out_);
        require(got.what != layer::fate::response && got.what != layer::fate::unmatched);
        if (got.what == layer::fate::ack) require(method == "ACK");
        if (got.what != layer::fate::fresh) return;
        require(method != "ACK");
        if (method == "CANCEL" && layer_.cancelled(view_))
            require(layer_.cancelled(view_)->id.generation != 0);
        if (servers_.size() >= 32) return;
        const auto id = layer_.accept(view_, flow, which % 5 == 0, owner_id{1});
        servers_.push_back({id, method == "INVITE"});
        // A copy of it belongs to it from now on.
        copy = text;
        require(view_.parse(copy).has_value());
        const auto again = layer_.receive(view_, flow, now_, out_);
        require(again.what == layer::fate::absorbed && again.id == id);
    }

    void open(unsigned which) {
        if (clients_.size() >= 32) return;
        const bool invite = which % 2 == 0;
        const auto id = layer_.open(invite ? method::invite : method::options, flow, which % 5 == 0,
                                    owner_id{2});
        if (which == 15) return layer_.forget(id); // Thought better of it.
        layer_.sent(id, as_bytes(request(id, invite)), now_);
        clients_.push_back({id, invite, false});
    }
    [[nodiscard]] std::string request(transaction_id id, bool invite) const {
        return std::string{invite ? "INVITE" : "OPTIONS"} + " sip:b@h SIP/2.0\r\n" +
               lines(std::string{layer_.branch(id)}, invite ? "INVITE" : "OPTIONS");
    }
    [[nodiscard]] static std::string lines(const std::string& branch, std::string_view method) {
        return "Via: SIP/2.0/UDP me;branch=" + branch +
               "\r\nFrom: <sip:a@h>;tag=a\r\nTo: <sip:b@h>;tag=b\r\nCall-ID: mine\r\nCSeq: 1 " +
               std::string{method} + "\r\n\r\n";
    }

    /// A response comes, to what may be over since long.
    void answered(unsigned which, int status) {
        if (clients_.empty()) return;
        auto& one = clients_[which % clients_.size()];
        if (one.id.generation == 0 || branches_.size() != clients_.size()) remember();
        const auto& branch = branches_[which % clients_.size()];
        if (branch.empty()) return;
        const bool of_cancel = one.invite && which >= 12;
        auto text = "SIP/2.0 " + std::to_string(status) + " x\r\n" +
                    lines(branch, of_cancel    ? "CANCEL"
                                  : one.invite ? "INVITE"
                                               : "OPTIONS");
        require(view_.parse(text).has_value());
        const auto got = layer_.receive(view_, flow, now_, out_);
        require(got.what == layer::fate::response || got.what == layer::fate::absorbed ||
                got.what == layer::fate::unmatched);
        if (got.what != layer::fate::response || of_cancel) return;
        require(got.id == one.id);
        if (status < 200) {
            require(!one.over);
        } else {
            require(!one.over || (one.invite && status < 300));
            one.over = true;
        }
    }
    void remember() {
        branches_.resize(clients_.size());
        for (std::size_t i = 0; i < clients_.size(); ++i) {
            if (branches_[i].empty() && alive(clients_[i].id)) {
                branches_[i] = std::string{layer_.branch(clients_[i].id)};
            }
        }
    }
    [[nodiscard]] bool alive(transaction_id id) const {
        for (const auto& one : ended_) {
            if (one == id) return false;
        }
        return true;
    }

    void respond(unsigned which, int status) {
        if (servers_.empty()) return;
        const auto& one = servers_[which % servers_.size()];
        const auto text = "SIP/2.0 " + std::to_string(status) + " x\r\n\r\n";
        layer_.responded(one.id, status, as_bytes(text), now_);
    }
    void cancel(unsigned which) {
        if (clients_.empty()) return;
        layer_.cancel(clients_[which % clients_.size()].id, now_, out_);
    }
    void fail(unsigned which) {
        std::vector<layer::ended> told;
        layer_.flow_failed(which % 2 == 0 ? flow : flow_id{9, 9}, now_, told);
        require(which % 2 == 0 || told.empty());
        for (const auto& one : told) hear(one);
    }
    void pass(duration time) {
        remember();
        now_ += time;
        wheel_.advance(now_, [this](timer_node& node) { hear(layer_.fire(node, now_, out_)); });
        require(!wheel_.next_deadline() || *wheel_.next_deadline() > now_);
    }
    void hear(const layer::ended& told) {
        if (told.what == layer::ended::why::nothing) return;
        ended_.push_back(told.id);
        for (auto& one : clients_) {
            if (one.id != told.id) continue;
            require(!one.over); // One outcome, never two.
            one.over = true;
        }
    }

    void check() {
        for (const auto& one : out_) {
            const auto* sent = std::get_if<effects::send>(&one);
            require(sent != nullptr && sent->flow == flow && !sent->bytes.empty());
        }
        out_.clear();
        require(wheel_.size() <= layer_.size());
    }
    /// Whatever was begun is brought to its end: nothing may be left then.
    void finish() {
        remember();
        for (std::size_t i = 0; i < clients_.size(); ++i) {
            if (branches_[i].empty()) continue;
            auto text = "SIP/2.0 500 x\r\n" +
                        lines(branches_[i], clients_[i].invite ? "INVITE" : "OPTIONS");
            require(view_.parse(text).has_value());
            if (layer_.receive(view_, flow, now_, out_).what == layer::fate::response) {
                require(!clients_[i].over);
                clients_[i].over = true;
            }
        }
        for (const auto& one : servers_) layer_.responded(one.id, 500, as_bytes("x"), now_);
        check();
        for (int i = 0; i < 80; ++i) pass(std::chrono::seconds{1});
        out_.clear();
        require(layer_.size() == 0 && wheel_.size() == 0);
        for (const auto& one : clients_) require(one.over);
    }

    static constexpr flow_id flow{1, 1};
    timers values_;
    timer_wheel wheel_;
    seeded_entropy random_{1};
    layer layer_{values_, wheel_, random_, 0};
    outbox out_;
    message_view view_;
    time_point now_{};
    std::vector<client> clients_;
    std::vector<std::string> branches_;
    std::vector<server> servers_;
    std::vector<transaction_id> ended_;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    player{}.play({reinterpret_cast<const char*>(data), size < 128 ? size : 128});
    return 0;
}
