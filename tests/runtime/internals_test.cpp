// Pieces of api/src/runtime that nothing public shows.
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "catch.hpp"
#include "portico/device.hpp"
#include "portico/error.hpp"
#include "runtime/disk_cache.hpp"
#include "runtime/environment.hpp"
#include "runtime/sha256.hpp"
#include "runtime/tuning/gemm_class.hpp"
#include "runtime/vendor_choice.hpp"

namespace portico::test {
namespace {

std::string hash_of(const std::string& text) { return detail::sha256_hex(std::as_bytes(std::span(text))); }

}  // namespace

TEST_CASE("SHA-256 gives the standard's examples", "[internals]") {
  CHECK(hash_of("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(hash_of("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(hash_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(hash_of(std::string(1000000, 'a')) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("SHA-256 does not depend on how the bytes are cut", "[internals]") {
  const std::string text(1000, 'q');
  for (const std::size_t cut : {1u, 55u, 56u, 63u, 64u, 65u, 999u}) {
    detail::Sha256 hash;
    hash.update(std::as_bytes(std::span(text)).first(cut));
    hash.update(std::as_bytes(std::span(text)).subspan(cut));
    CHECK(hash.hex() == hash_of(text));
  }
}

TEST_CASE("fields do not run together", "[internals]") {
  detail::Sha256 a, b;
  a.field("a"), a.field("bc");
  b.field("ab"), b.field("c");
  CHECK(a.hex() != b.hex());
}

TEST_CASE("sizes are read with their units", "[internals]") {
  const auto value = [](const char* text) {
    setenv("PORTICO_TEST_SIZE", text, 1);
    return detail::variable_bytes("PORTICO_TEST_SIZE", 7);
  };
  CHECK(value("") == 7);
  CHECK(value("123") == 123);
  CHECK(value("2K") == 2048);
  CHECK(value("3M") == 3u << 20);
  CHECK(value("8G") == 8ull << 30);
  for (const char* bad : {"K", "-1", "1.5G", "1GB", "99999999999999999999", "18446744073709551615K", " 1"})
    CHECK_THROWS_AS(value(bad), Error);
}

TEST_CASE("sizes are written readably", "[internals]") {
  CHECK(detail::readable_bytes(0) == "0 B");
  CHECK(detail::readable_bytes(1023) == "1023 B");
  CHECK(detail::readable_bytes(1536) == "1.5 KiB");
  CHECK(detail::readable_bytes(5ull << 30) == "5.0 GiB");
}

TEST_CASE("the innermost VendorGuard decides, for its thread alone", "[internals]") {
  REQUIRE(std::getenv("PORTICO_VENDOR") == nullptr);
  CHECK(detail::vendor_allowed());
  {
    const VendorGuard forbid(false);
    CHECK_FALSE(detail::vendor_allowed());
    {
      const VendorGuard allow(true);
      CHECK(detail::vendor_allowed());
    }
    CHECK_FALSE(detail::vendor_allowed());
    bool elsewhere = false;
    std::thread([&] { elsewhere = detail::vendor_allowed(); }).join();
    CHECK(elsewhere);
  }
  CHECK(detail::vendor_allowed());
}

TEST_CASE("a product takes the nearest class's choice, three doublings away at most", "[internals]") {
  const auto at = [](std::uint8_t m, std::uint8_t n, std::uint8_t k, std::uint8_t trans = 0) {
    return detail::GemmClass{.dtype = 0, .trans = trans, .m = m, .n = n, .k = k};
  };
  const detail::GemmTable table({{at(5, 5, 5), {.rows = 8}}, {at(8, 5, 5), {.rows = 4}}, {at(12, 12, 12), {}}});
  for (int again = 0; again < 2; ++again) {  // the second time from its memory
    REQUIRE(table.find(at(5, 5, 5)) != nullptr);
    CHECK(table.find(at(5, 5, 5))->rows == 8);
    CHECK(table.find(at(6, 5, 5))->rows == 8);
    CHECK(table.find(at(7, 5, 5))->rows == 4);
    CHECK(table.find(at(8, 6, 7))->rows == 4);
    CHECK(table.find(at(8, 7, 7)) == nullptr);
    CHECK(table.find(at(4, 4, 4))->rows == 8);
    CHECK(table.find(at(5, 5, 5, 1)) == nullptr);
    CHECK(table.find(at(12, 12, 12)) == nullptr);  // measured, and the rules were best
  }
}

TEST_CASE("the disk cache gives back what it was given", "[internals]") {
  std::string name = (std::filesystem::temp_directory_path() / "portico-XXXXXX").string();
  REQUIRE(mkdtemp(name.data()) != nullptr);
  const detail::DiskCache cache(name + "/deep/cache");
  REQUIRE(cache.info().enabled);
  const std::vector<std::byte> payload(100000, std::byte{0x5a});
  CHECK_FALSE(cache.load("key"));
  cache.store("key", payload);
  CHECK(cache.load("key") == payload);
  cache.store("key", {});
  REQUIRE(cache.load("key"));
  CHECK(cache.load("key")->empty());
  std::filesystem::remove_all(name);
}

}  // namespace portico::test
