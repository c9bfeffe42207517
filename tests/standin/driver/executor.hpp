// What runs kernels. Two do: a PTX machine, and the kernel's OpenCL spelling on an OpenCL implementation for the CPU.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace portico::standin {

class Device;

/// Kernels that a stream has handed to its executor and that may still run. One a stream.
class Lane {
 public:
  virtual ~Lane() = default;
  virtual void finish() = 0;
};

struct Call;

/// A kernel of a loaded image.
class Kernel {
 public:
  virtual ~Kernel() = default;

  std::string name;
  std::vector<std::size_t> parameters;  ///< bytes of each, in the vendor's own count: a pointer is one
  std::size_t static_shared = 0;
  unsigned max_threads = 0;    ///< of a block, by the kernel's own declaration; 0 when it says nothing
  bool exact_threads = false;  ///< the executor cannot run it with fewer threads than it declares

  /// Runs the call on `device`, or hands it to `lane` (made when empty) to be run in order. A code and a text on
  /// stderr when it goes wrong. Called by the stream's worker.
  virtual int run(const Call& call, Device& device, std::unique_ptr<Lane>& lane) const = 0;
};

/// One launch, its arguments copied.
struct Call {
  std::shared_ptr<const Kernel> kernel;
  unsigned grid[3], block[3];
  std::size_t dynamic_shared = 0;
  std::vector<std::byte> bytes;      // of all arguments
  std::vector<std::size_t> offsets;  // of each

  const void* argument(std::size_t i) const { return bytes.data() + offsets[i]; }
};

/// A loaded program.
class Image {
 public:
  virtual ~Image() = default;
  virtual std::shared_ptr<const Kernel> find(const std::string& name) = 0;  ///< null when it has none of that name
};

/// Loads PTX or what a stand-in compiler made. Answers a code, kInvalidImage among them.
int load_image(const void* image, std::shared_ptr<Image>& out);

}  // namespace portico::standin
