// The trunks that a switch has, and calls out by them: what commands a manager, without its
// sockets.
#pragma once

#include <utility>

#include <trunkline/trunkline.hpp>

namespace softswitch {

class trunks_in_service {
public:
    trunks_in_service() = default;
    trunks_in_service(const trunks_in_service&) = delete;
    trunks_in_service& operator=(const trunks_in_service&) = delete;
    virtual ~trunks_in_service() = default;

    virtual trunkline::result<trunkline::trunk_id, trunkline::config_error>
    add(trunkline::trunk_config config) = 0;
    virtual trunkline::result<void, trunkline::config_error>
    replace(trunkline::trunk_id which, trunkline::trunk_config config) = 0;
    virtual void remove(trunkline::trunk_id which) = 0;
    virtual void dial(trunkline::dial_request what) = 0;
};

/// Those of a manager, which has to outlive it.
class managed_trunks final : public trunks_in_service {
public:
    explicit managed_trunks(trunkline::trunk_manager& of) : of_{of} {}

    trunkline::result<trunkline::trunk_id, trunkline::config_error>
    add(trunkline::trunk_config config) override {
        return of_.add_trunk(std::move(config));
    }
    trunkline::result<void, trunkline::config_error>
    replace(trunkline::trunk_id which, trunkline::trunk_config config) override {
        return of_.replace_trunk(which, std::move(config));
    }
    void remove(trunkline::trunk_id which) override { of_.remove_trunk(which); }
    void dial(trunkline::dial_request what) override { of_.dial(std::move(what)); }

private:
    trunkline::trunk_manager& of_;
};

} // namespace softswitch
