// What a name server says, written byte by byte: header, question, and one record after the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <trunkline/core/address.hpp>
#include <trunkline/core/outbox.hpp>
#include <trunkline/sip/dns.hpp>

namespace trunkline::support {

class dns_message {
public:
    dns_message(std::string_view name, record_type type, unsigned rcode = 0) {
        for (const auto value : {7U, 0x8180U | rcode, 1U, 0U, 0U, 0U}) u16(value);
        put(name);
        u16(static_cast<unsigned>(type));
        u16(1);
    }
    void add(const address& host, unsigned ttl) {
        const bool v4 = host.is_v4();
        head(v4 ? record_type::a : record_type::aaaa, ttl, v4 ? 4 : 16);
        for (std::size_t i = v4 ? 12 : 0; i < 16; ++i) u8(host.bytes[i]);
    }
    void add(const sip::dns::service& one, unsigned ttl) {
        const auto length = one.target.empty() ? 7 : one.target.size() + 8;
        head(record_type::srv, ttl, static_cast<unsigned>(length));
        u16(one.priority);
        u16(one.weight);
        u16(one.port);
        put(one.target);
    }
    /// The zone's word, after all answers, for how long there is nothing.
    void add_soa(unsigned ttl, unsigned minimum) {
        made_[9] = std::byte{1};
        record(6, ttl, 2 + 20);
        u8(0);
        u8(0);
        for (int i = 0; i < 8; ++i) u16(0);
        u32(minimum);
    }
    [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return made_; }

private:
    void u8(unsigned value) { made_.push_back(static_cast<std::byte>(value & 0xff)); }
    void u16(unsigned value) {
        u8(value >> 8);
        u8(value);
    }
    void u32(unsigned value) {
        u16(value >> 16);
        u16(value);
    }
    void put(std::string_view name) {
        while (!name.empty()) {
            const auto label = name.substr(0, name.find('.'));
            u8(static_cast<unsigned>(label.size()));
            for (const char c : label) u8(static_cast<unsigned char>(c));
            name.remove_prefix(label.size() == name.size() ? label.size() : label.size() + 1);
        }
        u8(0);
    }
    void head(record_type type, unsigned ttl, unsigned length) {
        const auto count = std::to_integer<unsigned>(made_[7]) + 1;
        made_[7] = static_cast<std::byte>(count & 0xff);
        record(static_cast<unsigned>(type), ttl, length);
    }
    void record(unsigned type, unsigned ttl, unsigned length) {
        u16(0xc00c); // The name of the question.
        u16(type);
        u16(1);
        u32(ttl);
        u16(length);
    }

    std::vector<std::byte> made_;
};

} // namespace trunkline::support
