// portico-train as a user meets it: the promised last line, the saved files, and every wrong thing that can be typed.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iterator>
#include <random>
#include <regex>
#include <thread>

#include "catch.hpp"
#include "portico/device.hpp"
#include "portico/io.hpp"
#include "run_program.hpp"
#include "temporary_folder.hpp"

#define STB_IMAGE_WRITE_STATIC
#define STB_IMAGE_WRITE_IMPLEMENTATION
#include <stb/stb_image_write.h>

namespace portico::test {
namespace {

namespace fs = std::filesystem;

// 28x28 images whose class is the place of a bright bar.
void write_set(const TemporaryFolder& folder, const std::string& name, std::uint32_t count, unsigned seed) {
  std::mt19937 random(seed);
  Bytes images, labels;
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto label = static_cast<std::uint8_t>(random() % 10);
    labels.push_back(label);
    for (int y = 0; y < 28; ++y)
      for (int x = 0; x < 28; ++x)
        images.push_back(static_cast<std::uint8_t>(random() % 60 + (x / 2 == label + 2 ? 180 : 0)));
  }
  folder.write(name + "-images-idx3-ubyte", idx_bytes({count, 28, 28}, images));
  folder.write(name + "-labels-idx1-ubyte", idx_bytes({count}, labels));
}

struct Place {
  TemporaryFolder folder;
  Place() {
    write_set(folder, "train", 600, 1);
    write_set(folder, "t10k", 100, 2);
  }
  std::string file(const std::string& name) const { return (folder.path() / name).string(); }

  /// portico-train, in the folder, so that what it leaves by default lands there.
  ProgramRun run(const std::string& options, const std::string& before = "") const {
    return run_program("cd '" + folder.path().string() + "' && " + before + " '" PORTICO_TRAIN "' --data . " + options);
  }
  std::string contents(const std::string& name) const {
    std::ifstream in(folder.path() / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  /// Names of what lies there besides the data.
  std::vector<std::string> left() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder.path()))
      if (const std::string name = entry.path().filename().string(); name.find("-ubyte") == std::string::npos)
        names.push_back(name);
    std::sort(names.begin(), names.end());
    return names;
  }
};

std::string last_line(const std::string& text) {
  const std::size_t end = text.find_last_not_of('\n');
  if (end == std::string::npos) return {};
  const std::size_t start = text.rfind('\n', end);
  return text.substr(start == std::string::npos ? 0 : start + 1,
                     end - (start == std::string::npos ? 0 : start + 1) + 1);
}

void check_failure(const ProgramRun& run, int code, const std::string& part) {
  INFO("out: " << run.out << "\nerr: " << run.err);
  CHECK(run.code == code);
  CHECK(std::count(run.err.begin(), run.err.end(), '\n') == 1);
  CHECK(run.err.starts_with("error: "));
  CHECK(run.err.find(part) != std::string::npos);
}

}  // namespace

