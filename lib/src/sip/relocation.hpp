// Views of one text, made views of a copy of it.
#pragma once

#include <cstdint>
#include <string_view>

#include <trunkline/sip/message.hpp>

namespace trunkline::sip {

/// What a view borrows is copied, and the view is moved over: nothing is parsed a second time.
class relocation {
public:
    relocation(std::string_view from, const char* to) noexcept
        : begin_{address(from.data())},
          size_{from.size()},
          to_{to} {}

    /// A view of anything else, or of nothing, stays what it is.
    void operator()(std::string_view& part) const noexcept {
        const auto at = address(part.data()) - begin_;
        if (part.data() != nullptr && at <= size_) part = {to_ + at, part.size()};
    }
    void operator()(parameters_view& list) const noexcept { (*this)(list.text_); }
    void operator()(uri_view& uri) const noexcept {
        for (auto* part :
             {&uri.text, &uri.user, &uri.password, &uri.host, &uri.parameters, &uri.headers})
            (*this)(*part);
    }
    void operator()(name_addr_view& party) const noexcept {
        (*this)(party.display);
        (*this)(party.uri);
        (*this)(party.parameters);
        (*this)(party.tag_);
    }
    void operator()(via_view& via) const noexcept {
        for (auto* part : {&via.version, &via.transport, &via.host, &via.branch, &via.sent_protocol,
                           &via.sent_by})
            (*this)(*part);
        (*this)(via.parameters);
    }
    void operator()(field_index& index) const noexcept {
        (*this)(index.start_line_);
        for (std::size_t i = 0; i < index.count_; ++i) {
            (*this)(index.fields_[i].name);
            (*this)(index.fields_[i].value);
        }
    }
    void operator()(message_view& view) const noexcept {
        (*this)(view.method_text_);
        (*this)(view.reason_);
        (*this)(view.request_uri_);
        (*this)(view.via_);
        (*this)(view.from_);
        (*this)(view.to_);
        (*this)(view.contact_);
        (*this)(view.cseq_.method);
        (*this)(view.body_);
        (*this)(view.index_);
    }

private:
    [[nodiscard]] static std::uintptr_t address(const char* at) noexcept {
        return reinterpret_cast<std::uintptr_t>(at);
    }

    std::uintptr_t begin_;
    std::size_t size_;
    const char* to_;
};

} // namespace trunkline::sip
