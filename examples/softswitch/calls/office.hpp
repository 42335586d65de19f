// What commands a running switch from outside: its database, its REST server, its webhook.
#pragma once

#include <memory>

#include "config.hpp"
#include "control.hpp"
#include "rest/server.hpp"
#include "rest/webhook.hpp"
#include "store/store.hpp"
#include "switchboard.hpp"

namespace softswitch {

class office {
public:
    /// Null, and the log says why, when the database or the address cannot be used. The trunks of
    /// the database are in service from now on. Both have to outlive it.
    [[nodiscard]] static std::unique_ptr<office> open(const configuration& of, switchboard& board);

    office(const configuration& of, switchboard& board);

private:
    [[nodiscard]] bool open_store(const rest_settings& how);

    managed_trunks trunks_;
    control control_;
    std::unique_ptr<webhook> webhook_;
    std::shared_ptr<void> subscription_; ///< The webhook's; ends before it does.
    std::unique_ptr<store> store_;
    std::unique_ptr<rest_server> server_;
};

} // namespace softswitch
