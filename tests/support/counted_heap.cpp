// The one heap of a test program that counts. It is a file of its own, because g++ that inlines
// such an operator into a test sees free() meet operator new, and suspects a mistake.
#include "support/counted_heap.hpp"

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<std::size_t> counted = 0;

} // namespace

namespace trunkline::support {

std::size_t allocations() noexcept {
    return counted.load(std::memory_order_relaxed);
}

} // namespace trunkline::support

/// The library's own would call the one below; AddressSanitizer's does not.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    counted.fetch_add(1, std::memory_order_relaxed);
    return std::malloc(size == 0 ? 1 : size);
}
void* operator new(std::size_t size) {
    if (void* made = operator new(size, std::nothrow)) return made;
    throw std::bad_alloc{};
}
void operator delete(void* gone) noexcept {
    std::free(gone);
}
void operator delete(void* gone, std::size_t) noexcept {
    std::free(gone);
}
