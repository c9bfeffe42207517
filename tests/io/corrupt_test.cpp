// Files that are truncated, damaged, foreign or made to mislead: each is a clear error, and none a crash. The sanitizer
// build runs this too.
#include <sys/stat.h>

#include "catch.hpp"
#include "op_check.hpp"
#include "raw_file.hpp"

namespace portico::test {
namespace {

std::string entry(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return R"({"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}";
}

struct Lie {
  std::string header;
  std::size_t data_bytes;
  const char* message;
  ErrorCode code = ErrorCode::io;
};

const std::vector<Lie>& lies() {
  static const std::string good = entry("F32", "[2]", "[0,8]");
  static const std::vector<Lie> all = {
      {"", 0, "no valid JSON"},
      {"{", 0, "no valid JSON"},
      {"[]", 0, "the header is no JSON object"},
      {"{}x", 0, "no valid JSON"},
      {std::string("{}\0", 3), 0, "no valid JSON"},
      {"{\"a\xff\":" + good + "}", 8, "no valid JSON"},
      {"{\"a\":" + good + ",\"a\":" + good + "}", 8, "has 'a' twice"},
      {R"({"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 8, "has 'dtype' twice"},
      {R"({"a":{"dtype":"F32","shape":[[[2]]],"data_offsets":[0,8]}})", 8, "nests deeper"},
      {R"({"a":7})", 0, "tensor 'a' is no object"},
      {R"({"a":{"shape":[2],"data_offsets":[0,8]}})", 8, "tensor 'a' has no dtype"},
      {R"({"a":{"dtype":"F32","data_offsets":[0,8]}})", 8, "tensor 'a' has no shape"},
      {R"({"a":{"dtype":"F32","shape":[2]}})", 8, "tensor 'a' has no data_offsets"},
      {R"({"a":{"dtype":32,"shape":[2],"data_offsets":[0,8]}})", 8, "has a dtype that is no text"},
      {"{\"a\":" + entry("F33", "[2]", "[0,8]") + "}", 8, "has the unknown dtype 'F33'"},
      {"{\"a\":" + entry("F64", "[1]", "[0,8]") + "}", 8, "has dtype F64, which Portico does not hold",
       ErrorCode::unsupported},
      {"{\"a\":" + entry("I64", "[1]", "[0,8]") + "}", 8, "convert it to F32, F16, BF16, I32 or U8 first",
       ErrorCode::unsupported},
      {"{\"a\":" + entry("F32", "2", "[0,8]") + "}", 8, "has a shape that is no list"},
      {"{\"a\":" + entry("F32", "[2.0]", "[0,8]") + "}", 8, "an extent that is no size"},
      {"{\"a\":" + entry("F32", "[-2]", "[0,8]") + "}", 8, "an extent that is no size"},
      {"{\"a\":" + entry("F32", "[9223372036854775808]", "[0,8]") + "}", 8, "an extent that is no size"},
      {"{\"a\":" + entry("F32", "[99999999999999999999999]", "[0,8]") + "}", 8, "an extent that is no size"},
      {"{\"a\":" + entry("F32", "[4611686018427387904,4]", "[0,0]") + "}", 0, "a shape whose product overflows"},
      {"{\"a\":" + entry("F32", "[4611686018427387906]", "[0,8]") + "}", 8, "a shape whose product overflows"},
      {"{\"a\":" + entry("F32", "[1,1,1,1,1,1,1,1,2]", "[0,8]") + "}", 8, "has 9 axes; Portico holds up to 8",
       ErrorCode::unsupported},
      {"{\"a\":" + entry("F32", "[2]", "[0]") + "}", 8, "data_offsets that are no two positions"},
      {"{\"a\":" + entry("F32", "[2]", "[0,8,16]") + "}", 8, "data_offsets that are no two positions"},
      {"{\"a\":" + entry("F32", "[2]", "[-8,0]") + "}", 8, "data_offsets that are no two positions"},
      {"{\"a\":" + entry("F32", "[2]", "[8,0]") + "}", 8, "lies at bytes 8 to 0 of data that has 8"},
      {"{\"a\":" + entry("F32", "[2]", "[0,8]") + "}", 7, "lies at bytes 0 to 8 of data that has 7"},
      {"{\"a\":" + entry("F32", "[2]", "[0,18446744073709551608]") + "}", 8, "lies at bytes 0 to 18446744073709551608"},
      {"{\"a\":" + entry("F32", "[3]", "[0,8]") + "}", 8, "has 8 bytes; [3] of F32 are 12"},
      {"{\"a\":" + good + "}", 9, "the tensors end at byte 8 of data that has 9"},
      {"{\"a\":" + good + ",\"b\":" + entry("F32", "[2]", "[9,17]") + "}", 17,
       "the bytes from 8 on belong to no tensor"},
      {"{\"a\":" + good + ",\"b\":" + entry("F32", "[2]", "[4,12]") + "}", 12, "inside the one before"},
      {"{\"a\":" + good + ",\"b\":" + good + "}", 8, "inside the one before"},
      {"{\"a\":" + entry("F32", "[2]", "[4,12]") + "}", 12, "the bytes from 0 on belong to no tensor"},
      {R"({"__metadata__":7})", 0, "__metadata__ is no object"},
      {R"({"__metadata__":{"k":7}})", 0, "metadata 'k' is no text"},
      {"{}", 4, "the tensors end at byte 0 of data that has 4"},
  };
  return all;
}

}  // namespace

TEST_CASE("a header that lies is refused for what it says", "[io][corrupt]") {
  const TemporaryFolder folder;
  const auto path = folder / "lie.safetensors";
  for (const Lie& lie : lies()) {
    INFO(lie.header);
    write_file(path, raw_safetensors(lie.header, lie.data_bytes));
    check_error([&] { load_safetensors(path); }, lie.code, lie.message);
    check_error([&] { load_safetensors(path); }, lie.code, "load_safetensors: " + path.string() + ": ");
  }
}

