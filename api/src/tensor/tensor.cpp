// Making tensors, asking them, and moving their contents to and from the host.
#include "portico/tensor.hpp"

#include <cstring>

#include "runtime/capture.hpp"
#include "runtime/device_impl.hpp"
#include "tensor/impl.hpp"

namespace portico {
namespace detail {
namespace {

void check_extents(const Shape& shape) {
  std::int64_t count = 1;
  for (const std::int64_t dim : shape) {
    if (dim < 0)
      throw Error(ErrorCode::invalid_argument, "tensor: shape " + shape.to_string() + " has a negative extent");
    if (__builtin_mul_overflow(count, dim, &count))
      throw Error(ErrorCode::invalid_argument, "tensor: shape " + shape.to_string() + " has more elements than 2^63");
  }
}

Device device_of(const std::optional<Device>& wanted) { return wanted ? *wanted : Device::current(); }

}  // namespace

Tensor make(const Shape& shape, DType dtype, const Device& device, Layout layout) {
  check_extents(shape);
  auto impl = std::make_shared<TensorImpl>();
  impl->shape = shape;
  impl->dtype = dtype;
  impl->layout = layout;
  impl->buffer = device.allocate(static_cast<std::size_t>(shape.count()) * size_of(dtype));
  return Tensor(std::move(impl));
}

Tensor view(const Tensor& x, const Shape& shape, std::size_t first_element) {
  auto impl = std::make_shared<TensorImpl>();
  impl->shape = shape;
  impl->dtype = x.impl()->dtype;
  impl->offset = x.impl()->offset + first_element;
  impl->buffer = x.buffer();
  return Tensor(std::move(impl));
}

Tensor in_layout(const Tensor& x, Layout layout) {
  if (x.layout() == layout) return x;
  Tensor y = make(x.shape(), x.dtype(), x.device(), layout);
  copy_elements(y, x);
  return y;
}

Tensor copy(const Tensor& x) {
  Tensor y = Tensor::empty_like(x);
  copy_elements(y, x);
  return y;
}

// share() itself counts once.
bool sole_owner(const Tensor& x) { return x.share().use_count() == 2 && Access::owners(x.buffer()) == 1; }

void require_defined(const Tensor& tensor, const char* subject, const char* name) {
  if (!tensor.defined()) throw Error(ErrorCode::invalid_argument, std::string(subject) + ": " + name + " is undefined");
}

void require_same_device(const Tensor& a, const Tensor& b, const char* subject) {
  if (a.device() == b.device()) return;
  throw Error(ErrorCode::invalid_argument, std::string(subject) + ": operands on two devices, " + a.device().label() +
                                               " and " + b.device().label() + "; move one with to(device)");
}

void require_same_dtype(const Tensor& a, const Tensor& b, const char* subject) {
  if (a.dtype() == b.dtype()) return;
  throw Error(ErrorCode::invalid_argument, std::string(subject) + ": operands of two types, " + name_of(a.dtype()) +
                                               " and " + name_of(b.dtype()) + "; convert one with to(dtype)");
}

void require_floating(const Tensor& x, const char* subject) {
  if (is_floating(x.dtype())) return;
  throw Error(ErrorCode::invalid_argument, std::string(subject) + ": needs f32, f16 or bf16, got " +
                                               name_of(x.dtype()) + "; convert with to(DType::f32)");
}

}  // namespace detail

namespace {

constexpr const char* kNoValueYet = "the values come about when the graph runs; read them after replay()";
constexpr const char* kSameBytes =
    "every replay would bring the bytes of now from the host; make the tensor before, and fill it between replays";

detail::TensorImpl& defined_impl(const Tensor& tensor, const char* subject) {
  if (!tensor.defined()) throw Error(ErrorCode::invalid_argument, std::string(subject) + ": the tensor is undefined");
  return *tensor.impl();
}

void check_count(const char* subject, std::size_t given, const Shape& shape) {
  if (static_cast<std::int64_t>(given) != shape.count())
    throw Error(ErrorCode::invalid_argument, std::string(subject) + ": " + std::to_string(given) +
                                                 " values for shape " + shape.to_string() + ", which has " +
                                                 std::to_string(shape.count()));
}

// Row-major host values as raw elements of a type.
std::vector<std::byte> encode(std::span<const float> values, DType dtype) {
  std::vector<std::byte> bytes(values.size() * size_of(dtype));
  const auto put = [&](auto convert) {
    using Element = decltype(convert(0.0f));
    for (std::size_t i = 0; i < values.size(); ++i) {
      const Element element = convert(values[i]);
      std::memcpy(bytes.data() + i * sizeof element, &element, sizeof element);
    }
  };
  switch (dtype) {
    case DType::f32:
      put([](float v) { return v; });
      break;
    case DType::f16:
      put(to_f16);
      break;
    case DType::bf16:
      put(to_bf16);
      break;
    case DType::i32:
      put([](float v) { return static_cast<std::int32_t>(v); });
      break;
    case DType::u8:
      put([](float v) { return static_cast<std::uint8_t>(v); });
      break;
  }
  return bytes;
}

template <typename Value>
std::vector<Value> decode(std::span<const std::byte> bytes, DType dtype) {
  std::vector<Value> values(bytes.size() / size_of(dtype));
  const auto get = [&]<typename Element>(Element, auto convert) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      Element element;
      std::memcpy(&element, bytes.data() + i * sizeof element, sizeof element);
      values[i] = static_cast<Value>(convert(element));
    }
  };
  const auto same = [](auto v) { return v; };
  switch (dtype) {
    case DType::f32:
      get(float{}, same);
      break;
    case DType::f16:
      get(std::uint16_t{}, from_f16);
      break;
    case DType::bf16:
      get(std::uint16_t{}, from_bf16);
      break;
    case DType::i32:
      get(std::int32_t{}, same);
      break;
    case DType::u8:
      get(std::uint8_t{}, same);
      break;
  }
  return values;
}

}  // namespace

