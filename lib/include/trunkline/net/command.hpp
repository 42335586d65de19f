// Something to be done on a shard, from wherever it was asked for.
#pragma once

#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

#include <trunkline/core/outbox.hpp>
#include <trunkline/core/time.hpp>

namespace trunkline::net {

/// std::function would ask for a copy, and what commands carry (an agent, say) often cannot be
/// copied.
class command {
public:
    command() = default;

    template <class Callable>
    requires(!std::same_as<std::remove_cvref_t<Callable>, command> &&
             std::invocable<std::decay_t<Callable>&, time_point, outbox&>)
        command(Callable&& what) // Implicit, as a lambda is meant to be passed.
        : held_{std::make_unique<holder<std::decay_t<Callable>>>(std::forward<Callable>(what))} {}

    void operator()(time_point now, outbox& out) { held_->run(now, out); }
    [[nodiscard]] explicit operator bool() const noexcept { return held_ != nullptr; }

private:
    struct base {
        base() = default;
        base(const base&) = delete;
        base& operator=(const base&) = delete;
        virtual ~base() = default;
        virtual void run(time_point now, outbox& out) = 0;
    };
    template <class Callable>
    struct holder final : base {
        template <class From>
        explicit holder(From&& from) : what{std::forward<From>(from)} {}
        void run(time_point now, outbox& out) override { what(now, out); }
        Callable what;
    };

    std::unique_ptr<base> held_;
};

} // namespace trunkline::net
