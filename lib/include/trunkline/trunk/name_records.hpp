// What the DNS has said, each question by itself: kept for as long as it holds, asked again before
// that is over, and used beyond it while nobody answers.
#pragma once

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <trunkline/core/address.hpp>
#include <trunkline/core/export.hpp>
#include <trunkline/core/outbox.hpp>
#include <trunkline/core/time.hpp>
#include <trunkline/sip/dns.hpp>

namespace trunkline::trunks {

struct name_question {
    std::string name;
    record_type type = record_type::a;

    friend auto operator<=>(const name_question&, const name_question&) = default;
};

/// What the last good answer brought; no failure takes it away.
struct name_record {
    std::vector<address> addresses;          ///< Of the family that was asked for.
    std::vector<sip::dns::service> services; ///< At most limits::srv_targets.
    bool from_hosts = false;                 ///< The operator's own word, not the DNS's.
    bool answered = false;                   ///< Once at least, be it by a failure,
    bool good = false;                       ///< and once at least by what the DNS knows.
    bool pending = false;                    ///< Asked, and not answered yet.
    time_point refresh_at{};
};

/// No clock and no timer: its owner asks for next_deadline() and calls refresh().
class TRUNKLINE_EXPORT name_records {
public:
    /// A lookup takes no longer than this; so much before its end an answer is asked for again.
    static constexpr duration patience = std::chrono::seconds{2};

    explicit name_records(std::uint64_t first_token = 1) noexcept : next_token_{first_token} {}

    /// Forgets all other questions, and asks those at once that are new.
    void keep(const std::set<name_question>& wanted, time_point now, outbox& out);
    /// Asks again what is due.
    void refresh(time_point now, outbox& out);
    /// What was asked, when it was an answer to a question of ours; it need not be kept any more.
    std::optional<name_question> receive(const inputs::resolved& answer, time_point now,
                                         outbox& out);

    /// Nothing when it is not kept.
    [[nodiscard]] const name_record* find(const name_question& about) const;
    [[nodiscard]] std::optional<time_point> next_deadline() const;
    [[nodiscard]] std::size_t size() const noexcept { return records_.size(); }

private:
    void ask(const name_question& about, name_record& into, time_point now, outbox& out);

    std::map<name_question, name_record> records_;
    std::map<std::uint64_t, name_question> pending_;
    std::uint64_t next_token_;
};

} // namespace trunkline::trunks
