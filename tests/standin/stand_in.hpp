// The stand-in that this process runs on, by its test functions. The plugin has opened the same file.
#pragma once

#include <dlfcn.h>

#include <cstdint>
#include <cstdlib>
#include <map>
#include <stdexcept>
#include <string>

#include "tests/standin/driver/control.hpp"

namespace portico::test {

using Counts = std::map<std::string, std::uint64_t>;

class StandIn {
 public:
  StandIn() {
    const char* name = std::getenv("PORTICO_CUDA_DRIVER");
    if (!name) name = std::getenv("PORTICO_HIP_RUNTIME");
    if (!name) name = std::getenv("PORTICO_OPENCL");
    library_ = name ? dlopen(name, RTLD_NOW | RTLD_LOCAL) : nullptr;
    if (!library_) throw std::runtime_error("these tests run on a stand-in, named by the library variables");
  }

  void faults(const std::string& text) const {
    if (!find<decltype(standin_faults)>("standin_faults")(text.c_str())) throw std::runtime_error("fault: " + text);
  }
  void lose(int device, int code) const { find<decltype(standin_lose)>("standin_lose")(device, code); }
  struct Products {
    std::uint64_t count = 0;
    int algorithm = -1, compute = -1;
  };
  /// Products of the Lt library so far, and the last one's algorithm and type of computation.
  Products products() const {
    Products now;
    now.count = find<decltype(standin_products)>("standin_products")(&now.algorithm, &now.compute);
    return now;
  }
  Counts calls() const { return counts(find<decltype(standin_calls)>("standin_calls")); }
  Counts alive() const { return counts(find<decltype(standin_alive)>("standin_alive")); }

 private:
  template <typename Function>
  Function* find(const char* name) const {
    auto* found = reinterpret_cast<Function*>(dlsym(library_, name));
    if (!found) throw std::runtime_error(std::string("the library is no stand-in: no ") + name);
    return found;
  }
  template <typename Visit>
  static Counts counts(Visit* visit) {
    Counts all;
    visit([](void* to, const char* name, std::uint64_t count) { (*static_cast<Counts*>(to))[name] = count; }, &all);
    return all;
  }

  void* library_ = nullptr;
};

}  // namespace portico::test
