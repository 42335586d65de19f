// Who watches events: what each was told, what each has not read, and who is cut off for it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "calls/call_view.hpp"

namespace softswitch {

/// The connection of one that watches.
class stream_sink {
public:
    stream_sink() = default;
    stream_sink(const stream_sink&) = delete;
    stream_sink& operator=(const stream_sink&) = delete;
    virtual ~stream_sink() = default;

    /// `then` is called, perhaps later, with whether it was sent; it is not called from within.
    virtual void send(std::string bytes, std::function<void(bool)> then) = 0;
    /// Sends these and closes.
    virtual void finish(std::string bytes) = 0;
    /// Closes, whatever waits to be sent.
    virtual void cut() = 0;
    [[nodiscard]] virtual bool is_open() const = 0;
};

/// Used by one thread.
class event_streams {
public:
    /// `most_unread` is in bytes, of one who watches.
    explicit event_streams(std::size_t most_unread) : most_unread_{most_unread} {}

    /// `missed` is what it asked for. Whoever has seen the event `after` is not told of it again.
    void add(const std::shared_ptr<stream_sink>& whom, std::optional<std::uint64_t> after,
             const std::vector<call_event>& missed);
    void remove(const std::shared_ptr<stream_sink>& whom);
    void tell(const call_event& what);
    /// Tells apart a quiet switch from one that is gone, on both sides.
    void beat();
    /// Streams end as they should, so that clients know that they have all of it.
    void finish();

    [[nodiscard]] std::size_t size() const noexcept { return watchers_.size(); }
    /// After finish(): whether nobody is left whose last bytes are on their way.
    [[nodiscard]] bool all_closed() const;

private:
    struct watcher {
        std::shared_ptr<stream_sink> sink;
        std::uint64_t last = 0; ///< Number of the latest event it was told.
        std::size_t unread = 0;
        bool gone = false;
    };
    void tell(const std::shared_ptr<watcher>& whom, const call_event& what) const;
    void send(const std::shared_ptr<watcher>& whom, std::string_view text) const;
    void forget_gone();

    std::size_t most_unread_;
    std::vector<std::shared_ptr<watcher>> watchers_;
};

/// "id: 7\nevent: ringing\ndata: {...}\n\n", as the HTML standard has server-sent events.
[[nodiscard]] std::string to_server_sent(const call_event& what);

/// RFC 9112 section 7.1.
[[nodiscard]] std::string chunk(std::string_view text);

} // namespace softswitch
