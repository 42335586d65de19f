// phone: a telephone for the command line. `phone --help` says what it can do.
#include <cstdio>
#include <exception>

#include "compare.hpp"
#include "line.hpp"
#include "options.hpp"

int main(int count, char** words) try {
    const auto [wanted, status] = phone::parse(count, words);
    if (!wanted) return status;
    switch (wanted->command) {
    case phone::command::call: return phone::call(wanted->call);
    case phone::command::wait: return phone::wait(wanted->call);
    case phone::command::compare: return phone::compare(wanted->compare);
    }
    return 2;
} catch (const std::exception& trouble) {
    std::fprintf(stderr, "phone: %s\n", trouble.what());
    return 2;
}
