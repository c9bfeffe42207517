// The disk cache between processes: whatever is wrong with it, the program goes on and computes the same.
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <vector>

#include "catch.hpp"
#include "process.hpp"

namespace portico::test {
namespace {

namespace fs = std::filesystem;

struct Cache {
  Cache() {
    std::string name = (fs::temp_directory_path() / "portico-cache-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    base = name;
    folder = base / "cache";
  }
  ~Cache() { fs::remove_all(base); }

  std::string variables() const {
    return "PORTICO_BACKEND=opencl PORTICO_LOG=debug PORTICO_CACHE_DIR=" + folder.string();
  }
  Finished scale() const {
    const Finished finished = probe(variables(), "scale 3");
    INFO(finished.output);
    CHECK(finished.code == 0);
    CHECK(contains(finished.output, "6 12 18 24 30"));
    return finished;
  }
  std::vector<fs::path> entries() const {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(folder)) found.push_back(entry.path());
    return found;
  }

  fs::path base, folder;
};

bool compiled(const Finished& finished) { return contains(finished.output, "compiling probe_scale"); }

std::string read_all(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_all(const fs::path& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

}  // namespace

TEST_CASE("the second process compiles nothing", "[cache]") {
  const Cache cache;
  CHECK(compiled(cache.scale()));
  REQUIRE(cache.entries().size() == 1);
  struct stat info {};
  REQUIRE(stat(cache.folder.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0700);
  CHECK_FALSE(compiled(cache.scale()));
  CHECK(cache.entries().size() == 1);
}

TEST_CASE("another specialisation is another entry", "[cache]") {
  const Cache cache;
  cache.scale();
  const Finished other = probe(cache.variables(), "scale 5");
  CHECK(contains(other.output, "10 20 30 40 50"));
  CHECK(cache.entries().size() == 2);
}

TEST_CASE("a damaged entry is compiled again and replaced", "[cache]") {
  const Cache cache;
  cache.scale();
  const fs::path entry = cache.entries().at(0);
  const std::string good = read_all(entry);

  const auto damage = GENERATE(as<std::string>{}, "empty", "truncated header", "truncated payload", "flipped bit",
                               "longer", "foreign", "lying length");
  std::string bad = good;
  if (damage == "empty") bad.clear();
  if (damage == "truncated header") bad.resize(20);
  if (damage == "truncated payload") bad.resize(good.size() - 7);
  if (damage == "flipped bit") bad[good.size() / 2] = static_cast<char>(bad[good.size() / 2] ^ 4);
  if (damage == "longer") bad += "more";
  if (damage == "foreign") bad = std::string(good.size(), 'x');
  if (damage == "lying length") bad[72 + 7] = '\x7f';
  write_all(entry, bad);
  INFO(damage);
  CHECK(compiled(cache.scale()));
  CHECK_FALSE(compiled(cache.scale()));
}

TEST_CASE("a binary that the driver refuses is compiled again", "[cache]") {
  const Cache cache;
  cache.scale();
  const fs::path first = cache.entries().at(0);
  REQUIRE(contains(probe(cache.variables(), "scale 5").output, "10 20"));
  fs::path second;
  for (const fs::path& path : cache.entries())
    if (path != first) second = path;
  // A whole, checksummed entry whose payload is no program: made with the cache's own format by another test would need
  // its digest, so it is made from an honest file of text here by the shell's sha256sum.
  const std::string payload = "this is no program binary";
  write_all(cache.base / "payload", payload);
  const std::string digest = run("sha256sum " + (cache.base / "payload").string()).output.substr(0, 64);
  std::string file = "PTCOBIN1" + digest;
  const std::uint64_t size = payload.size();
  file.append(reinterpret_cast<const char*>(&size), 8);
  write_all(first, file + payload);
  CHECK(compiled(cache.scale()));
}

TEST_CASE("a folder that others may write to is not used", "[cache]") {
  const Cache cache;
  fs::create_directory(cache.folder);
  chmod(cache.folder.c_str(), 0777);
  CHECK(compiled(cache.scale()));
  CHECK(cache.entries().empty());
  CHECK(contains(probe(cache.variables(), "cache").output, "others may write"));
}

TEST_CASE("a link in place of the folder is not followed", "[cache]") {
  const Cache cache;
  fs::create_directory(cache.base / "elsewhere");
  fs::create_directory_symlink(cache.base / "elsewhere", cache.folder);
  cache.scale();
  CHECK(fs::is_empty(cache.base / "elsewhere"));
}

TEST_CASE("a file in place of the folder, and PORTICO_CACHE=0, mean no cache", "[cache]") {
  const Cache cache;
  write_all(cache.folder, "a file");
  CHECK(compiled(cache.scale()));
  CHECK(read_all(cache.folder) == "a file");

  const Cache off;
  const Finished finished = probe(off.variables() + " PORTICO_CACHE=0", "scale 3");
  CHECK(contains(finished.output, "6 12 18 24 30"));
  CHECK_FALSE(fs::exists(off.folder));
}

TEST_CASE("processes that race for one entry all compute the same", "[cache]") {
  const Cache cache;
  const std::string one = "env " + cache.variables() + " " PORTICO_PROBE " scale 3";
  const Finished finished = run("(" + one + " & " + one + " & " + one + " & " + one + " & wait)");
  INFO(finished.output);
  std::size_t right = 0;
  for (std::size_t at = 0; (at = finished.output.find("6 12 18 24 30", at)) != std::string::npos; ++at) ++right;
  CHECK(right == 4);
  CHECK(cache.entries().size() == 1);  // no temporary file is left
  CHECK_FALSE(compiled(cache.scale()));
}

}  // namespace portico::test
