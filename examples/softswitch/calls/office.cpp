#include "office.hpp"

#include <system_error>
#include <utility>

#include <spdlog/spdlog.h>

#include "store/secret_box.hpp"
#include "store/sqlite_store.hpp"
#include "text.hpp"

namespace softswitch {

office::office(const configuration& of, switchboard& board)
    : trunks_{board.manager()},
      control_{trunks_,
               of.agents,
               board.reception(),
               board.calls(),
               board.registered(),
               of.trunks,
               of.manager.shards == 1} {
    if (!of.webhook) return;
    webhook_ = std::make_unique<webhook>(*of.webhook);
    subscription_ =
        board.calls().subscribe([to = webhook_.get()](const call_event& what) { to->post(what); });
}

std::unique_ptr<office> office::open(const configuration& of, switchboard& board) {
    auto made = std::make_unique<office>(of, board);
    if (!of.rest) return made;
    if (!made->open_store(*of.rest)) return nullptr;
    try {
        made->server_ = std::make_unique<rest_server>(of.rest->at, *made->store_, made->control_);
    } catch (const std::system_error& failed) {
        spdlog::error("[rest] at: cannot listen at {}: {}", trunkline::to_text(of.rest->at),
                      failed.what());
        return nullptr;
    }
    spdlog::info("REST and the page at http://{}/", trunkline::to_text(made->server_->listening()));
    return made;
}

bool office::open_store(const rest_settings& how) {
    auto opened = softswitch::open_store(how.database, secret_box{how.key});
    if (!opened) {
        spdlog::error("{}", opened.reason().message);
        return false;
    }
    store_ = *std::move(opened);
    const auto rows = store_->trunks();
    if (!rows) {
        spdlog::error("{}", rows.reason().message);
        return false;
    }
    for (const auto& row : *rows) {
        if (const auto wrong = control_.check(row)) {
            spdlog::error("trunk `{}` of {} is left out: {}: {}", printable(row.name),
                          how.database.string(), wrong->field, wrong->message);
            continue;
        }
        control_.put(row);
    }
    return true;
}

} // namespace softswitch