TEST_CASE("a strange header that is valid is read", "[io][corrupt]") {
  const TemporaryFolder folder;
  const auto path = folder / "odd.safetensors";
  // Entries in another order than the data, empty tensors between them, unknown keys, spaces.
  write_file(path,
             raw_safetensors("{ \"z\" : " + entry("U8", "[2]", "[4,6]") + ",\"e\":" + entry("F32", "[0,7]", "[4,4]") +
                                 R"(,"y":{"note":[1,2],"dtype":"I32","shape":[],"data_offsets":[0,4]}})" + "   ",
                             6));
  const StateDict read = load_safetensors(path);
  CHECK(read.at("z").to_ints() == std::vector<std::int32_t>{4, 5});
  CHECK(read.at("y").to_ints() == std::vector<std::int32_t>{0x03020100});
  CHECK(read.at("e").shape() == Shape{0, 7});
}

TEST_CASE("files that are no safetensors files", "[io][corrupt]") {
  const TemporaryFolder folder;
  const auto refuse = [&](const std::string& name, const char* part) {
    check_error([&] { load_safetensors(folder / name); }, ErrorCode::io, part);
  };
  refuse("missing", "cannot be opened: No such file or directory");
  refuse(".", "is a folder");
  ::mkfifo((folder / "pipe").c_str(), 0600);
  refuse("pipe", "is no regular file");
  write_file(folder / "empty", "");
  refuse("empty", "has 0 bytes; a safetensors file begins with 8 bytes of length");
  write_file(folder / "short", "1234567");
  refuse("short", "has 7 bytes");
  write_file(folder / "png", "\x89PNG\r\n\x1a\n" + std::string(100, 'x'));
  refuse("png", "It is truncated or no safetensors file");
  write_file(folder / "zip", "PK\x03\x04" + std::string(200, 'x'));
  refuse("zip", "claims a header of");
  write_file(folder / "zeros", std::string(64, '\0'));
  refuse("zeros", "no valid JSON");
  write_file(folder / "ones", std::string(64, '\xff'));
  refuse("ones", "claims a header of 18446744073709551615 bytes; the file has 64");
  write_file(folder / "nested", raw_safetensors(std::string(1'000'000, '['), 0));
  refuse("nested", "nests deeper");
  write_file(folder / "control", raw_safetensors("{\"\\u001b[31m\":7}", 0));
  refuse("control", "tensor '?[31m' is no object");
}

TEST_CASE("a header above the format's limit is not even read", "[io][corrupt]") {
  const TemporaryFolder folder;
  write_file(folder / "big", raw_safetensors("{}", 0));
  const std::uint64_t length = 100'000'001;
  {
    std::fstream file(folder / "big", std::ios::in | std::ios::out | std::ios::binary);
    file.write(reinterpret_cast<const char*>(&length), 8);
  }
  std::filesystem::resize_file(folder / "big", 100'000'100);  // sparse
  check_error([&] { load_safetensors(folder / "big"); }, ErrorCode::io, "claims a header of 100000001 bytes");
}

TEST_CASE("truncation at every byte is an error", "[io][corrupt][fuzz]") {
  const TemporaryFolder folder;
  const auto path = folder / "model";
  save_safetensors(path, {{"a.weight", Tensor::ones({2, 3})}, {"b", Tensor::ones({5}, {.dtype = DType::f16})}},
                   {{"k", "v"}});
  const std::string whole = read_file(path);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    INFO("the first " << size << " of " << whole.size() << " bytes");
    write_file(path, whole.substr(0, size));
    check_error([&] { load_safetensors(path); }, ErrorCode::io, "load_safetensors: ");
  }
  write_file(path, whole + "x");
  check_error([&] { load_safetensors(path); }, ErrorCode::io, "data that has");
}

TEST_CASE("random damage is an error or another valid file, never a crash", "[io][corrupt][fuzz]") {
  const TemporaryFolder folder;
  const auto path = folder / "model";
  save_safetensors(path, {{"a", Tensor::ones({2, 3})}, {"b", Tensor::ones({4}, {.dtype = DType::bf16})}}, {{"k", "v"}});
  const std::string whole = read_file(path);
  std::uint32_t state = 12345;
  const auto next = [&] { return state = state * 1664525u + 1013904223u, state >> 8; };
  int loaded = 0, refused = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string damaged = whole;
    for (unsigned k = 0, count = 1 + next() % 3; k < count; ++k) {
      const std::size_t at = next() % damaged.size();
      switch (next() % 4) {
        case 0:
          damaged[at] = static_cast<char>(damaged[at] ^ (1 << next() % 8));
          break;
        case 1:
          damaged[at] = static_cast<char>(next());
          break;
        case 2:
          damaged.erase(at, 1 + next() % 4);
          break;
        default:
          damaged.insert(at, 1, "0123456789[]{},:\"- \xff"[next() % 21]);
      }
      if (damaged.empty()) damaged = "x";
    }
    write_file(path, damaged);
    try {
      for (const auto& [name, tensor] : load_safetensors(path)) (void)tensor.to_bytes();
      ++loaded;
    } catch (const Error& error) {
      ++refused;
      const bool expected = error.code() == ErrorCode::io || error.code() == ErrorCode::unsupported;
      if (!expected) FAIL(error.what());
    }
  }
  INFO(loaded << " loaded, " << refused << " refused");
  CHECK(loaded > 100);  // damage within the data
  CHECK(refused > 1000);
}

}  // namespace portico::test
