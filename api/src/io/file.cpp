#include "io/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <system_error>

#include "portico/error.hpp"

namespace portico::detail {
namespace {

std::string reason(int error) { return std::generic_category().message(error); }

// Where a write to `path` ends up: a link stays a link, and the file that it names is replaced.
std::filesystem::path behind_links(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::is_symlink(path, ignored)) return path;
  const std::filesystem::path target = std::filesystem::weakly_canonical(path, ignored);
  return ignored ? path : target;
}

std::filesystem::path folder_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

}  // namespace

FileHandle::~FileHandle() { close(); }

void FileHandle::reset(int descriptor) {
  close();
  descriptor_ = descriptor;
}

bool FileHandle::close() {
  if (descriptor_ < 0) return true;
  const bool closed = ::close(descriptor_) == 0;
  descriptor_ = -1;
  return closed;
}

InputFile::InputFile(const char* subject, const std::filesystem::path& path)
    // Opening a pipe without O_NONBLOCK would wait for a writer.
    : subject_(subject), path_(path.string()), handle_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
  if (handle_.get() < 0) fail("cannot be opened: " + reason(errno));
  struct stat info {};
  if (::fstat(handle_.get(), &info) != 0) fail("cannot be looked at: " + reason(errno));
  if (S_ISDIR(info.st_mode)) fail("is a folder");
  if (!S_ISREG(info.st_mode)) fail("is no regular file");
  size_ = static_cast<std::uint64_t>(info.st_size);
}

void InputFile::fail(const std::string& what) const {
  throw Error(ErrorCode::io, std::string(subject_) + ": " + path_ + ": " + what);
}

void InputFile::read(std::uint64_t offset, std::span<std::byte> bytes) const {
  while (!bytes.empty()) {
    const ssize_t got = ::pread(handle_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("cannot be read: " + reason(errno));
    if (got == 0) fail("ends at byte " + std::to_string(offset) + "; it became shorter while it was read");
    offset += static_cast<std::uint64_t>(got);
    bytes = bytes.subspan(static_cast<std::size_t>(got));
  }
}

OutputFile::OutputFile(const char* subject, const std::filesystem::path& path)
    : subject_(subject), target_(behind_links(path)) {
  struct stat old {};
  const bool replaces = ::stat(target_.c_str(), &old) == 0;
  if (replaces && !S_ISREG(old.st_mode)) fail("cannot be replaced", S_ISDIR(old.st_mode) ? EISDIR : EINVAL);

  static std::atomic<unsigned> counter{0};
  const std::string mark = ".tmp-" + std::to_string(::getpid()) + "-" + std::to_string(counter++);
  aside_ = folder_of(target_) / (target_.filename().string().substr(0, 200) + mark);
  // A left-over of a killed process that had this number may be there; nobody writes it any more.
  ::unlink(aside_.c_str());
  const int descriptor = ::open(aside_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor < 0) fail("cannot be written", errno);
  pending_ = true;
  handle_.reset(descriptor);
  // Best effort: who may read the old file may read the new one.
  if (replaces && ::fchmod(descriptor, old.st_mode & 0777) != 0) errno = 0;
}

OutputFile::~OutputFile() {
  if (pending_) ::unlink(aside_.c_str());
}

void OutputFile::fail(const char* what, int error) const {
  throw Error(ErrorCode::io, std::string(subject_) + ": " + target_.string() + ": " + what + ": " + reason(error));
}

void OutputFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(handle_.get(), bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) fail("cannot be written, the old file is as it was", errno);
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
}

void OutputFile::commit() {
  // Flushed before the rename: after a power cut there is the old file or the new one, never an empty one.
  if (::fsync(handle_.get()) != 0) fail("cannot be flushed, the old file is as it was", errno);
  if (!handle_.close()) fail("cannot be closed, the old file is as it was", errno);
  if (::rename(aside_.c_str(), target_.c_str()) != 0) fail("cannot be replaced", errno);
  pending_ = false;
  // The new name itself; a file system that cannot flush a folder has nothing to flush.
  const FileHandle folder(::open(folder_of(target_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() >= 0 && ::fsync(folder.get()) != 0) errno = 0;
}

}  // namespace portico::detail