TEST_CASE("a run ends with the promised line, a model, and a picture", "[program]") {
  const Place place;
  const ProgramRun run = place.run("--epochs 3 --model mlp --batch 20 --lr 0.003");
  INFO(run.out << run.err);
  REQUIRE(run.code == 0);
  CHECK(run.err.empty());
  const std::regex form(
      "result: dataset=fashion-mnist backend=(cuda|hip|opencl) device=\"[^\"]+\" epochs=3 "
      "test_accuracy=([01]\\.[0-9]{4}) train_seconds=[0-9]+\\.[0-9] images_per_second=[0-9]+");
  std::smatch found;
  const std::string last = last_line(run.out);
  REQUIRE(std::regex_match(last, found, form));
  CHECK(std::stod(found[2]) > 0.9);
  CHECK(run.out.find('\r') == std::string::npos);  // no bar where no terminal is
  CHECK(std::regex_search(run.out, std::regex("\nepoch 3/3  loss 0\\.[0-9]+  test accuracy ")));

  CHECK(place.left() == std::vector<std::string>{"quickstart.png", "quickstart.safetensors"});
  CHECK(place.contents("quickstart.png").starts_with("\x89PNG"));
  const StateDict state = load_safetensors(place.file("quickstart.safetensors"));
  std::vector<std::string> names;
  for (const auto& [name, tensor] : state) names.push_back(name);
  CHECK(names == std::vector<std::string>{"1.bias", "1.weight", "3.bias", "3.weight"});

  SECTION("the same seed gives the same run") {
    const std::string before = place.contents("quickstart.safetensors");
    REQUIRE(place.run("--epochs 3 --model mlp --batch 20 --lr 0.003").code == 0);
    CHECK(place.contents("quickstart.safetensors") == before);
    REQUIRE(place.run("--epochs 3 --model mlp --batch 20 --lr 0.003 --seed 2").code == 0);
    CHECK(place.contents("quickstart.safetensors") != before);
  }
  SECTION("steps are replayed unless that is switched off, with the same outcome") {
    CHECK(
        std::regex_search(run.out, std::regex("\nsteps: [0-9]+, of which [1-9][0-9]* replayed from a recorded one\n")));
    const ProgramRun eager = place.run("--epochs 3 --model mlp --batch 20 --lr 0.003 --capture off --save eager.st");
    INFO(eager.err);
    REQUIRE(eager.code == 0);
    CHECK(eager.out.find(", of which 0 replayed") != std::string::npos);
    CHECK(place.contents("eager.st") == place.contents("quickstart.safetensors"));
  }
  SECTION("a loaded model scores the same, without training") {
    const ProgramRun again = place.run("--epochs 0 --load quickstart.safetensors --save again.safetensors");
    INFO(again.err);
    REQUIRE(again.code == 0);
    CHECK(again.out.find("test_accuracy=" + found[2].str() + " ") != std::string::npos);
    CHECK(place.contents("again.safetensors") == place.contents("quickstart.safetensors"));
  }
  SECTION("it predicts the images of an IDX file and of pictures") {
    const ProgramRun idx = place.run("--predict t10k-images-idx3-ubyte");
    INFO(idx.err);
    REQUIRE(idx.code == 0);
    CHECK(std::count(idx.out.begin(), idx.out.end(), '\n') == 100);
    CHECK(idx.out.starts_with("t10k-images-idx3-ubyte[0]: "));

    // A bar at the place of class 6, dark on bright and five times as large.
    std::vector<std::uint8_t> pixels(140 * 140 * 3, 255);
    for (int y = 0; y < 140; ++y)
      for (int x = 80; x < 90; ++x) std::fill_n(&pixels[static_cast<std::size_t>((y * 140 + x) * 3)], 3, 20);
    stbi_write_png(place.file("bar.png").c_str(), 140, 140, 3, pixels.data(), 140 * 3);
    stbi_write_jpg(place.file("bar.jpg").c_str(), 140, 140, 3, pixels.data(), 95);
    for (const char* name : {"bar.png", "bar.jpg"}) {
      const ProgramRun picture = place.run(std::string("--predict ") + name);
      INFO(picture.out << picture.err);
      REQUIRE(picture.code == 0);
      CHECK(picture.out.find("140x140 reduced to 28x28, inverted") != std::string::npos);
      CHECK(last_line(picture.out).starts_with(std::string(name) + "[0]: Shirt "));
    }
    const std::string whole = place.contents("bar.png");
    std::ofstream(place.file("half.png"), std::ios::binary) << whole.substr(0, whole.size() / 2);
    check_failure(place.run("--predict half.png"), 1, "half.png: damaged");
    // A header that claims 2^31 x 2^31 pixels.
    std::string huge = whole;
    huge.replace(16, 8, std::string("\x7f\xff\xff\xff\x7f\xff\xff\xff", 8));
    std::ofstream(place.file("huge.png"), std::ios::binary) << huge;
    check_failure(place.run("--predict huge.png"), 1, "huge.png: ");
    std::ofstream(place.file("text.txt")) << "no picture at all";
    check_failure(place.run("--predict text.txt"), 1, "text.txt: neither an IDX file nor a PNG or JPEG picture");
    check_failure(place.run("--predict t10k-labels-idx1-ubyte"), 1, "holds 100; images to predict are");
    check_failure(place.run("--predict absent.png"), 1, "absent.png: No such file");
    check_failure(place.run("--predict ."), 1, "not a regular file");
  }
  SECTION("a model file that is none, or another one, is an error") {
    check_failure(place.run("--load quickstart.safetensors --model cnn"), 1, "not a cnn of portico-train");
    std::ofstream(place.file("bad.safetensors")) << "not a model";
    check_failure(place.run("--load bad.safetensors"), 1, "bad.safetensors");
    check_failure(place.run("--load absent.safetensors"), 1, "absent.safetensors");
    const std::string whole = place.contents("quickstart.safetensors");
    std::ofstream(place.file("cut.safetensors"), std::ios::binary) << whole.substr(0, whole.size() - 4);
    check_failure(place.run("--predict t10k-images-idx3-ubyte --load cut.safetensors"), 1, "cut.safetensors");
  }
}

TEST_CASE("predicting needs a model", "[program][errors]") {
  const Place place;
  check_failure(place.run("--predict t10k-images-idx3-ubyte"), 1, "there is no quickstart.safetensors here");
}

TEST_CASE("wrong options are usage errors", "[program][errors]") {
  const Place place;
  check_failure(place.run("--nonsense"), 2, "--nonsense");
  check_failure(place.run("stray"), 2, "stray");
  check_failure(place.run("--epochs many"), 2, "many");
  check_failure(place.run("--epochs -1"), 2, "--epochs");
  check_failure(place.run("--batch 0"), 2, "--batch");
  check_failure(place.run("--lr 0"), 2, "--lr");
  check_failure(place.run("--lr nan"), 2, "--lr");
  check_failure(place.run("--model resnet"), 2, "resnet");
  check_failure(place.run("--epochs"), 2, "--epochs");
  CHECK(place.left().empty());
  const ProgramRun help = place.run("--help");
  CHECK(help.code == 0);
  CHECK(help.out.find("--predict") != std::string::npos);
}

