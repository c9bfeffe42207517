// IDX files (yann.lecun.com's format of MNIST): two zero bytes, the element type, the number of axes, the extents as
// 32-bit big-endian numbers, then the elements. Nothing in the file is trusted: memory grows with the bytes that are
// really there, never with what the header claims.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <span>

#include "portico/data/dataset.hpp"

namespace portico::data {
namespace {

constexpr std::size_t kChunk = 1u << 16;
constexpr std::uint8_t kUnsignedBytes = 0x08;

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& what) {
  throw Error(ErrorCode::io, path.string() + ": " + what);
}

/// The bytes of a file, inflated when it starts as gzip does.
class Input {
 public:
  explicit Input(const std::filesystem::path& path) : path_(path), file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (file_ < 0) fail(path_, std::strerror(errno));
    struct stat info {};
    // A pipe or a device could go on for ever.
    if (::fstat(file_, &info) != 0 || !S_ISREG(info.st_mode)) close_and_fail("not a regular file");
    try {
      refill();
    } catch (...) {
      ::close(file_);
      throw;
    }
    gzip_ = left_ >= 2 && chunk_[0] == 0x1f && chunk_[1] == 0x8b;
    if (gzip_ && inflateInit2(&stream_, 16 + MAX_WBITS) != Z_OK) close_and_fail("zlib did not start");
  }
  ~Input() {
    if (gzip_) inflateEnd(&stream_);
    ::close(file_);
  }
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;

  bool gzip() const { return gzip_; }

  /// Fills as much of `out` as there is; fewer bytes mean the end.
  std::size_t read(std::span<std::uint8_t> out) { return gzip_ ? read_gzip(out) : read_plain(out); }

 private:
  [[noreturn]] void close_and_fail(const std::string& what) {
    ::close(file_);
    fail(path_, what);
  }

  void refill() {
    ssize_t got;
    do got = ::read(file_, chunk_.data(), chunk_.size());
    while (got < 0 && errno == EINTR);
    if (got < 0) fail(path_, std::string("cannot be read: ") + std::strerror(errno));
    next_ = chunk_.data();
    left_ = static_cast<std::size_t>(got);
  }

  std::size_t read_plain(std::span<std::uint8_t> out) {
    std::size_t done = 0;
    while (done < out.size()) {
      if (left_ == 0) refill();
      if (left_ == 0) break;
      const std::size_t part = std::min(left_, out.size() - done);
      std::memcpy(out.data() + done, next_, part);
      done += part;
      next_ += part;
      left_ -= part;
    }
    return done;
  }

  std::size_t read_gzip(std::span<std::uint8_t> out) {
    std::size_t done = 0;
    while (done < out.size() && !finished_) {
      if (left_ == 0) refill();
      if (left_ == 0) fail(path_, "truncated: the gzip stream ends before its end mark");
      stream_.next_in = next_;
      stream_.avail_in = static_cast<uInt>(left_);
      stream_.next_out = out.data() + done;
      stream_.avail_out = static_cast<uInt>(std::min<std::size_t>(out.size() - done, 1u << 30));
      const std::size_t room = stream_.avail_out;
      const int code = ::inflate(&stream_, Z_NO_FLUSH);
      next_ = stream_.next_in;
      left_ = stream_.avail_in;
      done += room - stream_.avail_out;
      if (code == Z_STREAM_END)
        end_member();
      else if (code != Z_OK && code != Z_BUF_ERROR)
        fail(path_, std::string("damaged gzip stream: ") + (stream_.msg ? stream_.msg : "bad data"));
    }
    return done;
  }

  // gzip files may be strung together; anything else behind the end is not ours.
  void end_member() {
    if (left_ == 0) refill();
    if (left_ == 0) {
      finished_ = true;
      return;
    }
    if (*next_ != 0x1f) fail(path_, "bytes that are no gzip stream follow the end of the gzip stream");
    inflateReset(&stream_);
  }

  std::filesystem::path path_;
  int file_;
  std::vector<std::uint8_t> chunk_ = std::vector<std::uint8_t>(kChunk);
  std::uint8_t* next_ = nullptr;
  std::size_t left_ = 0;
  z_stream stream_{};
  bool gzip_ = false, finished_ = false;
};

const char* type_name(std::uint8_t type) {
  switch (type) {
    case 0x09:
      return "signed bytes";
    case 0x0b:
      return "16-bit integers";
    case 0x0c:
      return "32-bit integers";
    case 0x0d:
      return "32-bit floats";
    case 0x0e:
      return "64-bit floats";
    default:
      return nullptr;
  }
}

}  // namespace

IdxArray read_idx(const std::filesystem::path& path) {
  Input input(path);
  std::array<std::uint8_t, 4> magic{};
  if (const std::size_t got = input.read(magic); got < magic.size())
    fail(path, "truncated: " + std::to_string(got) + " bytes, an IDX file starts with 4");
  if (magic[0] != 0 || magic[1] != 0) fail(path, "not an IDX file (it does not start with two zero bytes)");
  if (magic[2] != kUnsignedBytes) {
    if (const char* name = type_name(magic[2]))
      fail(path, std::string("holds ") + name + "; only unsigned bytes can be read");
    fail(path, "not an IDX file (its element type is " + std::to_string(magic[2]) + ")");
  }
  const int rank = magic[3];
  if (rank < 1 || rank > Shape::kMaxRank)
    fail(path,
         "its header says " + std::to_string(rank) + " axes; 1 to " + std::to_string(Shape::kMaxRank) + " can be read");

  IdxArray array;
  std::uint64_t count = 1;
  for (int axis = 0; axis < rank; ++axis) {
    std::array<std::uint8_t, 4> b{};
    if (input.read(b) < b.size()) fail(path, "truncated: it ends inside the header");
    const std::uint32_t extent =
        std::uint32_t{b[0]} << 24 | std::uint32_t{b[1]} << 16 | std::uint32_t{b[2]} << 8 | b[3];
    array.dims.push_back(extent);
    if (__builtin_mul_overflow(count, std::uint64_t{extent}, &count))
      fail(path, "the extents in its header are beyond any memory");
  }

  while (array.values.size() < count) {
    const std::size_t before = array.values.size();
    const std::size_t want = std::min<std::uint64_t>(count - before, std::max<std::size_t>(kChunk, before));
    array.values.resize(before + want);
    const std::size_t got = input.read({array.values.data() + before, want});
    if (got < want)
      fail(path,
           "truncated: its header says " + std::to_string(count) + " bytes, it holds " + std::to_string(before + got));
  }
  std::uint8_t more;
  if (input.read({&more, 1}) != 0)
    fail(path, "longer than the " + std::to_string(count) + " bytes that its header says");
  return array;
}

}  // namespace portico::data
