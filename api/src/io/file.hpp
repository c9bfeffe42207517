// Files: read within bounds, and replaced as a whole or not at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace portico::detail {

/// A file descriptor, closed with the object.
class FileHandle {
 public:
  explicit FileHandle(int descriptor = -1) : descriptor_(descriptor) {}
  ~FileHandle();
  FileHandle(const FileHandle&) = delete;
  FileHandle& operator=(const FileHandle&) = delete;
  int get() const { return descriptor_; }
  void reset(int descriptor);
  bool close();  ///< false when the system could not write what it had taken

 private:
  int descriptor_;
};

/// A regular file opened for reading. Errors are `Error{io}`: "<subject>: <path>: <what>".
class InputFile {
 public:
  InputFile(const char* subject, const std::filesystem::path& path);
  std::uint64_t size() const { return size_; }
  /// Exactly these bytes; throws when the file ends before.
  void read(std::uint64_t offset, std::span<std::byte> bytes) const;
  [[noreturn]] void fail(const std::string& what) const;

 private:
  const char* subject_;
  std::string path_;
  FileHandle handle_;
  std::uint64_t size_ = 0;
};

/// A file written aside, in the folder of `path`, that takes the place of `path` in commit(). Destroyed before that, it
/// is removed, and what was at `path` is as it was.
class OutputFile {
 public:
  OutputFile(const char* subject, const std::filesystem::path& path);
  ~OutputFile();
  void write(std::span<const std::byte> bytes);
  void commit();

 private:
  [[noreturn]] void fail(const char* what, int error) const;

  const char* subject_;
  std::filesystem::path target_;
  std::filesystem::path aside_;
  FileHandle handle_;
  bool pending_ = false;
};

}  // namespace portico::detail
