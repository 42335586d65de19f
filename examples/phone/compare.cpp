#include "compare.hpp"

#include <cstdio>
#include <optional>

#include <trunkline/audio/correlation.hpp>

#include "report.hpp"
#include "wav_file.hpp"

namespace phone {

int compare(const compare_options& wanted) {
    const auto heard = read_wav(wanted.heard);
    const auto found = trunkline::audio::best_likeness(read_wav(wanted.said), heard);
    verdict told{wanted.said,  wanted.heard, found,
                 wanted.other, std::nullopt, found.correlation >= wanted.at_least};
    std::printf("%s in %s: likeness %.3f at %.3f s, %s %.2f\n", wanted.said.c_str(),
                wanted.heard.c_str(), found.correlation, static_cast<double>(found.lag) / 8'000,
                told.good ? "at least" : "NOT at least", wanted.at_least);
    if (!wanted.other.empty()) {
        told.other = trunkline::audio::best_likeness(read_wav(wanted.other), heard);
        const bool absent = told.other->correlation < wanted.below;
        told.good = told.good && absent;
        std::printf("%s in %s: likeness %.3f, %s %.2f\n", wanted.other.c_str(),
                    wanted.heard.c_str(), told.other->correlation, absent ? "below" : "NOT below",
                    wanted.below);
    }
    if (!wanted.json.empty()) append_line(wanted.json, to_json(told));
    return told.good ? 0 : 1;
}

} // namespace phone
