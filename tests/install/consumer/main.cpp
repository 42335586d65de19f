// What a user writes: only installed headers, only public targets, every warning an error.
#include <cstdio>
#include <system_error>

#include <trunkline/core/address.hpp>

int main() {
    const auto parsed = trunkline::endpoint::parse("[2001:db8::7]:5060");
    if (!parsed) return 1;
    std::printf("%s\n", trunkline::to_text(*parsed).c_str());
    // A shared library that forgot to export its category would have two of them.
    const std::error_code reason{trunkline::endpoint::parse("nonsense").reason()};
    return reason.category() == trunkline::category() ? 0 : 1;
}
