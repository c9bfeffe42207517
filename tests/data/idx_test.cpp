// The IDX and gzip parsers: right files are read, and no wrong one is believed, whatever is done to it.
#include <sys/resource.h>
#include <sys/stat.h>
#include <zlib.h>

#include <cstring>
#include <random>

#include "catch.hpp"
#include "op_check.hpp"
#include "portico/data/dataset.hpp"
#include "temporary_folder.hpp"

namespace portico::test {
namespace {

using data::read_idx;

Bytes gzip(const Bytes& plain) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  Bytes packed(deflateBound(&stream, plain.size()) + 64);
  stream.next_in = const_cast<Bytef*>(plain.data());
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = packed.data();
  stream.avail_out = static_cast<uInt>(packed.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

Bytes counting(std::size_t count) {
  Bytes values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<std::uint8_t>(i * 7);
  return values;
}

// Reads it or throws Error{io} that names the file; anything else is a bug.
bool readable(const std::filesystem::path& path) {
  try {
    read_idx(path);
    return true;
  } catch (const Error& error) {
    REQUIRE(error.code() == ErrorCode::io);
    REQUIRE(std::string(error.what()).starts_with(path.string() + ": "));
    return false;
  }
}

void expect(const std::filesystem::path& path, const std::string& part) {
  check_error([&] { read_idx(path); }, ErrorCode::io, part);
}

}  // namespace

TEST_CASE("IDX files are read, plain, compressed and compressed in pieces", "[idx]") {
  const TemporaryFolder folder;
  const Bytes values = counting(3 * 5 * 4), plain = idx_bytes({3, 5, 4}, values);
  Bytes pieces = gzip(Bytes(plain.begin(), plain.begin() + 21));
  const Bytes second = gzip(Bytes(plain.begin() + 21, plain.end()));
  pieces.insert(pieces.end(), second.begin(), second.end());
  for (const Bytes& bytes : {plain, gzip(plain), pieces}) {
    const data::IdxArray array = read_idx(folder.write("file", bytes));
    CHECK(array.dims == std::vector<std::int64_t>{3, 5, 4});
    CHECK(array.values == values);
  }
}

TEST_CASE("a large IDX file crosses the reader's chunks", "[idx]") {
  const TemporaryFolder folder;
  const Bytes values = counting(300'001), plain = idx_bytes({300'001}, values);
  CHECK(read_idx(folder.write("plain", plain)).values == values);
  CHECK(read_idx(folder.write("packed", gzip(plain))).values == values);
}

TEST_CASE("an extent of zero is an empty array", "[idx]") {
  const TemporaryFolder folder;
  CHECK(read_idx(folder.write("empty", idx_bytes({0, 28, 28}, {}))).values.empty());
}

TEST_CASE("an IDX file cut at any byte is an error", "[idx][fuzz]") {
  const TemporaryFolder folder;
  const Bytes plain = idx_bytes({2, 3, 4}, counting(24));
  for (const Bytes& whole : {plain, gzip(plain)})
    for (std::size_t length = 0; length < whole.size(); ++length) {
      INFO("cut to " << length << " of " << whole.size());
      CHECK_FALSE(readable(folder.write("cut", Bytes(whole.begin(), whole.begin() + static_cast<long>(length)))));
    }
}

TEST_CASE("bytes behind the end of an IDX file are an error", "[idx]") {
  const TemporaryFolder folder;
  const Bytes plain = idx_bytes({2, 3}, counting(6));
  Bytes longer = plain;
  longer.push_back(0);
  expect(folder.write("longer", longer), "longer than the 6 bytes that its header says");
  expect(folder.write("longer.gz", gzip(longer)), "longer than the 6 bytes that its header says");
  Bytes trailing = gzip(plain);
  trailing.push_back('x');
  expect(folder.write("trailing.gz", trailing), "follow the end of the gzip stream");
}

TEST_CASE("any flipped bit of a compressed file is noticed or harmless", "[idx][fuzz]") {
  const TemporaryFolder folder;
  const Bytes plain = idx_bytes({2, 3, 4}, counting(24));
  const Bytes packed = gzip(plain);
  const data::IdxArray right = read_idx(folder.write("right", packed));
  for (std::size_t bit = 0; bit < packed.size() * 8; ++bit) {
    Bytes flipped = packed;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
    const auto path = folder.write("flipped", flipped);
    INFO("bit " << bit);
    // gzip's header has fields that mean nothing to us (time, system); all else is under its checksum.
    if (readable(path)) CHECK(read_idx(path).values == right.values);
  }
}

TEST_CASE("random bytes and random changes never crash the reader", "[idx][fuzz]") {
  const TemporaryFolder folder;
  std::mt19937 random(1);
  const Bytes plain = idx_bytes({2, 3, 4}, counting(24)), packed = gzip(plain);
  int accepted = 0;
  for (int round = 0; round < 3000; ++round) {
    Bytes bytes = round % 3 == 0 ? plain : packed;
    if (round % 3 == 2) bytes.assign(random() % 64, 0);
    for (std::size_t i = 0, changes = 1 + random() % 6; i < changes && !bytes.empty(); ++i)
      bytes[random() % bytes.size()] = static_cast<std::uint8_t>(random());
    accepted += readable(folder.write("random", bytes));
  }
  CHECK(accepted > 0);  // changed pixels are still pixels
  CHECK(accepted < 3000);
}

TEST_CASE("a header's claim costs no memory", "[idx]") {
  const TemporaryFolder folder;
  const auto lying = folder.write("lying", idx_bytes({0xffffffffu, 1000}, counting(10)));
  const auto lying_packed = folder.write("lying.gz", gzip(idx_bytes({0xffffffffu, 1000}, counting(10))));
  const auto overflow = folder.write("overflow", idx_bytes({0xffffffffu, 0xffffffffu, 0xffffffffu}, counting(10)));
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // these map terabytes of shadow themselves
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_AS, &before) == 0);
  rlimit small = before;
  small.rlim_cur = rlim_t{4} << 30;
  REQUIRE(setrlimit(RLIMIT_AS, &small) == 0);
