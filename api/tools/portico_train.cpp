// portico-train: trains a small network on Fashion-MNIST, saves it, and shows what it sees. The quickstart's program.
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <optional>
#include <string>

#include "portico/portico.hpp"
#include "portico_train/image_file.hpp"
#include "portico_train/models.hpp"
#include "portico_train/output_file.hpp"
#include "portico_train/picture.hpp"
#include "portico_train/progress.hpp"

namespace portico::tools {
namespace {

struct Options {
  int epochs = 5;
  std::int64_t batch = 64;
  float lr = 1e-3f;
  std::uint64_t seed = 1;
  std::int64_t limit = 0;
  std::string model;
  std::string capture = "auto";
  std::filesystem::path data = "/usr/share/datasets/fashion-mnist";
  std::filesystem::path save = "quickstart.safetensors";
  std::filesystem::path picture = "quickstart.png";
  std::filesystem::path load;
  std::filesystem::path predict;
};

// Two threads may be in the handler at once.
std::atomic<int> g_signal{0};
std::atomic<std::int64_t> g_asked{0};  // when, in ns of the monotonic clock
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<std::int64_t>::is_always_lock_free);

// The first signal asks the run to end after the step it is in; the second one does not wait. timeout(1) signals its
// child and then the child's group: what follows within 0.3 s is the same request.
void on_signal(int number) {
  constexpr std::int64_t kOneRequest = 300'000'000;
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  const std::int64_t now = std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
  std::int64_t asked = 0;
  if (g_asked.compare_exchange_strong(asked, now))
    g_signal = number;
  else if (now - asked > kOneRequest)
    _exit(128 + number);
}

void handle_signals() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  signal(SIGXFSZ, SIG_IGN);  // a file-size limit is then an error of write(), which is reported
}

// Leaves out all but the first `limit` examples.
void shorten(data::ImageSet& set, std::int64_t limit) {
  if (limit <= 0 || set.count <= limit) return;
  set.count = limit;
  set.pixels.resize(static_cast<std::size_t>(limit * set.height * set.width));
  set.labels.resize(static_cast<std::size_t>(limit));
}

data::ImageData load_data(const Options& options) {
  data::ImageData data = data::load_mnist(options.data, kClasses);
  if (data.train.height != kSide || data.train.width != kSide)
    throw Error(ErrorCode::io, options.data.string() + ": the images are " + std::to_string(data.train.height) + "x" +
                                   std::to_string(data.train.width) + ", the networks take 28x28");
  shorten(data.train, options.limit);
  shorten(data.test, options.limit);
  return data;
}

LoadedModel make_or_load(const Options& options) {
  if (!options.load.empty()) return load_model(options.load, options.model);
  const std::string name = options.model.empty() ? "cnn" : options.model;
  return {.name = name, .model = make_model(name)};
}

/// One line, whatever the message: lists of what was tried come in several.
std::string one_line(std::string_view message) {
  std::string result;
  bool line_start = false;
  for (const char c : message) {
    if (c == '\n') {
      line_start = true;
      continue;
    }
    if (line_start && c == ' ') continue;
    if (line_start && !result.empty()) result += result.back() == ':' ? " " : "; ";
    line_start = false;
    result += c;
  }
  return result;
}

std::string quotable(std::string_view name) {
  std::string result(name);
  for (char& c : result)
    if (c == '"' || static_cast<unsigned char>(c) < ' ') c = '\'';
  return result;
}

int train(const Options& options) {
  // What can be known to fail is known before the work, not after it.
  constexpr std::uintmax_t kRoom = 4u << 20;
  check_can_write(options.save, kRoom);
  check_can_write(options.picture, kRoom);

  const Device device = Device::current();
  data::ImageData data = load_data(options);
  seed(options.seed);
  const auto [name, model] = make_or_load(options);
  std::printf("%s with %lld parameters on %s (%s): %lld training images, %lld test images\n", name.c_str(),
              static_cast<long long>(model->parameter_count()), device.label().c_str(), quotable(device.name()).c_str(),
              static_cast<long long>(data.train.count), static_cast<long long>(data.test.count));
  std::fflush(stdout);

  const data::LoaderOptions common{.mean = kPixelMean, .deviation = kPixelDeviation, .seed = options.seed};
  data::LoaderOptions training = common, testing = common;
  training.batch = options.batch;
  training.shuffle = true;
  testing.batch = 500;
  data::Loader train_loader(data.train, training), test_loader(data.test, testing);
  optim::Adam optimizer(model->parameters(), {.lr = options.lr});

  Progress progress;
  train::FitOptions fit{.epochs = options.epochs};
  fit.capture = options.capture == "on"    ? train::Capture::on
                : options.capture == "off" ? train::Capture::off
                                           : train::Capture::automatic;
  fit.on_epoch = [&](const train::EpochReport& report) { progress.epoch(report); };
  if (progress.on_terminal())
    fit.on_progress = [&](int epoch, std::int64_t step, std::int64_t steps, double loss) {
      progress.step(epoch, options.epochs, step, steps, loss, options.batch);
    };
  fit.should_stop = [] { return g_signal != 0; };
  fit.lr_factor = [](double done) { return static_cast<float>(0.5 + 0.5 * std::cos(done * 3.14159265358979)); };

  train::FitResult result;
  try {
    result = train::fit(*model, optimizer, train_loader, &test_loader, fit);
  } catch (...) {
    progress.clear();
    throw;
  }
  if (result.stopped || g_signal != 0) {
    progress.clear();
    std::error_code ignored;
    std::fprintf(
        stderr, "interrupted after %zu of %d epochs: nothing was saved%s\n", result.epochs.size(), options.epochs,
        std::filesystem::exists(options.save, ignored) ? (", " + options.save.string() + " is as it was").c_str() : "");
    return 128 + g_signal;
  }

  const double accuracy =
      result.epochs.empty() ? train::evaluate(*model, test_loader).accuracy : result.epochs.back().test_accuracy;
  save_model(options.save, *model, name, accuracy);
  save_picture(options.picture, *model, data.test, accuracy);
  std::printf("steps: %lld, of which %lld replayed from a recorded one%s%s\n", static_cast<long long>(result.steps),
              static_cast<long long>(result.replayed_steps), result.capture_note.empty() ? "" : "; ",
              one_line(result.capture_note).c_str());
  std::printf("saved %s and %s\n", options.save.c_str(), options.picture.c_str());
  std::printf(
      "result: dataset=fashion-mnist backend=%.*s device=\"%s\" epochs=%d test_accuracy=%.4f train_seconds=%.1f "
      "images_per_second=%.0f\n",
      static_cast<int>(device.backend().size()), device.backend().data(), quotable(device.name()).c_str(),
      options.epochs, accuracy, result.seconds,
      result.seconds > 0 ? static_cast<double>(result.examples) / result.seconds : 0.0);
  return 0;
}