Tensor Tensor::empty(const Shape& shape, const TensorOptions& options) {
  Tensor tensor = detail::make(shape, options.dtype, detail::device_of(options.device));
  if (options.requires_grad) tensor.set_requires_grad();
  return tensor;
}

Tensor Tensor::empty_like(const Tensor& like) {
  const auto& impl = defined_impl(like, "empty_like");
  return detail::make(impl.shape, impl.dtype, impl.buffer.device(), impl.layout);
}

Tensor Tensor::from(std::span<const float> values, const Shape& shape, const TensorOptions& options) {
  detail::refuse_while_recording("Tensor::from", kSameBytes);
  check_count("Tensor::from", values.size(), shape);
  Tensor tensor = empty(shape, options);
  tensor.buffer().write(0, encode(values, options.dtype));
  return tensor;
}

Tensor Tensor::from_ints(std::span<const std::int32_t> values, const Shape& shape,
                         const std::optional<Device>& device) {
  detail::refuse_while_recording("Tensor::from_ints", kSameBytes);
  return from_bytes(std::as_bytes(values), shape, DType::i32, device);
}

Tensor Tensor::from_bytes(std::span<const std::byte> bytes, const Shape& shape, DType dtype,
                          const std::optional<Device>& device) {
  detail::refuse_while_recording("Tensor::from_bytes", kSameBytes);
  if (bytes.size() % size_of(dtype) != 0)
    throw Error(ErrorCode::invalid_argument, "Tensor::from_bytes: " + std::to_string(bytes.size()) +
                                                 " bytes are no whole number of " + name_of(dtype));
  check_count("Tensor::from_bytes", bytes.size() / size_of(dtype), shape);
  Tensor tensor = empty(shape, {.dtype = dtype, .device = device});
  tensor.buffer().write(0, bytes);
  return tensor;
}