#endif
  expect(lying, "truncated: its header says 4294967295000 bytes, it holds 10");
  expect(lying_packed, "truncated: its header says 4294967295000 bytes, it holds 10");
  expect(overflow, "beyond any memory");
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  setrlimit(RLIMIT_AS, &before);
#endif
}

TEST_CASE("foreign files are named as such", "[idx]") {
  const TemporaryFolder folder;
  expect(folder.path() / "absent", "No such file");
  expect(folder.path(), "not a regular file");
  expect("/dev/null", "not a regular file");
  expect(folder.write("nothing", {}), "truncated: 0 bytes");
  expect(folder.write("png", {0x89, 'P', 'N', 'G', 13, 10, 26, 10}), "not an IDX file");
  expect(folder.write("zeros", Bytes(64)), "not an IDX file");
  expect(folder.write("floats", idx_bytes({4}, Bytes(16), 0x0d)), "32-bit floats; only unsigned bytes");
  expect(folder.write("scalar", idx_bytes({}, {1})), "its header says 0 axes");
  expect(folder.write("axes", idx_bytes(std::vector<std::uint32_t>(9, 1), {1})), "its header says 9 axes");
  expect(folder.write("text.gz", gzip({'h', 'e', 'l', 'l', 'o'})), "not an IDX file");
}

TEST_CASE("the four files of MNIST belong together", "[mnist]") {
  const TemporaryFolder folder;
  const auto write_all = [&] {
    folder.write("train-images-idx3-ubyte", idx_bytes({3, 2, 2}, counting(12)));
    folder.write("train-labels-idx1-ubyte", idx_bytes({3}, {0, 9, 4}));
    folder.write("t10k-images-idx3-ubyte.gz", gzip(idx_bytes({1, 2, 2}, counting(4))));
    folder.write("t10k-labels-idx1-ubyte", idx_bytes({1}, {1}));
  };
  const auto fails = [&](const std::string& part) {
    check_error([&] { data::load_mnist(folder.path()); }, ErrorCode::io, part);
    write_all();
  };
  fails("lacks train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte");

  const data::ImageData read = data::load_mnist(folder.path());
  CHECK(read.train.count == 3);
  CHECK(read.train.labels == std::vector<std::int32_t>{0, 9, 4});
  CHECK(read.test.height == 2);

  folder.write("train-labels-idx1-ubyte", idx_bytes({2}, {0, 9}));
  fails("holds 2 labels for the 3 images");
  folder.write("train-labels-idx1-ubyte", idx_bytes({3}, {0, 10, 4}));
  fails("label 10 of example 1 is not below 10");
  folder.write("train-images-idx3-ubyte", idx_bytes({12}, counting(12)));
  fails("has 1 axes; images need 3");
  folder.write("t10k-labels-idx1-ubyte", idx_bytes({1, 1}, {1}));
  fails("has 2 axes; labels need 1");
  folder.write("train-images-idx3-ubyte", idx_bytes({3, 1, 2}, counting(6)));
  fails("the training images are 1x2, the test images 2x2");
  folder.write("train-images-idx3-ubyte", idx_bytes({3, 0, 2}, {}));
  fails("holds no pixels");
  std::filesystem::remove(folder.path() / "train-labels-idx1-ubyte");
  fails("lacks train-labels-idx1-ubyte (plain or .gz)");

  check_error([&] { data::load_mnist(folder.path() / "nowhere"); }, ErrorCode::io, "No such file");
  check_error([&] { data::load_mnist(folder.path() / "train-labels-idx1-ubyte"); }, ErrorCode::io, "Not a directory");
}

}  // namespace portico::test