int predict(const Options& options) {
  const std::filesystem::path path = options.load.empty() ? options.save : options.load;
  std::error_code ignored;
  if (options.load.empty() && !std::filesystem::exists(path, ignored))
    throw Error(ErrorCode::io, "--predict needs a trained network: there is no " + path.string() +
                                   " here; train one first, or name one with --load");
  const Images images = read_images(options.predict);
  const LoadedModel loaded = load_model(path, options.model);
  if (!images.note.empty()) std::printf("%s: %s\n", options.predict.c_str(), images.note.c_str());

  data::Loader loader(images.set, {.batch = 500, .mean = kPixelMean, .deviation = kPixelDeviation});
  std::int64_t index = 0;
  for (data::Batch batch; g_signal == 0 && loader.next(batch);) {
    const std::vector<float> probabilities = train::predict(*loaded.model, batch.images).to_vector();
    for (std::size_t row = 0; row < probabilities.size(); row += kClasses, ++index) {
      std::size_t best = 0, second = 1;
      for (std::size_t c = 0; c < kClasses; ++c)
        if (probabilities[row + c] > probabilities[row + best]) best = c;
      if (best == second) second = 0;
      for (std::size_t c = 0; c < kClasses; ++c)
        if (c != best && probabilities[row + c] > probabilities[row + second]) second = c;
      std::printf("%s[%lld]: %s %.3f (then %s %.3f)\n", options.predict.c_str(), static_cast<long long>(index),
                  kClassNames[best], probabilities[row + best], kClassNames[second], probabilities[row + second]);
    }
  }
  return g_signal == 0 ? 0 : 128 + g_signal;
}

/// CLI11's own range check lets NaN pass.
const CLI::Validator kPositive(
    [](std::string& text) {
      float value = 0.0f;
      const bool good = CLI::detail::lexical_cast(text, value) && std::isfinite(value) && value > 0.0f;
      return good ? std::string() : text + " is not a number above 0";
    },
    "ABOVE 0");

/// A whole number from `low` on.
CLI::Validator from(std::int64_t low) {
  return CLI::Validator(
      [low](std::string& text) {
        std::int64_t value = 0;
        const bool good = CLI::detail::lexical_cast(text, value) && value >= low;
        return good ? std::string() : text + " is not a whole number from " + std::to_string(low) + " on";
      },
      "FROM " + std::to_string(low));
}

/// An exit code when there is nothing more to do.
std::optional<int> parse(int argc, char** argv, Options& options) {
  CLI::App app(
      "Trains a small network on Fashion-MNIST, saves it, and draws its predictions.\n"
      "PORTICO_BACKEND chooses the device; portico-info lists what there is.",
      "portico-train");
  app.set_version_flag("--version", version());
  app.option_defaults()->always_capture_default()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  app.add_option("--epochs", options.epochs, "passes over the training images; 0 only tests")->check(from(0));
  app.add_option("--batch", options.batch, "images in a step")->check(from(1));
  app.add_option("--lr", options.lr, "highest learning rate of Adam")->check(kPositive);
  app.add_option("--seed", options.seed, "of the initial weights and the order of images")->check(from(0));
  app.add_option("--limit", options.limit, "use only the first N images of each set")
      ->check(from(1))
      ->default_str("all");
  app.add_option("--model", options.model, "cnn (without this option) or mlp")->check(CLI::IsMember({"cnn", "mlp"}));
  app.add_option("--capture", options.capture, "record a training step once and replay it")
      ->check(CLI::IsMember({"auto", "on", "off"}));
  app.add_option("--data", options.data, "folder of the four IDX files");
  app.add_option("--save", options.save, "where the trained network goes (safetensors)");
  app.add_option("--picture", options.picture, "where the picture goes (PNG)");
  app.add_option("--load", options.load, "network to start from, or to predict with");
  app.add_option("--predict", options.predict, "classify the images of FILE (IDX, PNG or JPEG) instead of training");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    std::fprintf(stderr, "error: %s; see --help\n", one_line(error.what()).c_str());
    return 2;
  }
  return std::nullopt;
}

}  // namespace
}  // namespace portico::tools

int main(int argc, char** argv) {
  using namespace portico::tools;
  Options options;
  if (const std::optional<int> code = parse(argc, argv, options)) return *code;
  handle_signals();
  try {
    const int code = options.predict.empty() ? train(options) : predict(options);
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)
      throw portico::Error(portico::ErrorCode::io, "the output cannot be written");
    return code;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", one_line(error.what()).c_str());
    return 1;
  }
}
