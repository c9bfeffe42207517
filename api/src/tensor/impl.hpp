// What a Tensor's handle points to, and the few functions through which operations make and read tensors.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "portico/tensor.hpp"

namespace portico::detail {

struct Node;  // autograd/node.hpp

/// Something that an operation made from a tensor's contents and keeps beside it (a weight's packed form). Whoever
/// keeps it checks the buffer's version before use. Copying a tensor's description leaves it behind.
class Kept {
 public:
  Kept() = default;
  Kept(const Kept&) {}
  Kept& operator=(const Kept&) { return *this; }
  std::shared_ptr<const void> load() const { return slot_.load(); }
  void store(std::shared_ptr<const void> value) { slot_.store(std::move(value)); }

 private:
  std::atomic<std::shared_ptr<const void>> slot_;
};

struct TensorImpl : std::enable_shared_from_this<TensorImpl> {
  Shape shape;
  DType dtype = DType::f32;
  Layout layout = Layout::row_major;
  std::size_t offset = 0;  ///< elements
  Buffer buffer;

  bool requires_grad = false;  ///< a leaf that collects, or a result with a node
  std::shared_ptr<Node> node;  ///< how this tensor came about; null for leaves
  Tensor grad;
  /// A weight's other forms: direct and Winograd's, each forward and for the input's gradient; channels last.
  Kept kept[5];
};

/// Throws `Error{invalid_argument}` "<subject>: <name> is undefined".
void require_defined(const Tensor& tensor, const char* subject, const char* name);
/// Throws when the two lie on different devices, naming both.
void require_same_device(const Tensor& a, const Tensor& b, const char* subject);
/// Throws when the dtypes differ, naming both and advising to().
void require_same_dtype(const Tensor& a, const Tensor& b, const char* subject);
/// Throws when x's dtype is not f32, f16 or bf16.
void require_floating(const Tensor& x, const char* subject);

/// Uninitialised, on `device`, in the given layout (channels_last asks for four axes).
Tensor make(const Shape& shape, DType dtype, const Device& device, Layout layout = Layout::row_major);

/// Shares x's memory under another shape of as many elements; x must be row-major. No history.
Tensor view(const Tensor& x, const Shape& shape, std::size_t first_element = 0);

/// x itself when it lies as asked, else a converted copy. No history: gradients may have any layout, so a conversion
/// inside an operation's forward needs none.
Tensor in_layout(const Tensor& x, Layout layout);
inline Tensor row_major(const Tensor& x) { return in_layout(x, Layout::row_major); }
inline Tensor channels_last(const Tensor& x) { return in_layout(x, Layout::channels_last); }

/// x's elements in memory of its own, in the same layout. No history.
Tensor copy(const Tensor& x);

/// True when nothing else can see x's memory, so that it may be changed in place.
bool sole_owner(const Tensor& x);

/// Copies src's elements, in logical order, into dst (same shape; any dtypes and layouts; same device). No history.
/// Defined in ops/copy.cpp.
void copy_elements(const Tensor& dst, const Tensor& src);
/// Sets every element. Defined in ops/copy.cpp.
void fill_elements(const Tensor& dst, float value);
/// dst += src in place, any layouts; for the accumulation of gradients. Defined in ops/copy.cpp.
void add_elements(const Tensor& dst, const Tensor& src);

}  // namespace portico::detail
