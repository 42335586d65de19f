#include <trunkline/rtp/session.hpp>

#include <algorithm>
#include <variant>

namespace trunkline::rtp {

namespace {

constexpr std::int64_t second = 1'000'000'000;
constexpr std::int64_t seconds_1900_to_1970 = 2'208'988'800;

/// Bits 16 to 47 of an NTP time: seconds and 65,536ths, as reports carry it.
[[nodiscard]] constexpr std::uint32_t middle_of(std::uint64_t ntp) noexcept {
    return static_cast<std::uint32_t>(ntp >> 16);
}

[[nodiscard]] constexpr duration from_65536ths(std::int64_t parts) noexcept {
    return duration{parts * second / 65'536};
}

[[nodiscard]] constexpr std::uint32_t to_65536ths(duration time) noexcept {
    constexpr std::int64_t most = 0xffff'ffff;
    const auto whole = time.count() / second;
    if (whole > most / 65'536) return static_cast<std::uint32_t>(most);
    const auto parts = whole * 65'536 + time.count() % second * 65'536 / second;
    return static_cast<std::uint32_t>(std::max<std::int64_t>(parts, 0));
}

} // namespace

session::session(const config& values, entropy& random)
    : config_{values},
      random_{&random},
      sender_{values.clock_rate, random},
      receiver_{values.clock_rate} {
    random.token(cname_);
}

reception session::receive(const packet_view& packet, time_point now, bool restarted) {
    if (!next_report_) arm(now);
    return receiver_.receive(packet.header, now, restarted);
}

header session::send(std::uint8_t payload_type, bool marker, std::size_t octets, time_point now) {
    if (!next_report_) arm(now);
    return sender_.next(payload_type, marker, octets, now);
}

header session::send_at(rtp::timestamp at, std::uint8_t payload_type, bool marker,
                        std::size_t octets, time_point now) {
    if (!next_report_) arm(now);
    return sender_.next_at(at, payload_type, marker, octets);
}

/// Half to one and a half of the interval, so that the reports of many calls that began together
/// spread out (section 6.3.1).
void session::arm(time_point now) {
    if (left_ || config_.report_interval <= duration::zero()) return;
    const auto interval = config_.report_interval;
    const auto spread = random_->below(static_cast<std::uint64_t>(interval.count()) + 1);
    next_report_ = now + interval / 2 + duration{static_cast<std::int64_t>(spread)};
}

result<rtcp_news> session::receive_rtcp(std::span<const std::byte> bytes, time_point now) noexcept {
    const auto compound = rtcp_view::parse(bytes);
    if (!compound) return compound.reason();
    auto news = rtcp_news::report;
    for (const rtcp_packet_view& packet : *compound) {
        if (const auto* sr = std::get_if<sender_report_view>(&packet)) {
            hear(*sr, now);
            hear(sr->reports, now);
        } else if (const auto* rr = std::get_if<receiver_report_view>(&packet)) {
            hear(rr->reports, now);
        } else if (const auto* bye = std::get_if<bye_view>(&packet)) {
            // Before any media there is nobody else whom it could mean.
            if (!receiver_.has_source() || bye->names(receiver_.ssrc())) news = rtcp_news::bye;
        }
    }
    return news;
}

void session::hear(const sender_report_view& report, time_point now) noexcept {
    if (receiver_.has_source() && report.ssrc != receiver_.ssrc()) return;
    last_sr_ = heard_sr{report.ssrc, middle_of(report.info.ntp), now};
}

void session::hear(const report_blocks_view& reports, time_point now) noexcept {
    for (std::size_t i = 0; i < reports.size(); ++i) {
        const auto block = reports[i];
        if (block.ssrc != sender_.ssrc()) continue;
        far_end_ = far_end_report{.fraction_lost = block.fraction_lost / 256.0,
                                  .lost = block.cumulative_lost,
                                  .jitter = duration_of(block.jitter, config_.clock_rate)};
        measure_round_trip(block, now);
    }
}

/// Section 6.4.1: the time since our report was sent, less what the far end kept it.
void session::measure_round_trip(const report_block& block, time_point now) noexcept {
    const auto known =
        sent_sr_.begin() + static_cast<std::ptrdiff_t>(std::min(sent_srs_, sent_sr_.size()));
    if (std::find(sent_sr_.begin(), known, block.last_sr) == known) return;
    const auto whole = static_cast<std::int64_t>(middle_of(ntp(now)) - block.last_sr);
    const auto parts = whole - static_cast<std::int64_t>(block.delay_since_last_sr);
    // On a fast network the far end's rounding makes it a little negative; more is a broken clock.
    constexpr std::int64_t rounding = 65'536 / 100;
    if (parts < -rounding) return;
    round_trip_ = from_65536ths(std::max<std::int64_t>(parts, 0));
}

std::uint64_t session::ntp(time_point now) const noexcept {
    const auto unix_time = now.time_since_epoch().count() + config_.wall_clock_offset.count();
    auto whole = unix_time / second;
    auto rest = unix_time % second;
    if (rest < 0) {
        rest += second;
        --whole;
    }
    const auto seconds = static_cast<std::uint32_t>(whole + seconds_1900_to_1970); // Wraps in 2036.
    const auto fraction = (static_cast<std::uint64_t>(rest) << 32) / second;
    return static_cast<std::uint64_t>(seconds) << 32 | fraction;
}

std::size_t session::write_report(std::span<std::byte> into, time_point now) {
    return write(into, now, false);
}

std::size_t session::write_bye(std::span<std::byte> into, time_point now) {
    return write(into, now, true);
}

std::size_t session::write(std::span<std::byte> into, time_point now, bool leaving) {
    if (into.size() < report_size) return 0;
    auto block = receiver_.report();
    if (block && last_sr_ && last_sr_->ssrc == block->ssrc) {
        block->last_sr = last_sr_->middle;
        block->delay_since_last_sr = to_65536ths(now - last_sr_->at);
    }
    const auto blocks =
        block ? std::span<const report_block>{&*block, 1} : std::span<const report_block>{};
    // Section 6.4: a sender is who sent since the report before the last.
    quiet_intervals_ = sender_.packets() != packets_prior_ ? 0 : std::min(quiet_intervals_ + 1, 2U);
    packets_prior_ = sender_.packets();
    rtcp_writer out{into};
    if (quiet_intervals_ < 2) {
        const auto info = sender_.info(ntp(now), now);
        sent_sr_[sent_srs_++ % sent_sr_.size()] = middle_of(info.ntp);
        out.sender_report(ssrc(), info, blocks);
    } else {
        out.receiver_report(ssrc(), blocks);
    }
    out.cname(ssrc(), cname());
    if (leaving) out.bye(ssrc());
    left_ = left_ || leaving;
    next_report_.reset();
    arm(now);
    return out.size();
}

session_statistics session::statistics() const noexcept {
    const auto heard = receiver_.totals();
    return {.sent_packets = sender_.packets(),
            .sent_octets = sender_.octets(),
            .received = heard.received,
            .lost = heard.lost,
            .duplicates = heard.duplicates,
            .reordered = heard.reordered,
            .sources = heard.sources,
            .jitter = duration_of(receiver_.jitter(), config_.clock_rate),
            .far_end = far_end_,
            .round_trip = round_trip_};
}

} // namespace trunkline::rtp