const Shape& Tensor::shape() const { return defined_impl(*this, "shape").shape; }

std::int64_t Tensor::dim(int axis) const { return shape()[shape().axis(axis, "dim")]; }
std::int64_t Tensor::count() const { return shape().count(); }
std::size_t Tensor::bytes() const { return static_cast<std::size_t>(count()) * size_of(dtype()); }
DType Tensor::dtype() const { return defined_impl(*this, "dtype").dtype; }
Device Tensor::device() const { return defined_impl(*this, "device").buffer.device(); }
Layout Tensor::layout() const { return defined_impl(*this, "layout").layout; }

std::string Tensor::describe() const {
  if (!defined()) return "undefined";
  return std::string(name_of(dtype())) + shape().to_string() + " on " + device().label();
}

std::vector<std::byte> Tensor::to_bytes() const {
  detail::refuse_while_recording("to_bytes", kNoValueYet);
  const Tensor source = detail::row_major(*this);
  std::vector<std::byte> bytes(source.bytes());
  source.buffer().read(source.offset() * size_of(dtype()), bytes);
  return bytes;
}

std::vector<float> Tensor::to_vector() const {
  detail::refuse_while_recording("to_vector", kNoValueYet);
  return decode<float>(to_bytes(), dtype());
}

std::vector<std::int32_t> Tensor::to_ints() const {
  detail::refuse_while_recording("to_ints", kNoValueYet);
  if (dtype() != DType::i32 && dtype() != DType::u8)
    throw Error(ErrorCode::invalid_argument, std::string("to_ints: needs i32 or u8, got ") + name_of(dtype()));
  return decode<std::int32_t>(to_bytes(), dtype());
}

float Tensor::item() const {
  detail::refuse_while_recording("item", kNoValueYet);
  if (count() != 1)
    throw Error(ErrorCode::invalid_argument, "item: needs one element, got shape " + shape().to_string());
  return to_vector()[0];
}

void Tensor::copy_from(std::span<const float> values) const {
  detail::refuse_while_recording("copy_from", kSameBytes);
  check_count("copy_from", values.size(), shape());
  if (layout() != Layout::row_major) return copy_from(from(values, shape(), {.dtype = dtype(), .device = device()}));
  buffer().write(offset() * size_of(dtype()), encode(values, dtype()));
  buffer().bump_version();
}

void Tensor::copy_from(const Tensor& source) const {
  detail::require_defined(source, "copy_from", "source");
  if (source.shape() != shape())
    throw Error(ErrorCode::invalid_argument,
                "copy_from: source " + source.shape().to_string() + " does not fit " + shape().to_string());
  if (source.device() == device()) {
    // A module loads its own state_dict(), which shares its memory: a copy onto itself is no copy.
    if (detail::Access::block(source.buffer()) == detail::Access::block(buffer()) && source.offset() == offset() &&
        source.dtype() == dtype() && source.layout() == layout())
      return;
    detail::copy_elements(*this, source);
  } else {
    detail::copy_elements(*this, from_bytes(source.to_bytes(), source.shape(), source.dtype(), device()));
  }
  buffer().bump_version();
}

Tensor Tensor::detach() const {
  const auto& from = defined_impl(*this, "detach");
  auto impl = std::make_shared<detail::TensorImpl>();
  impl->shape = from.shape;
  impl->dtype = from.dtype;
  impl->layout = from.layout;
  impl->offset = from.offset;
  impl->buffer = buffer();
  return Tensor(std::move(impl));
}

// The one way to a tensor's memory.
const Buffer& Tensor::buffer() const { return defined_impl(*this, "buffer").buffer; }
std::size_t Tensor::offset() const { return defined_impl(*this, "offset").offset; }
Arg Tensor::arg() const {
  const auto& impl = defined_impl(*this, "arg");
  return {impl.buffer, impl.offset, size_of(impl.dtype)};
}

}  // namespace portico
