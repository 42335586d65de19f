// Answers of every kind, in any order and at any time, for names that stay the same.
#include <trunkline/trunk/gateway_names.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <trunkline/core/limits.hpp>

namespace {

using namespace trunkline;
using namespace std::chrono_literals;
using trunks::gateway_name;
using trunks::gateway_names;

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
    [[nodiscard]] std::span<const std::byte> take(std::size_t most) noexcept {
        const auto taken = all_.first(std::min(most, all_.size()));
        all_ = all_.subspan(taken.size());
        return std::as_bytes(taken);
    }

private:
    std::span<const std::uint8_t> all_;
};

class run {
public:
    explicit run(bytes_of from) : from_{from} {
        keep();
        while (!from_.over()) step();
    }

private:
    struct question {
        token asked;
        record_type type;
    };

    void step() {
        const auto what = from_.next();
        const auto index = from_.next();
        switch (what % 6) {
        case 0: return advance(std::chrono::milliseconds{index * 10});
        case 1: return advance(std::chrono::seconds{index});
        case 2: used_ ^= static_cast<std::uint8_t>(1U << (index % all_.size())); return keep();
        case 3: return answer(index, {}, {});
        case 4: {
            const address host = address::v4(192, 0, 2, from_.next());
            return answer(index, {}, {&host, 1});
        }
        default: return answer(index, from_.take(from_.next()), {});
        }
    }
    void keep() {
        std::vector<gateway_name> wanted;
        for (std::size_t i = 0; i < all_.size(); ++i) {
            if ((used_ >> i & 1U) != 0) wanted.push_back(all_[i]);
        }
        names_.keep(wanted, now_, out_);
        settle();
    }
    void answer(std::size_t index, std::span<const std::byte> message,
                std::span<const address> hosts) {
        if (questions_.empty()) return;
        const auto at = questions_.begin() + static_cast<std::ptrdiff_t>(index % questions_.size());
        const auto asked = at->asked;
        questions_.erase(at);
        named_.insert(hosts.begin(), hosts.end());
        if (const auto read = sip::dns::parse(message)) {
            named_.insert(read->addresses.begin(), read->addresses.end());
            for (const auto& one : read->services) ports_.insert(one.port);
        }
        require(names_.receive({asked, message, hosts}, now_, out_));
        require(!names_.receive({asked, message, hosts}, now_, out_)); // Once only.
        settle();
    }
    void advance(duration by) {
        const auto until = now_ + by;
        while (const auto next = wheel_.next_deadline()) {
            if (*next > until) break;
            now_ = std::max(now_, *next);
            wheel_.advance(now_, [&](timer_node&) { names_.fire(now_, out_); });
            settle();
            // Whatever was due is done: time cannot stand still.
            const auto after = wheel_.next_deadline();
            require(!after || *after > *next);
        }
        now_ = until;
    }
    void settle() {
        for (const auto& what : out_) {
            if (const auto* asked = std::get_if<effects::resolve>(&what)) {
                require(asked->name.size() <= 300);
                questions_.push_back({asked->asked, asked->type});
            }
        }
        out_.clear();
        for (const auto& each : all_) check(each);
    }
    void check(const gateway_name& each) {
        const auto found = names_.find(each);
        require(found.size() <= limits::gateway_addresses);
        require(std::set<endpoint>(found.begin(), found.end()).size() == found.size());
        for (const auto& to : found) {
            require(named_.contains(to.address)); // Nobody calls where no answer points to.
            require(to.port != 0 &&
                    (to.port == each.port || to.port == 5060 || ports_.contains(to.port)));
            require(each.port == 0 || to.port == each.port);
            require(names_.stands_for(each, to.address));
            require(names_.lead_to(to.address));
        }
        require(found.empty() || names_.settled(each));
    }

    bytes_of from_;
    timer_wheel wheel_;
    seeded_entropy random_{1};
    gateway_names names_{wheel_, random_};
    outbox out_;
    time_point now_{1s};
    const std::vector<gateway_name> all_{{"a.test"}, {"a.test", 5090}, {"b.a.test"}};
    std::uint8_t used_ = 7;
    std::vector<question> questions_;
    std::set<address> named_;
    std::set<std::uint16_t> ports_;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const run all{bytes_of{{data, size}}};
    return 0;
}
