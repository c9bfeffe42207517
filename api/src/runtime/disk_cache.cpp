#include "runtime/disk_cache.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "runtime/environment.hpp"
#include "runtime/log.hpp"
#include "runtime/sha256.hpp"

namespace portico::detail {
namespace {

constexpr std::array<char, 8> kMagic = {'P', 'T', 'C', 'O', 'B', 'I', 'N', '1'};

struct Header {
  std::array<char, 8> magic;
  std::array<char, 64> digest;
  std::uint64_t size;
};

std::string default_folder() {
  if (const auto folder = variable("PORTICO_CACHE_DIR")) return *folder;
  if (const auto base = variable("XDG_CACHE_HOME")) return *base + "/portico";
  if (const auto home = variable("HOME")) return *home + "/.cache/portico";
  return {};
}

// A folder that another user owns or can write to could hand us another user's machine code.
std::string why_not_private(const std::string& folder) {
  struct stat info {};
  if (lstat(folder.c_str(), &info) != 0) return std::string("it cannot be made: ") + std::strerror(errno);
  if (!S_ISDIR(info.st_mode)) return "it is not a folder, or a link";
  if (info.st_uid != geteuid()) return "it belongs to another user";
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) return "others may write to it";
  return {};
}

bool write_all(int descriptor, const void* data, std::size_t size) {
  const char* at = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t written = ::write(descriptor, at, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    at += written;
    size -= static_cast<std::size_t>(written);
  }
  return true;
}

}  // namespace

const DiskCache& DiskCache::instance() {
  static const DiskCache& cache = *[] {
    if (variable_switch("PORTICO_CACHE", true)) return new DiskCache(default_folder());
    auto* off = new DiskCache;
    off->info_ = {.path = default_folder(), .enabled = false, .reason = "PORTICO_CACHE=0"};
    return off;
  }();
  return cache;
}

DiskCache::DiskCache(const std::string& folder) : info_{.path = folder} {
  if (folder.empty()) {
    info_.reason = "neither PORTICO_CACHE_DIR nor XDG_CACHE_HOME nor HOME is set";
    return;
  }
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(folder).parent_path(), ignored);
  mkdir(folder.c_str(), 0700);  // no effect when it is there already
  info_.reason = why_not_private(folder);
  info_.enabled = info_.reason.empty();
  if (!info_.enabled) log(1, "no program cache in " + folder + ": " + info_.reason);
}

std::optional<std::vector<std::byte>> read_cache_entry(const std::string& path, bool& damaged) {
  std::ifstream file(path, std::ios::binary);
  damaged = false;
  if (!file) return std::nullopt;

  Header header{};
  std::error_code ignored;
  const bool fits = file.read(reinterpret_cast<char*>(&header), sizeof header) && header.magic == kMagic &&
                    std::filesystem::file_size(path, ignored) == sizeof header + header.size;
  if (fits) {
    std::vector<std::byte> payload(header.size);
    file.read(reinterpret_cast<char*>(payload.data()), static_cast<std::streamsize>(payload.size()));
    if (file && sha256_hex(payload) == std::string_view(header.digest.data(), header.digest.size())) return payload;
  }
  damaged = true;
  return std::nullopt;
}

std::optional<std::vector<std::byte>> DiskCache::load(std::string_view key) const {
  if (!info_.enabled) return std::nullopt;
  const std::string path = info_.path + "/" + std::string(key);
  bool damaged = false;
  auto payload = read_cache_entry(path, damaged);
  if (damaged) {
    log(2, "damaged cache entry removed: " + path);
    std::error_code ignored;
    std::filesystem::remove(path, ignored);
  }
  return payload;
}

void DiskCache::store(std::string_view key, std::span<const std::byte> payload) const {
  if (!info_.enabled) return;
  const std::string path = info_.path + "/" + std::string(key);
  std::string temporary = path + ".XXXXXX";  // in the same folder: rename must not cross a file system
  const int descriptor = mkostemp(temporary.data(), O_CLOEXEC);
  if (descriptor < 0) return;

  Header header{.magic = kMagic, .digest = {}, .size = payload.size()};
  sha256_hex(payload).copy(header.digest.data(), header.digest.size());
  const bool written =
      write_all(descriptor, &header, sizeof header) && write_all(descriptor, payload.data(), payload.size());
  const bool closed = ::close(descriptor) == 0;
  if (!written || !closed || std::rename(temporary.c_str(), path.c_str()) != 0) unlink(temporary.c_str());
}

}  // namespace portico::detail

namespace portico {

CacheInfo cache_info() { return detail::DiskCache::instance().info(); }

}  // namespace portico
