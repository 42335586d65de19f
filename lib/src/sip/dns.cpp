#include <trunkline/sip/dns.hpp>

#include <algorithm>

#include <trunkline/core/outbox.hpp>

namespace trunkline::sip::dns {

namespace {

constexpr std::uint16_t cname = 5;
constexpr std::uint16_t soa = 6;

/// Reads forward only, and remembers that it ran out.
class reader {
public:
    explicit reader(std::span<const std::byte> bytes) noexcept : bytes_{bytes} {}

    [[nodiscard]] std::uint16_t u16() noexcept {
        const auto high = u8();
        return static_cast<std::uint16_t>(high << 8 | u8());
    }
    [[nodiscard]] std::uint32_t u32() noexcept {
        const std::uint32_t high = u16();
        return high << 16 | u16();
    }
    [[nodiscard]] std::uint8_t u8() noexcept {
        if (at_ >= bytes_.size()) {
            failed_ = true;
            return 0;
        }
        return static_cast<std::uint8_t>(bytes_[at_++]);
    }
    void skip(std::size_t count) noexcept {
        if (count > bytes_.size() - at_) {
            failed_ = true;
            at_ = bytes_.size();
        } else {
            at_ += count;
        }
    }
    /// A domain name, section 4.1.4. A pointer may only point back, so it ends.
    [[nodiscard]] result<std::string> name() {
        std::string text;
        auto at = at_;
        auto limit = at_;
        bool jumped = false;
        while (true) {
            if (at >= bytes_.size()) return failure(errc::bad_length, at);
            const auto length = static_cast<std::uint8_t>(bytes_[at]);
            if ((length & 0xc0) == 0xc0) {
                if (at + 1 >= bytes_.size()) return failure(errc::bad_length, at);
                const auto to = static_cast<std::size_t>((length & 0x3f) << 8 |
                                                         static_cast<std::uint8_t>(bytes_[at + 1]));
                if (!jumped) at_ = at + 2;
                if (to >= limit) return failure(errc::bad_token, at);
                jumped = true;
                at = limit = to;
                continue;
            }
            if ((length & 0xc0) != 0) return failure(errc::bad_token, at);
            ++at;
            if (length == 0) break;
            if (at + length > bytes_.size()) return failure(errc::bad_length, at);
            // 255 on the wire (section 2.3.4): without the first length and the root, 253.
            if (text.size() + length + 1 > longest) return failure(errc::limit_exceeded, at);
            if (!text.empty()) text.push_back('.');
            for (std::size_t i = 0; i < length; ++i) {
                text.push_back(static_cast<char>(bytes_[at + i]));
            }
            at += length;
        }
        if (!jumped) at_ = at;
        return text;
    }
    [[nodiscard]] bool failed() const noexcept { return failed_; }
    [[nodiscard]] std::size_t at() const noexcept { return at_; }
    void seek(std::size_t to) noexcept { at_ = std::min(to, bytes_.size()); }

private:
    static constexpr std::size_t longest = 253;

    [[nodiscard]] error failure(errc code, std::size_t at) noexcept {
        failed_ = true;
        return {.code = code, .offset = static_cast<std::uint32_t>(at)};
    }

    std::span<const std::byte> bytes_;
    std::size_t at_ = 0;
    bool failed_ = false;
};

/// RFC 2181 section 8: with the top bit set it is zero.
[[nodiscard]] std::chrono::seconds as_ttl(std::uint32_t seconds) noexcept {
    return std::chrono::seconds{seconds > 0x7fff'ffff ? 0 : seconds};
}

/// The first SOA of the authority section: the lesser of its TTL and its minimum counts. What
/// cannot be read there is not worth an answer that could be read.
[[nodiscard]] std::optional<std::chrono::seconds> read_nothing_for(reader& in,
                                                                   std::uint16_t records) {
    for (unsigned i = 0; i < records && i < most_records; ++i) {
        if (!in.name()) return std::nullopt;
        const auto type = in.u16();
        const auto kind = in.u16();
        const auto ttl = as_ttl(in.u32());
        const auto length = in.u16();
        const auto end = in.at() + length;
        constexpr std::size_t before_minimum = 16; // Serial, refresh, retry, expire.
        if (type == soa && kind == 1) {
            if (!in.name() || !in.name()) return std::nullopt;
            in.skip(before_minimum);
            const auto minimum = as_ttl(in.u32());
            if (in.failed() || in.at() != end) return std::nullopt;
            return std::min(ttl, minimum);
        }
        in.skip(length);
        if (in.failed()) return std::nullopt;
    }
    return std::nullopt;
}

[[nodiscard]] address read_address(reader& from, bool v4) noexcept {
    address read;
    if (v4) read = address::v4(0, 0, 0, 0);
    for (std::size_t i = v4 ? 12 : 0; i < 16; ++i) read.bytes[i] = from.u8();
    return read;
}

} // namespace

result<answer> parse(std::span<const std::byte> message) {
    reader in{message};
    answer read;
    in.skip(2);
    read.rcode = static_cast<std::uint8_t>(in.u16() & 15);
    const auto questions = in.u16();
    const auto answers = in.u16();
    const auto authorities = in.u16();
    in.skip(2);
    const auto too_short = [&] {
        return error{.code = errc::bad_length, .offset = static_cast<std::uint32_t>(in.at())};
    };
    if (in.failed()) return too_short();
    if (questions > most_records) return error{.code = errc::limit_exceeded, .offset = 4};
    for (unsigned i = 0; i < questions; ++i) {
        if (const auto name = in.name(); !name) return name.reason();
        in.skip(4);
    }
    bool first = true;
    for (unsigned i = 0; i < answers && i < most_records; ++i) {
        if (const auto name = in.name(); !name) return name.reason();
        const auto type = in.u16();
        const auto kind = in.u16();
        const auto ttl = as_ttl(in.u32());
        const auto length = in.u16();
        const auto end = in.at() + length;
        if (in.failed() || end > message.size()) return too_short();
        const bool v4 = type == static_cast<std::uint16_t>(record_type::a) && length == 4;
        const bool v6 = type == static_cast<std::uint16_t>(record_type::aaaa) && length == 16;
        const bool srv = type == static_cast<std::uint16_t>(record_type::srv) && length >= 7;
        const bool alias = type == cname;
        if (kind == 1 && (v4 || v6 || srv || alias)) {
            if (srv) {
                service one{in.u16(), in.u16(), in.u16(), {}};
                auto target = in.name();
                if (!target) return target.reason();
                if (in.at() > end) return too_short();
                one.target = *std::move(target);
                read.services.push_back(std::move(one));
            } else if (!alias) {
                read.addresses.push_back(read_address(in, v4));
            }
            read.ttl = first ? ttl : std::min(read.ttl, ttl);
            first = false;
        }
        in.seek(end);
    }
    if (in.failed()) return too_short();
    if (answers <= most_records) read.nothing_for = read_nothing_for(in, authorities);
    return read;
}

} // namespace trunkline::sip::dns
