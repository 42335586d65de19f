#include "webhook_url.hpp"

#include <memory>

#include <curl/curl.h>
#include <fmt/format.h>

namespace softswitch {

namespace {

struct url_deleter {
    void operator()(CURLU* what) const { curl_url_cleanup(what); }
};
using parsed_url = std::unique_ptr<CURLU, url_deleter>;

/// Null when it is none: libcurl's own reading, so that what is checked is what is called.
[[nodiscard]] parsed_url parse(std::string_view text) {
    parsed_url made{curl_url()};
    const std::string copy{text};
    if (copy.size() != std::string{copy.c_str()}.size()) return nullptr;
    if (made && curl_url_set(made.get(), CURLUPART_URL, copy.c_str(), 0) != CURLUE_OK) {
        return nullptr;
    }
    return made;
}

[[nodiscard]] std::string part(const parsed_url& of, CURLUPart which) {
    char* text = nullptr;
    if (curl_url_get(of.get(), which, &text, 0) != CURLUE_OK) return {};
    std::string copy{text};
    curl_free(text);
    return copy;
}

} // namespace

std::string wrong_with_webhook_url(std::string_view text) {
    const auto url = parse(text);
    const auto scheme = url ? part(url, CURLUPART_SCHEME) : std::string{};
    if ((scheme != "http" && scheme != "https") || part(url, CURLUPART_HOST).empty()) {
        return R"(has to be an address on the web, as "https://example.net/calls")";
    }
    return {};
}

std::string receiver_of(std::string_view url) {
    const auto parsed = parse(url);
    if (!parsed) return {};
    return fmt::format("{}://{}", part(parsed, CURLUPART_SCHEME), part(parsed, CURLUPART_HOST));
}

} // namespace softswitch
