// What the PORTICO_* variables do and refuse.
#include <filesystem>
#include <fstream>

#include "catch.hpp"
#include "process.hpp"

namespace portico::test {
namespace {

// A folder that holds nothing but what a test puts there.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "portico-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  std::string string() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

void check_refused(const std::string& variables, const std::string& deed, std::initializer_list<const char*> parts) {
  const Finished finished = probe(variables, deed);
  INFO(variables << " " << deed << ":\n" << finished.output);
  CHECK(finished.code == 1);
  for (const char* part : parts) {
    INFO("part: " << part);
    CHECK(contains(finished.output, part));
  }
}

}  // namespace

TEST_CASE("PORTICO_BACKEND picks a device, and refuses what is none", "[environment]") {
  const Finished opencl = probe("PORTICO_BACKEND=opencl", "device");
  INFO(opencl.output);
  CHECK(opencl.code == 0);
  CHECK(contains(opencl.output, "opencl:0 "));
  CHECK(probe("PORTICO_BACKEND=opencl:0", "device").output == opencl.output);

  check_refused("PORTICO_BACKEND=vulkan", "device", {"PORTICO_BACKEND=vulkan", "cuda, hip, opencl"});
  check_refused("PORTICO_BACKEND=opencl:x", "device", {"PORTICO_BACKEND=opencl:x"});
  check_refused("PORTICO_BACKEND=opencl:", "device", {"PORTICO_BACKEND=opencl:"});
  check_refused("PORTICO_BACKEND=opencl:-1", "device", {"PORTICO_BACKEND=opencl:-1"});
  check_refused("PORTICO_BACKEND=opencl:99", "device", {"opencl:99 does not exist", "counted from 0"});
}

TEST_CASE("a backend asked for by name is never replaced by another", "[environment]") {
  const Folder empty;
  check_refused("PORTICO_BACKEND=cuda PORTICO_CUDA_DRIVER=" + (empty / "none.so"), "device",
                {"cuda: ", "none.so", "libportico_cuda.so"});
}

TEST_CASE("a missing plugin is reported with the path tried", "[environment]") {
  const Folder empty;
  check_refused("PORTICO_BACKEND=opencl PORTICO_BACKEND_DIR=" + empty.string(), "device",
                {"opencl: the plugin does not open", "libportico_opencl.so"});
  check_refused("-u PORTICO_BACKEND PORTICO_BACKEND_DIR=" + empty.string(), "device",
                {"no backend has a device", "cuda: ", "hip: ", "opencl: "});
}

TEST_CASE("a plugin of another version is refused before its code runs", "[environment]") {
  const Folder folder;
  std::ofstream(folder / "stale.c") << "const void* portico_backend_v0(const void* host) { return host; }\n";
  const std::string build = "cc -shared -fPIC -o " + (folder / "libportico_opencl.so") + " " + (folder / "stale.c");
  REQUIRE(run(build).code == 0);
  check_refused("PORTICO_BACKEND=opencl PORTICO_BACKEND_DIR=" + folder.string(), "device",
                {"portico_backend_v1", "another version"});

  std::ofstream(folder / "short.c")
      << "static const unsigned table[2] = {8, 0};\nconst void* portico_backend_v1(const void* h) { return table; }\n";
  REQUIRE(run("cc -shared -fPIC -o " + (folder / "libportico_opencl.so") + " " + (folder / "short.c") + " -w").code ==
          0);
  check_refused("PORTICO_BACKEND=opencl PORTICO_BACKEND_DIR=" + folder.string(), "device", {"fewer functions"});
}

TEST_CASE("the working folder is not searched for plugins", "[environment]") {
  const Folder here, empty;
  std::ofstream(here / "libportico_opencl.so") << "not a library";
  const Finished finished = run("cd " + here.string() + " && env PORTICO_BACKEND=opencl " PORTICO_PROBE " device");
  INFO(finished.output);
  CHECK(finished.code == 0);
}

TEST_CASE("values that make no sense are refused by name", "[environment]") {
  check_refused("PORTICO_BACKEND=opencl PORTICO_MEMORY_LIMIT=lots", "device", {"PORTICO_MEMORY_LIMIT=lots", "512M"});
  check_refused("PORTICO_BACKEND=opencl PORTICO_POOL=mine", "device", {"PORTICO_POOL=mine", "own", "driver"});
  check_refused("PORTICO_BACKEND=opencl PORTICO_MEMORY_LIMIT=12Q", "device", {"PORTICO_MEMORY_LIMIT=12Q"});
  check_refused("PORTICO_BACKEND=opencl PORTICO_CACHE=yes", "scale", {"PORTICO_CACHE=yes", "one of 0, 1"});
  check_refused("PORTICO_BACKEND=opencl PORTICO_DEBUG=2", "scale", {"PORTICO_DEBUG=2"});
  check_refused("PORTICO_BACKEND=opencl PORTICO_TRACE=/nonexistent/trace.json", "scale",
                {"PORTICO_TRACE=/nonexistent/trace.json"});
}

TEST_CASE("an allocation beyond the limit says what is in use", "[environment]") {
  const std::string limit = "PORTICO_BACKEND=opencl PORTICO_MEMORY_LIMIT=1M ";
  CHECK(probe(limit, "allocate 400000 400000").code == 0);
  check_refused(limit, "allocate 400000 400000 400000",
                {"do not fit", "in use", "cached", "PORTICO_MEMORY_LIMIT 1.0 MiB"});
}

TEST_CASE("PORTICO_DUMP keeps the text that was compiled, with marks", "[environment]") {
  const Folder folder;
  const Finished finished = probe("PORTICO_BACKEND=opencl PORTICO_DUMP=" + (folder / "dump"), "scale 3");
  INFO(finished.output);
  REQUIRE(finished.code == 0);
  std::string text;
  for (const auto& entry : std::filesystem::directory_iterator(folder / "dump")) {
    std::ifstream file(entry.path());
    text.assign(std::istreambuf_iterator<char>(file), {});
  }
  for (const char* part : {"// portico kernel: file=probe_scale", "// begin spec\n#define SCALE 3\n// end spec",
                           "// begin prelude", "// end prelude", "KERNEL void scale"})
    CHECK(contains(text, part));
}

TEST_CASE("PORTICO_DEBUG finds a write behind a block", "[environment]") {
  CHECK(probe("PORTICO_BACKEND=opencl PORTICO_DEBUG=0", "overrun").code == 0);
  const Finished finished = probe("PORTICO_BACKEND=opencl PORTICO_DEBUG=1", "overrun");
  INFO(finished.output);
  CHECK(finished.code != 0);
  CHECK(contains(finished.output, "wrote behind a block of 16 bytes"));
}

TEST_CASE("PORTICO_TRACE writes launches with host and device times", "[environment]") {
  const Folder folder;
  REQUIRE(probe("PORTICO_BACKEND=opencl PORTICO_TRACE=" + (folder / "trace.json"), "scale").code == 0);
  std::ifstream file(folder / "trace.json");
  const std::string text(std::istreambuf_iterator<char>(file), {});
  INFO(text);
  CHECK(contains(text, "\"traceEvents\""));
  CHECK(contains(text, "\"name\":\"scale\""));
  CHECK(contains(text, "\"pid\":\"host\""));
  CHECK(contains(text, "\"pid\":\"device\""));
}

TEST_CASE("PORTICO_TRACE writes replays of a graph", "[environment]") {
  const Folder folder;
  REQUIRE(probe("PORTICO_BACKEND=opencl PORTICO_TRACE=" + (folder / "trace.json"), "replay").code == 0);
  std::ifstream file(folder / "trace.json");
  const std::string text(std::istreambuf_iterator<char>(file), {});
  INFO(text);
  std::size_t rows = 0;
  for (std::size_t at = 0; (at = text.find("\"name\":\"graph replay\"", at)) != std::string::npos; ++at) ++rows;
  CHECK(rows == 4);  // two replays, on the host and on the device
}

TEST_CASE("an OpenCL process maps no CUDA or HIP library", "[environment]") {
  const Finished finished = probe("PORTICO_BACKEND=opencl", "maps");
  INFO(finished.output);
  REQUIRE(finished.code == 0);
  CHECK(contains(finished.output, "libOpenCL"));
  for (const char* name : {"libcuda.so", "libnvrtc", "libcublas", "libamdhip64", "libhiprtc", "librocblas"})
    CHECK_FALSE(contains(finished.output, name));
}

TEST_CASE("PORTICO_PRECISION is where the precision of products starts", "[environment][precision]") {
  CHECK(probe("", "precision").output == "0\n");
  CHECK(probe("PORTICO_PRECISION=tf32", "precision").output == "1\n");
  CHECK(probe("PORTICO_PRECISION=bf16", "precision").output == "2\n");
  check_refused("PORTICO_PRECISION=fp16", "precision", {"PORTICO_PRECISION=fp16", "strict, tf32, bf16"});
}

}  // namespace portico::test
