#include "socket_hub.hpp"

#include <future>
#include <utility>

#include <asio/post.hpp>

#include "twilio.hpp"

namespace softswitch {

void socket_settings::trust(std::string_view agent) {
    if (!is_socket_url(agent)) return;
    if (auto url = socket_url::parse(agent)) trusted.emplace(std::move(url->host), url->port);
}

socket_hub::socket_hub(const socket_settings& how, io_thread& on) : how_{how}, on_{on} {
    tls_.set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                     asio::ssl::context::no_tlsv1_1);
    tls_.set_default_verify_paths();
    if (!how_.ca_file.empty()) tls_.load_verify_file(how_.ca_file.string());
    tls_.set_verify_mode(asio::ssl::verify_peer);
}

socket_hub::~socket_hub() {
    for (const auto& one : lines_) {
        if (const auto line = one.lock()) line->drop();
    }
}

void socket_hub::connect(const socket_url& to, socket_line::outcome then) {
    asio::post(on_.io(), [this, to, then = std::move(then)]() mutable {
        const auto line = std::make_shared<socket_line>(on_, to);
        std::erase_if(lines_, [](const auto& one) { return one.expired(); });
        lines_.push_back(line);
        const bool trusted = how_.allow_private || how_.trusted.contains({to.host, to.port});
        line->connect(tls_, how_.identity, std::make_unique<twilio>(),
                      {how_.connect_within, trusted}, std::move(then));
    });
}

std::size_t socket_hub::lines() {
    std::promise<std::size_t> counted;
    asio::post(on_.io(), [&] {
        std::erase_if(lines_, [](const auto& one) { return one.expired(); });
        counted.set_value(lines_.size());
    });
    return counted.get_future().get();
}

} // namespace softswitch
