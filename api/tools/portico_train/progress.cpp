#include "progress.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>

namespace portico::tools {
namespace {

int terminal_width() {
  winsize size{};
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

Progress::Progress() : terminal_(isatty(STDOUT_FILENO) == 1) {}

void Progress::step(int epoch, int epochs, std::int64_t step, std::int64_t steps, double loss, std::int64_t batch) {
  if (!terminal_) return;
  const auto now = std::chrono::steady_clock::now();
  if (epoch != epoch_) {
    epoch_ = epoch;
    start_ = now;  // the rate counts from the first report on, which leaves the kernels' compilation out
    first_step_ = step;
  }
  const double seconds = std::chrono::duration<double>(now - start_).count();
  char left[64], right[96];
  std::snprintf(left, sizeof left, "epoch %d/%d ", epoch, epochs);
  const int rate = seconds > 0 ? static_cast<int>(static_cast<double>((step - first_step_) * batch) / seconds) : 0;
  if (rate > 0)
    std::snprintf(right, sizeof right, " %3d%%  loss %.4f  %d images/s", static_cast<int>(step * 100 / steps), loss,
                  rate);
  else
    std::snprintf(right, sizeof right, " %3d%%  loss %.4f", static_cast<int>(step * 100 / steps), loss);
  const int room =
      std::min(40, terminal_width() - 1 - static_cast<int>(std::string(left).size() + std::string(right).size()) - 2);
  std::string bar;
  if (room >= 4) {
    const auto done = static_cast<std::size_t>(step * room / steps);
    bar = "[" + std::string(done, '=') + std::string(static_cast<std::size_t>(room) - done, ' ') + "]";
  }
  std::printf("\r\033[K%s%s%s", left, bar.c_str(), right);
  std::fflush(stdout);
  drawn_ = true;
}

void Progress::clear() {
  if (drawn_) std::printf("\r\033[K");
  std::fflush(stdout);
  drawn_ = false;
}

void Progress::epoch(const train::EpochReport& report) {
  clear();
  std::printf("epoch %d/%d  loss %.4f  test accuracy %.4f  %.1f s  %.0f images/s\n", report.epoch, report.epochs,
              report.loss, report.test_accuracy, report.seconds,
              static_cast<double>(report.examples) / std::max(report.seconds, 1e-9));
  std::fflush(stdout);
}

}  // namespace portico::tools
