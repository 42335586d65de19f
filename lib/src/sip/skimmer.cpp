#include "skimmer.hpp"

namespace trunkline::sip {

template <class Class>
void skimmer<Class>::look(std::size_t at) noexcept {
    base_ = at;
    others_ = lanes::others<Class>(text_.data() + at, text_.size() - at);
}

template class skimmer<lanes::plain>;
template class skimmer<lanes::printable>;

} // namespace trunkline::sip
