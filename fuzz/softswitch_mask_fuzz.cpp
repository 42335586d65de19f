#include "mask.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

} // namespace

/// What was masked stays as it is when it is masked again; and a secret in front of whatever the
/// fuzzer thinks of is never in what comes out, wherever else the fuzzer puts its bytes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace softswitch;
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto masked = masked_message(text);
    require(masked_message(masked) == masked);

    // Not to be found in the input, which is why it is made of bytes that the fuzzer has not.
    constexpr std::string_view secret = "\x01planted\x02";
    if (text.find("planted") != std::string_view::npos) return 0;
    std::string message = "INVITE sip:a@b SIP/2.0\r\nAuthorization: Digest response=\"";
    message.append(secret).append("\"\r\n").append(text);
    require(masked_message(message).find("planted") == std::string::npos);
    message = "v=0\r\n\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:";
    message.append(secret).append("\r\n").append(text);
    require(masked_message(message).find("planted") == std::string::npos);
    return 0;
}
