// portico/tuning.hpp: classes of products and of convolutions in turn, within the time that was given.
#include "portico/tuning.hpp"

#include <algorithm>

#include "ops/tune.hpp"

namespace portico {

TuneResult tune(const Device& device, const TuneOptions& options) {
  using namespace detail;
  if (!(options.seconds > 0))
    throw Error(ErrorCode::invalid_argument,
                "tune: seconds " + std::to_string(options.seconds) + " must be more than 0");
  const auto end = TuneClock::now() +
                   std::chrono::duration_cast<TuneClock::duration>(std::chrono::duration<double>(options.seconds));
  // In turn, so that a short run measures some of each.
  std::vector<TuneJob> jobs;
  const std::vector<TuneJob> gemm = gemm_jobs(device), conv = conv_jobs(device);
  for (std::size_t i = 0; i < std::max(gemm.size(), conv.size()); ++i) {
    if (i < gemm.size()) jobs.push_back(gemm[i]);
    if (i < conv.size()) jobs.push_back(conv[i]);
  }
  Tuning& tuning = Tuning::of(device);
  TunedChoices choices = tuning.choices();
  TuneResult result{.complete = true};
  for (const TuneJob& job : jobs) {
    if (TuneClock::now() > end || (options.progress && !options.progress(job.name))) {
      result.complete = false;
      break;
    }
    result.improved += job.measure(choices, end) ? 1 : 0;
    ++result.classes;
    // After each class: a run that is cut off loses nothing.
    tuning.replace(choices);
    result.stored = tuning.store();
  }
  return result;
}

std::vector<TunedEntry> tuned_entries(const Device& device) {
  std::vector<TunedEntry> all;
  const detail::TunedChoices choices = detail::Tuning::of(device).choices();
  const auto add = [&](const auto& entries) {
    for (const auto& entry : entries)
      all.push_back({.shape = to_string(entry.shape), .choice = to_string(entry.choice), .gain = entry.gain});
  };
  add(choices.gemm);
  add(choices.conv);
  return all;
}

std::string export_tuning(const Device& device) { return detail::Tuning::of(device).text(); }

void import_tuning(const Device& device, std::string_view text) {
  detail::Tuning& tuning = detail::Tuning::of(device);
  tuning.replace_by_text(text);
  tuning.store();
}

void forget_tuning(const Device& device) {
  detail::Tuning& tuning = detail::Tuning::of(device);
  tuning.replace({});
  tuning.store();
}

}  // namespace portico
