// An agent whose call is on the list of live calls: what it is told, the list is told, too.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include <trunkline/trunk/agent.hpp>

#include "live_calls.hpp"

namespace softswitch {

class watched final : public trunkline::agent {
public:
    /// Sees to it that an answered call does not last for ever.
    using limiting = std::function<void(const trunkline::call_handle&)>;

    /// `id` is the call's on the list.
    watched(std::unique_ptr<trunkline::agent> who, live_calls& list, std::string id,
            limiting limit = {})
        : who_{std::move(who)},
          list_{list},
          id_{std::move(id)},
          limit_{std::move(limit)} {}

    void on_initiated(trunkline::call& call) override;
    void on_ringing(trunkline::call& call) override;
    void on_answered(trunkline::call& call) override;
    void on_progress(trunkline::call& call, int sip_code) override;
    void on_early_media(trunkline::call& call) override { who_->on_early_media(call); }
    void on_audio(trunkline::call& call, const trunkline::audio_frame& frame) override {
        who_->on_audio(call, frame);
    }
    void on_digit(trunkline::call& call, char digit) override { who_->on_digit(call, digit); }
    void on_mark(trunkline::call& call, std::string_view name, bool played) override {
        who_->on_mark(call, name, played);
    }
    void on_drained(trunkline::call& call) override { who_->on_drained(call); }
    void on_transfer(trunkline::call& call, const trunkline::transfer_progress& how) override;
    void on_referred(trunkline::call& call, std::string_view target) override {
        who_->on_referred(call, target);
    }
    void on_ended(trunkline::call& call, const trunkline::call_record& record) override {
        who_->on_ended(call, record);
    }

private:
    std::unique_ptr<trunkline::agent> who_;
    live_calls& list_;
    std::string id_;
    limiting limit_;
};

} // namespace softswitch
