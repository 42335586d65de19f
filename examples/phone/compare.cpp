#include "compare.hpp"

#include <cstdio>

#include <nlohmann/json.hpp>
#include <trunkline/audio/correlation.hpp>

#include "report.hpp"
#include "wav_file.hpp"

namespace phone {

int compare(const compare_options& wanted) {
    const auto heard = read_wav(wanted.heard);
    const auto found = trunkline::audio::best_likeness(read_wav(wanted.said), heard);
    bool good = found.correlation >= wanted.at_least;
    nlohmann::ordered_json json{{"said", wanted.said},
                                {"heard", wanted.heard},
                                {"likeness", found.correlation},
                                {"at_ms", found.lag / 8}};
    std::printf("%s in %s: likeness %.3f at %.3f s, %s %.2f\n", wanted.said.c_str(),
                wanted.heard.c_str(), found.correlation, static_cast<double>(found.lag) / 8'000,
                good ? "at least" : "NOT at least", wanted.at_least);
    if (!wanted.other.empty()) {
        const auto other = trunkline::audio::best_likeness(read_wav(wanted.other), heard);
        const bool absent = other.correlation < wanted.below;
        good = good && absent;
        json["other"] = wanted.other;
        json["other_likeness"] = other.correlation;
        std::printf("%s in %s: likeness %.3f, %s %.2f\n", wanted.other.c_str(),
                    wanted.heard.c_str(), other.correlation, absent ? "below" : "NOT below",
                    wanted.below);
    }
    json["good"] = good;
    if (!wanted.json.empty()) append_line(wanted.json, json.dump());
    return good ? 0 : 1;
}

} // namespace phone
