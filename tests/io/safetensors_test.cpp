// What is saved comes back, and a save that fails leaves the old file whole.
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "catch.hpp"
#include "op_check.hpp"
#include "raw_file.hpp"

namespace portico::test {
namespace {

StateDict one_of_each() {
  const std::vector<std::int32_t> ints = {-7, 0, 2147483647};
  const std::vector<std::byte> bytes = {std::byte{1}, std::byte{255}, std::byte{3}};
  StateDict state;
  state["f32"] = Tensor::from({1.5f, -2.25f, 3e38f, 1e-40f, -0.0f, 7.0f}, {2, 3});
  state["f16"] = Tensor::from({1.5f, -2.25f, 65504.0f}, {3}, {.dtype = DType::f16});
  state["bf16"] = Tensor::from({1.5f, -2.25f, 1e30f}, {1, 3, 1}, {.dtype = DType::bf16});
  state["i32"] = Tensor::from_ints(ints, {3});
  state["u8"] = Tensor::from_bytes(bytes, {3}, DType::u8);
  state["scalar"] = Tensor::scalar(42.0f);
  state["empty"] = Tensor::zeros({3, 0, 2});
  state["layer.weight \"quoted\" \n \u00fc"] = Tensor::ones({2});
  return state;
}

void check_same(const StateDict& a, const StateDict& b) {
  REQUIRE(a.size() == b.size());
  for (const auto& [name, tensor] : a) {
    INFO(name);
    REQUIRE(b.contains(name));
    CHECK(b.at(name).dtype() == tensor.dtype());
    CHECK(b.at(name).shape() == tensor.shape());
    CHECK(b.at(name).to_bytes() == tensor.to_bytes());
  }
}

// A file system without room, for one piece of code: no file may grow beyond `bytes`.
class FileLimit {
 public:
  explicit FileLimit(rlim_t bytes) {
    old_handler_ = ::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &old_);
    const rlimit limit{bytes, old_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileLimit() {
    ::setrlimit(RLIMIT_FSIZE, &old_);
    ::signal(SIGXFSZ, old_handler_);
  }

 private:
  rlimit old_{};
  sighandler_t old_handler_;
};

}  // namespace

TEST_CASE("what is saved comes back, to the last bit", "[io]") {
  const TemporaryFolder folder;
  const StateDict state = one_of_each();
  const std::map<std::string, std::string> metadata = {{"epoch", "3"}, {"note", "\u00e9\n\"x\""}};
  save_safetensors(folder / "all.safetensors", state, metadata);
  std::map<std::string, std::string> read;
  check_same(state, load_safetensors(folder / "all.safetensors", Device::current(), &read));
  CHECK(read == metadata);
  CHECK(folder.files() == 1);

  save_safetensors(folder / "none.safetensors", {});
  CHECK(load_safetensors(folder / "none.safetensors", {}, &read).empty());
  CHECK(read.empty());
}

TEST_CASE("tensors are written in logical order, whatever their layout and offset", "[io]") {
  const TemporaryFolder folder;
  const Tensor x = Tensor::arange(2 * 3 * 4 * 5).reshape({2, 3, 4, 5});
  save_safetensors(folder / "x", {{"last", x.contiguous(Layout::channels_last)}, {"row", x.rows(1, 2)}});
  const StateDict read = load_safetensors(folder / "x");
  CHECK(read.at("last").to_vector() == x.to_vector());
  CHECK(read.at("row").to_vector() == x.rows(1, 2).to_vector());
}

TEST_CASE("the file is laid out as the format asks", "[io]") {
  const TemporaryFolder folder;
  const std::vector<std::byte> byte = {std::byte{9}};
  save_safetensors(folder / "x",
                   {{"a", Tensor::from_bytes(byte, {1}, DType::u8)}, {"b", Tensor::from({1.0f, 2.0f}, {2})}},
                   {{"k", "v"}});
  const std::string bytes = read_file(folder / "x");
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);
  CHECK(length % 8 == 0);  // so that the data is aligned
  CHECK(bytes.size() == 8 + length + 9);
  std::string header = bytes.substr(8, length);
  header.erase(header.find_last_not_of(' ') + 1);
  CHECK(header == R"({"__metadata__":{"k":"v"},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                  R"("a":{"dtype":"U8","shape":[1],"data_offsets":[8,9]}})");
}

TEST_CASE("a save replaces the old file as a whole and keeps its permissions and links", "[io]") {
  const TemporaryFolder folder;
  save_safetensors(folder / "model", {{"a", Tensor::ones({2})}});
  ::chmod((folder / "model").c_str(), 0640);
  std::filesystem::create_symlink("model", folder / "latest");
  save_safetensors(folder / "latest", {{"b", Tensor::ones({3})}});
  CHECK(std::filesystem::is_symlink(folder / "latest"));
  CHECK(load_safetensors(folder / "model").contains("b"));
  struct stat info {};
  ::stat((folder / "model").c_str(), &info);
  CHECK((info.st_mode & 0777) == 0640);
  CHECK(folder.files() == 2);
}

TEST_CASE("a full disk leaves the old file whole and nothing beside it", "[io][errors]") {
  const TemporaryFolder folder;
  const auto path = folder / "model.safetensors";
  const StateDict old = {{"a", Tensor::ones({2})}};
  save_safetensors(path, old);
  const std::string before = read_file(path);
  const StateDict large = {{"a", Tensor::ones({100000})}};
  Device::current().synchronize();  // kernels are compiled by now: compilers write files too
  {
    const FileLimit limit(6000);
    check_error(
        [&] { save_safetensors(path, large); }, ErrorCode::io,
        "save_safetensors: " + path.string() + ": cannot be written, the old file is as it was: File too large");
  }
  CHECK(read_file(path) == before);
  CHECK(folder.files() == 1);
}

TEST_CASE("a save that cannot begin or end says why", "[io][errors]") {
  const TemporaryFolder folder;
  const StateDict state = {{"a", Tensor::ones({2})}};
  check_error([&] { save_safetensors(folder / "none/model", state); }, ErrorCode::io, "No such file or directory");
  write_file(folder / "file", "x");
  check_error([&] { save_safetensors(folder / "file/model", state); }, ErrorCode::io, "Not a directory");
  check_error([&] { save_safetensors(folder / ".", state); }, ErrorCode::io, "Is a directory");
  check_error([&] { save_safetensors("/proc/portico-model", state); }, ErrorCode::io,
              "save_safetensors: /proc/portico-model: cannot be written");
  CHECK(folder.files() == 1);
}

TEST_CASE("what cannot be named or stored is refused before anything is written", "[io][errors]") {
  const TemporaryFolder folder;
  const auto refuse = [&](const StateDict& state, const std::map<std::string, std::string>& metadata,
                          const char* part) {
    check_error([&] { save_safetensors(folder / "x", state, metadata); }, ErrorCode::invalid_argument, part);
  };
  refuse({{"a", Tensor()}}, {}, "save_safetensors: tensor 'a' is undefined");
  refuse({{"__metadata__", Tensor::ones({1})}}, {}, "a tensor cannot be named __metadata__");
  refuse({{"a\xff", Tensor::ones({1})}}, {}, "not UTF-8");
  refuse({{"a", Tensor::ones({1})}}, {{"k", "\xc3\x28"}}, "not UTF-8");
  CHECK(folder.files() == 0);
}

}  // namespace portico::test
