#include "output_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>

#include "portico/error.hpp"

namespace portico::tools {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const fs::path& path, const std::string& what) {
  throw Error(ErrorCode::io, path.string() + ": " + what);
}

fs::path folder_of(const fs::path& path) { return path.has_parent_path() ? path.parent_path() : fs::path("."); }

/// A new file beside `path`, which is gone again unless it takes the path's place.
class Aside {
 public:
  explicit Aside(const fs::path& path) : path_(path), name_(path.string() + ".XXXXXX"), file_(mkstemp(name_.data())) {
    if (file_ < 0) fail(path_, std::string("cannot be written: ") + std::strerror(errno));
  }
  ~Aside() {
    if (file_ >= 0) ::close(file_);
    if (!placed_) ::unlink(name_.c_str());
  }
  Aside(const Aside&) = delete;
  Aside& operator=(const Aside&) = delete;

  void write(std::span<const unsigned char> bytes) {
    while (!bytes.empty()) {
      const ssize_t done = ::write(file_, bytes.data(), bytes.size());
      if (done < 0 && errno == EINTR) continue;
      if (done <= 0) fail(path_, std::string("cannot be written: ") + std::strerror(errno));
      bytes = bytes.subspan(static_cast<std::size_t>(done));
    }
  }

  void place() {
    const mode_t mask = ::umask(0);
    ::umask(mask);
    ::fchmod(file_, 0666 & ~mask);  // mkstemp's own mode is for the owner alone
    const bool flushed = ::fsync(file_) == 0;
    const bool closed = ::close(file_) == 0;
    file_ = -1;
    if (!flushed || !closed || std::rename(name_.c_str(), path_.c_str()) != 0)
      fail(path_, std::string("cannot be written: ") + std::strerror(errno));
    placed_ = true;
  }

 private:
  fs::path path_;
  std::string name_;
  int file_;
  bool placed_ = false;
};

}  // namespace

void check_can_write(const fs::path& path, std::uintmax_t bytes) {
  std::error_code ignored;
  const fs::file_status there = fs::status(path, ignored);
  if (fs::is_directory(there)) fail(path, "cannot be written: it is a folder");
  if (fs::exists(there) && !fs::is_regular_file(there)) fail(path, "cannot be written: it is not a regular file");
  const fs::path folder = folder_of(path);
  if (!fs::exists(folder, ignored)) fail(path, "cannot be written: there is no folder " + folder.string());
  const Aside trial(path);
  std::error_code error;
  if (const fs::space_info space = fs::space(folder, error); !error && space.available < bytes)
    fail(path, "cannot be written: it needs " + std::to_string(bytes) + " bytes, the disk has " +
                   std::to_string(space.available) + " left");
}

void write_file(const fs::path& path, std::span<const unsigned char> bytes) {
  Aside aside(path);
  aside.write(bytes);
  aside.place();
}

}  // namespace portico::tools
