// A convolution as cuDNN's graph interface wants it described.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "backends/cuda/dnn_api.hpp"
#include "backends/cuda_hip/conv_plans.hpp"

namespace portico::cuda_hip {

/// Throws the Failure that a status stands for.
[[noreturn]] void dnn_failed(const cuda::dnn::Table& table, const char* what, cuda::dnn::Status status);

/// One of cuDNN's descriptors, owned. Thrown while one is put together: what cuDNN refused to take.
struct DnnRefused {
  cuda::dnn::Status status;
  const char* what;
};
class DnnDescriptor {
 public:
  DnnDescriptor() = default;
  DnnDescriptor(const cuda::dnn::Table& table, cuda::dnn::Kind kind);
  ~DnnDescriptor();
  DnnDescriptor(DnnDescriptor&& other) noexcept { *this = std::move(other); }
  DnnDescriptor& operator=(DnnDescriptor&& other) noexcept {
    std::swap(table_, other.table_);
    std::swap(raw_, other.raw_);
    return *this;
  }

  cuda::dnn::Descriptor raw() const { return raw_; }

  template <typename T>
  void set(cuda::dnn::Attribute attribute, cuda::dnn::Type type, const T* values, std::int64_t count,
           const char* what) {
    set_raw(attribute, type, count, values, what);
  }
  template <typename T>
  void set(cuda::dnn::Attribute attribute, cuda::dnn::Type type, const T& value, const char* what) {
    set_raw(attribute, type, 1, &value, what);
  }
  void set(cuda::dnn::Attribute attribute, const DnnDescriptor& value, const char* what) {
    set_raw(attribute, cuda::dnn::kTypeDescriptor, 1, &value.raw_, what);
  }
  /// Throws DnnRefused.
  void finalize(const char* what);

 private:
  void set_raw(cuda::dnn::Attribute attribute, cuda::dnn::Type type, std::int64_t count, const void* values,
               const char* what);

  const cuda::dnn::Table* table_ = nullptr;
  cuda::dnn::Descriptor raw_ = nullptr;
};

/// The names that a graph's tensors go by; the first four are given at execution.
enum class DnnTensor : std::int64_t { x = 1, weight, y, bias, product, shifted };

/// The operation graph of one pass: tensors, the convolution, and what follows it forward. Throws DnnRefused where
/// cuDNN does not take a part of it.
struct DnnGraph {
  DnnGraph(const cuda::dnn::Table& table, cuda::dnn::Handle handle, const ConvKey& key);

  std::vector<DnnDescriptor> parts;  ///< the graph refers to them
  DnnDescriptor graph;

 private:
  const DnnDescriptor& keep(DnnDescriptor made);
};

}  // namespace portico::cuda_hip
