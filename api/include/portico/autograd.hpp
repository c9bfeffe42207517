// Recording operations for backward(), for the library's own operations and for a user's.
#pragma once

#include <functional>
#include <initializer_list>
#include <vector>

#include "portico/tensor.hpp"

namespace portico {

/// While one lives, the calling thread records nothing.
class PORTICO_API NoGrad {
 public:
  NoGrad();
  ~NoGrad();
  NoGrad(const NoGrad&) = delete;
  NoGrad& operator=(const NoGrad&) = delete;

 private:
  bool previous_;
};

namespace autograd {

/// Which inputs' gradients somebody asked for, by position. A gradient nobody needs is left undefined, not computed.
class Needs {
 public:
  explicit Needs(std::uint32_t bits) : bits_(bits) {}
  bool operator[](int input) const { return ((bits_ >> input) & 1u) != 0; }

 private:
  std::uint32_t bits_;
};

/// From the gradient of the result to the gradients of the inputs, in order. `dy` has the result's shape, any layout.
/// Undefined entries mean "none". It must not capture the result itself (capture `y.detach()`): a node that held its
/// own output would never be freed.
using Backward = std::function<std::vector<Tensor>(const Tensor& dy, Needs needs)>;

/// True when the calling thread records and one of the inputs has a gradient to pass on: ask before saving what only
/// the gradient needs.
PORTICO_API bool needed(std::initializer_list<const Tensor*> inputs);

/// Ties `y`, freshly computed from `inputs` (at most 32; undefined ones are skipped), to its gradient, when
/// needed(inputs). `name` is the operation's name, for error messages and traces. Returns y.
PORTICO_API Tensor record(const char* name, Tensor y, std::initializer_list<Tensor> inputs, Backward backward);
PORTICO_API Tensor record(const char* name, Tensor y, std::vector<Tensor> inputs, Backward backward);

/// A tensor kept for the gradient. get() throws `Error{invalid_argument}` when the memory was changed in place since.
class PORTICO_API Saved {
 public:
  Saved() = default;
  explicit Saved(const Tensor& tensor);
  const Tensor& get() const;

 private:
  Tensor tensor_;
  std::uint64_t version_ = 0;
};

/// True while the calling thread records.
PORTICO_API bool enabled();

}  // namespace autograd
}  // namespace portico
