// Tensor: a value type over device memory.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "portico/device.hpp"
#include "portico/dtype.hpp"
#include "portico/shape.hpp"

namespace portico {

class Tensor;

namespace detail {
struct TensorImpl;
}

/// How the elements of a four-axis tensor lie in memory. Shapes are always written N, C, H, W; convolutions and
/// poolings make channels-last memory (N, H, W, C). Users need not know: whatever reaches the host or a file is
/// row-major.
enum class Layout { row_major, channels_last };

struct TensorOptions {
  DType dtype = DType::f32;
  std::optional<Device> device = {};  ///< Device::current() when absent
  bool requires_grad = false;
};

/// A dense array on a device. Copies share memory and gradient; clone() does not. A default-constructed Tensor is
/// undefined: it has no shape, and using it is an `Error{invalid_argument}`.
///
/// Functions that make a tensor throw `Error{invalid_argument}` for a negative extent. Any extent may be 0.
class PORTICO_API Tensor {
 public:
  Tensor() = default;

  // Making.
  static Tensor empty(const Shape& shape, const TensorOptions& options = {});
  static Tensor empty_like(const Tensor& like);  ///< same shape, dtype, device and layout; uninitialised
  static Tensor zeros(const Shape& shape, const TensorOptions& options = {});
  static Tensor zeros_like(const Tensor& like);
  static Tensor ones(const Shape& shape, const TensorOptions& options = {});
  static Tensor full(const Shape& shape, float value, const TensorOptions& options = {});
  static Tensor scalar(float value, const TensorOptions& options = {}) { return full({}, value, options); }
  static Tensor arange(std::int64_t count, const TensorOptions& options = {});  ///< 0, 1, 2, ...
  /// From host values in row-major order, converted to options.dtype. Throws when the count does not fit the shape.
  static Tensor from(std::span<const float> values, const Shape& shape, const TensorOptions& options = {});
  static Tensor from(std::initializer_list<float> values, const Shape& shape, const TensorOptions& options = {}) {
    return from(std::span(values.begin(), values.size()), shape, options);
  }
  /// Class labels and other whole numbers: an i32 tensor.
  static Tensor from_ints(std::span<const std::int32_t> values, const Shape& shape,
                          const std::optional<Device>& device = {});
  /// Raw little-endian elements of `dtype`, row-major.
  static Tensor from_bytes(std::span<const std::byte> bytes, const Shape& shape, DType dtype,
                           const std::optional<Device>& device = {});
  /// Numbers from the default Generator (random.hpp): the same on every vendor for one seed.
  static Tensor uniform(const Shape& shape, float low, float high, const TensorOptions& options = {});
  static Tensor normal(const Shape& shape, float mean, float deviation, const TensorOptions& options = {});

  // Looking.
  bool defined() const noexcept { return impl_ != nullptr; }
  const Shape& shape() const;
  int rank() const { return shape().rank(); }
  std::int64_t dim(int axis) const;  ///< negative axes count from the end
  std::int64_t count() const;        ///< number of elements
  std::size_t bytes() const;
  DType dtype() const;
  Device device() const;
  Layout layout() const;
  std::string describe() const;  ///< "f32[2,3] on opencl:0", for messages

  // To the host; these wait for the device.
  std::vector<float> to_vector() const;       ///< row-major, converted to float
  std::vector<std::int32_t> to_ints() const;  ///< of i32 or u8
  std::vector<std::byte> to_bytes() const;    ///< row-major, raw
  float item() const;                         ///< of a one-element tensor

  // Views and copies. reshape and rows share memory where the layout allows it; all are differentiable.
  Tensor reshape(const Shape& shape) const;  ///< one extent may be -1
  Tensor flatten(int start_axis = 0, int end_axis = -1) const;
  Tensor rows(std::int64_t begin, std::int64_t end) const;  ///< a slice [begin, end) of the first axis, a view
  Tensor to(DType dtype) const;
  Tensor to(const Device& device) const;
  Tensor contiguous(Layout layout = Layout::row_major) const;  ///< itself when it is so already
  Tensor clone() const;                                        ///< own memory
  Tensor detach() const;                                       ///< the same memory, without history

  /// Overwrites the contents in place, without history. Shapes must be equal; dtype, layout and device are converted.
  void copy_from(const Tensor& source) const;
  void copy_from(std::span<const float> values) const;
  void fill(float value) const;

  // Gradients (autograd.hpp).
  bool requires_grad() const;
  Tensor& set_requires_grad(bool value = true);  ///< of a leaf; throws for a result of recorded operations
  bool is_leaf() const;
  Tensor grad() const;  ///< undefined until backward() has reached it
  void set_grad(const Tensor& grad) const;
  void clear_grad() const;
  /// Accumulates the gradient of this tensor into every leaf that requires one. Without `seed` it must have one
  /// element. The graph is freed unless `keep_graph`; using a freed graph again is an `Error{invalid_argument}`.
  void backward(const Tensor& seed = {}, bool keep_graph = false) const;

  /// The tensor as a kernel argument: the one way to its memory. Elements lie as layout() says.
  Arg arg() const;
  const Buffer& buffer() const;  ///< as arg(); the first element is offset() elements into it
  std::size_t offset() const;

  // For the library's own code.
  detail::TensorImpl* impl() const noexcept { return impl_.get(); }
  std::shared_ptr<detail::TensorImpl> share() const { return impl_; }
  explicit Tensor(std::shared_ptr<detail::TensorImpl> impl) : impl_(std::move(impl)) {}

 private:
  std::shared_ptr<detail::TensorImpl> impl_;
};

}  // namespace portico