TEST_CASE("data that cannot be read is an error", "[program][errors]") {
  const Place place;
  check_failure(place.run("--data nowhere"), 1, "nowhere: cannot be read as a folder");
  fs::create_directory(place.folder.path() / "empty");
  check_failure(place.run("--data empty"), 1, "empty: lacks train-images-idx3-ubyte");
  fs::resize_file(place.file("train-images-idx3-ubyte"), 1000);
  check_failure(place.run(""), 1, "truncated");
  CHECK(place.left() == std::vector<std::string>{"empty"});
}

TEST_CASE("a backend that is not there is an error of one line", "[program][errors]") {
  const Place place;
  check_failure(place.run("", "PORTICO_BACKEND=nonsense"), 1, "nonsense");
  check_failure(place.run("", "PORTICO_BACKEND= PORTICO_BACKEND_DIR=."), 1, "no backend has a device");
}

TEST_CASE("a loss that is no number ends the run, and says where", "[program][errors]") {
  const Place place;
  check_failure(place.run("--model mlp --lr 1e30 --epochs 20"), 1, "step");
  CHECK(place.left().empty());
}

TEST_CASE("a place that cannot be written is told before the training", "[program][errors]") {
  const Place place;
  const auto early = [&](const std::string& options, const std::string& part) {
    const ProgramRun run = place.run("--epochs 1 --model mlp " + options);
    check_failure(run, 1, part);
    CHECK(run.out.empty());
  };
  early("--save nowhere/model.safetensors", "there is no folder nowhere");
  early("--picture nowhere/picture.png", "there is no folder nowhere");
  early("--save .", "it is a folder");
  early("--save /dev/full", "not a regular file");
  early("--save /proc/model.safetensors", "cannot be written");
  struct stat full {};
  REQUIRE(stat("/dev/full", &full) == 0);
  CHECK(S_ISCHR(full.st_mode));  // and the device is still one
  CHECK(place.left().empty());
}

TEST_CASE("a save that fails at the end leaves the old file whole", "[program][errors]") {
  const Place place;
  // Once without the limit: a compiler's temporary files are larger than it.
  REQUIRE(place.run("--epochs 1 --model mlp --save warm-ubyte --picture warm-ubyte.png").code == 0);
  std::ofstream(place.file("quickstart.safetensors")) << "an old model";
  // Files beyond 1000 blocks of 512 bytes cannot be written: the drivers' own are smaller, the model is 800 kB. Where
  // the HIP stand-in has kernels compiled as OpenCL there are files of a megabyte: 3000 blocks, and a model of 1.7 MB.
  const bool hip = Device::current().backend() == std::string_view("hip");
  ProgramRun run = hip ? place.run("--epochs 1 --model cnn", "ulimit -f 3000 &&")
                       : place.run("--epochs 1 --model mlp", "ulimit -f 1000 &&");
  // Intel's runtime catches the signal that comes with it, and prints a line of its own before ours.
  run.err = last_line(run.err) + "\n";
  check_failure(run, 1, "quickstart.safetensors");
  CHECK(place.contents("quickstart.safetensors") == "an old model");
  CHECK(place.left() == std::vector<std::string>{"quickstart.safetensors"});
}

TEST_CASE("output that cannot be written is an error", "[program][errors]") {
  const Place place;
  check_failure(place.run("--epochs 1 --model mlp >/dev/full"), 1, "output cannot be written");
}

TEST_CASE("an interrupt ends the run cleanly", "[program]") {
  const int number = GENERATE(SIGINT, SIGTERM);
  const Place place;
  std::ofstream(place.file("quickstart.safetensors")) << "an old model";
  const pid_t child = start_program("env -C '" + place.folder.path().string() + "' '" PORTICO_TRAIN "' --data . " +
                                    "--model mlp --epochs 100000 >'" + place.file("out-ubyte") + "' 2>'" +
                                    place.file("err-ubyte") + "'");
  for (int i = 0; i < 1200 && place.contents("out-ubyte").find("epoch 2/") == std::string::npos; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  REQUIRE(kill(child, number) == 0);
  REQUIRE(kill(child, number) == 0);  // as timeout(1) does; one request
  const auto asked = std::chrono::steady_clock::now();
  CHECK(exit_code(child) == 128 + number);
  CHECK(std::chrono::steady_clock::now() - asked < std::chrono::seconds(60));  // not the 100000 epochs
  const std::string said = place.contents("err-ubyte");
  INFO(said);
  CHECK(said.find("nothing was saved, quickstart.safetensors is as it was") != std::string::npos);
  CHECK(place.contents("quickstart.safetensors") == "an old model");
  CHECK(place.left() == std::vector<std::string>{"quickstart.safetensors"});
}

}  // namespace portico::test
