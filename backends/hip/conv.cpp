// HIP's convolutions: MIOpen's immediate interface, which neither searches nor writes files of its own.
#include <array>
#include <mutex>

#include "backends/cuda_hip/conv_plans.hpp"
#include "backends/cuda_hip/libraries.hpp"
#include "backends/cuda_hip/state.hpp"
#include "backends/hip/installed.hpp"
#include "backends/hip/miopen_api.hpp"

namespace portico::cuda_hip {
namespace {

namespace miopen = hip::miopen;
using plugin::Library;

[[noreturn]] void failed(const miopen::Table& table, const char* what, miopen::Status status) {
  throw plugin::Failure{status == miopen::kAllocFailed ? PORTICO_OUT_OF_MEMORY : PORTICO_INTERNAL,
                        std::string("hip: ") + what + " of MIOpen: " + table.miopenGetErrorString(status)};
}

bool declines(miopen::Status status) {
  return status == miopen::kBadParm || status == miopen::kNotImplemented || status == miopen::kUnsupportedOp;
}

class Plan final : public ConvPlan {
 public:
  Plan(const miopen::Table& table, miopen::Handle handle, const ConvKey& key)
      : table_(table), handle_(handle), shape_(key.shape) {
    try {
      describe();
      ask(key);
    } catch (...) {
      release();
      throw;
    }
  }
  ~Plan() override { release(); }

  bool run(std::size_t number, const ConvCall& call, uint64_t workspace) override {
    const auto at = [](uint64_t address) { return reinterpret_cast<void*>(address); };
    const std::size_t bytes = sizes_[number];
    const uint64_t id = ids_[number];
    miopen::Status status = miopen::kSuccess;
    if (shape_.pass == PORTICO_CONV_FORWARD)
      status = table_.miopenConvolutionForwardImmediate(handle_, weight_, at(call.weight), x_, at(call.x), convolution_,
                                                        y_, at(call.y), at(workspace), bytes, id);
    else if (shape_.pass == PORTICO_CONV_INPUT_GRADIENT)
      status = table_.miopenConvolutionBackwardDataImmediate(handle_, y_, at(call.y), weight_, at(call.weight),
                                                             convolution_, x_, at(call.x), at(workspace), bytes, id);
    else
      status = table_.miopenConvolutionBackwardWeightsImmediate(handle_, y_, at(call.y), x_, at(call.x), convolution_,
                                                                weight_, at(call.weight), at(workspace), bytes, id);
    if (declines(status)) return false;
    must(status, "a convolution");
    return true;
  }

 private:
  void must(miopen::Status status, const char* what) const {
    if (status != miopen::kSuccess) failed(table_, what, status);
  }

  // Extents are written N, C, H, W whatever the memory's order; the strides say that it is channels last.
  void tensor(miopen::Tensor& out, int a, int b, int c, int d) {
    const int type = shape_.dtype == PORTICO_F32   ? miopen::kFloat
                     : shape_.dtype == PORTICO_F16 ? miopen::kHalf
                                                   : miopen::kBfloat16;
    const std::array extents = {a, b, c, d};
    const std::array strides = {b * c * d, 1, b * d, b};
    must(table_.miopenCreateTensorDescriptor(&out), "a tensor");
    must(table_.miopenSetTensorDescriptor(out, type, 4, extents.data(), strides.data()), "a tensor");
  }

  void describe() {
    const ConvShape& s = shape_;
    tensor(x_, s.n, s.c, s.h, s.w);
    tensor(weight_, s.k, s.c / s.groups, s.r, s.s);
    tensor(y_, s.n, s.k, s.p, s.q);
    must(table_.miopenCreateConvolutionDescriptor(&convolution_), "a convolution");
    must(table_.miopenInitConvolutionDescriptor(convolution_, miopen::kCrossCorrelation, s.padding[0], s.padding[1],
                                                s.stride[0], s.stride[1], s.dilation[0], s.dilation[1]),
         "a convolution");
    must(table_.miopenSetConvolutionGroupCount(convolution_, s.groups), "a convolution's groups");
    must(table_.miopenSetConvolutionAttribute(convolution_, miopen::kDeterministic, 1), "a convolution's attribute");
  }

  void ask(const ConvKey& key) {
    std::array<miopen::Solution, PlannedConv::kMostWays> found{};
    std::size_t count = 0;
    miopen::Status status = miopen::kSuccess;
    if (shape_.pass == PORTICO_CONV_FORWARD)
      status = table_.miopenConvolutionForwardGetSolution(handle_, weight_, x_, convolution_, y_, found.size(), &count,
                                                          found.data());
    else if (shape_.pass == PORTICO_CONV_INPUT_GRADIENT)
      status = table_.miopenConvolutionBackwardDataGetSolution(handle_, y_, weight_, convolution_, x_, found.size(),
                                                               &count, found.data());
    else
      status = table_.miopenConvolutionBackwardWeightsGetSolution(handle_, y_, x_, convolution_, weight_, found.size(),
                                                                  &count, found.data());
    if (declines(status)) return;
    must(status, "asking for solutions");
    const std::size_t limit = key.has_scratch ? PlannedConv::kWorkspaceLimit : 0;
    for (std::size_t i = 0; i < count && i < found.size(); ++i) {
      const miopen::Solution& one = found[i];
      if (one.workspace_size > limit || one.algorithm == miopen::kFft) continue;
      ways.push_back({.id = {{one.solution_id, 0}}, .workspace = one.workspace_size, .number = ids_.size()});
      ids_.push_back(one.solution_id);
      sizes_.push_back(one.workspace_size);
    }
  }

  void release() {
    for (const miopen::Tensor one : {x_, weight_, y_})
      if (one) table_.miopenDestroyTensorDescriptor(one);
    if (convolution_) table_.miopenDestroyConvolutionDescriptor(convolution_);
  }

  const miopen::Table& table_;
  const miopen::Handle handle_;
  const ConvShape shape_;
  miopen::Tensor x_ = nullptr, weight_ = nullptr, y_ = nullptr;
  miopen::Convolution convolution_ = nullptr;
  std::vector<uint64_t> ids_;
  std::vector<std::size_t> sizes_;
};

std::string version_of(const miopen::Table& table) {
  std::size_t major = 0, minor = 0, patch = 0;
  table.miopenGetVersion(&major, &minor, &patch);
  return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch);
}

class Miopen final : public PlannedConv {
 public:
  Miopen(const miopen::Table& table, portico_stream& stream)
      : PlannedConv(stream, conv_prefix(stream, "MIOpen " + version_of(table)), 1), table_(table) {
    if (const miopen::Status status = table_.miopenCreateWithStream(&handle_, stream.stream);
        status != miopen::kSuccess)
      failed(table_, "a handle", status);
  }
  ~Miopen() override {
    forget_plans();
    table_.miopenDestroy(handle_);
  }

 private:
  // It has no epilogues here: bias and activation are the core's.
  std::unique_ptr<ConvPlan> make_plan(const ConvKey& key) override {
    if (key.has_bias || key.shape.activation != PORTICO_ACT_NONE) return std::make_unique<Declined>();
    return std::make_unique<Plan>(table_, handle_, key);
  }

  struct Declined final : ConvPlan {
    bool run(std::size_t, const ConvCall&, uint64_t) override { return false; }
  };

  const miopen::Table& table_;
  miopen::Handle handle_ = nullptr;
};

// One name for ROCm 5, 6 and 7: which of them a file belongs to is only seen once it is open.
const std::vector<std::string>& names() {
  static const std::vector<std::string> one = {"libMIOpen.so.1"};
  return one;
}

std::vector<std::string> folders() {
  return {folder_of(reinterpret_cast<const void*>(vendor::g_driver.hipGetDeviceCount)),
          folder_from({"ROCM_PATH", "HIP_PATH"}, "/lib"), "/opt/rocm/lib"};
}

// The one beside the runtime first, then wherever the loader looks.
std::vector<std::string> places() {
  std::vector<std::string> all;
  for (const std::string& folder : folders())
    if (!folder.empty()) all.push_back(folder + "/" + names().front());
  all.push_back(names().front());
  return all;
}

struct Opened {
  miopen::Table table;
  bool usable = false;
  std::string tried;
};

std::string bind(miopen::Table& table, Library& library) {
  // A library's look-up goes through what it is linked against.
  const auto runtime = library.find<int(int*)>("hipGetDeviceCount");
  if (reinterpret_cast<void*>(runtime) != reinterpret_cast<void*>(vendor::g_driver.hipGetDeviceCount))
    return library.name() + ": belongs to another ROCm than the HIP runtime, which is of version " +
           std::to_string(vendor::runtime_major());
  bool complete = true;
#define PORTICO_BIND(name, ...) complete = complete && library.bind(table.name, #name);
  PORTICO_MIOPEN_FUNCTIONS(PORTICO_BIND)
#undef PORTICO_BIND
  return complete ? std::string() : library.tried();
}

const Opened& open_miopen() {
  static std::mutex mutex;
  static std::unique_ptr<Opened> opened;
  const std::lock_guard lock(mutex);
  if (opened) return *opened;
  auto made = std::make_unique<Opened>();
  made->usable = bool(open_library("PORTICO_MIOPEN", places(), made->tried,
                                   [&](Library& library) { return bind(made->table, library); }));
  if (!made->usable) plugin::log(PORTICO_LOG_WARNING, "hip: convolutions without MIOpen: " + made->tried);
  opened = std::move(made);
  return *opened;
}

}  // namespace

bool conv_exists(const DeviceFacts&) { return library_exists("PORTICO_MIOPEN", names(), folders()); }

std::unique_ptr<Conv> conv_create(portico_stream& stream, std::string& reason) {
  const Opened& opened = open_miopen();
  if (opened.usable) return std::make_unique<Miopen>(opened.table, stream);
  reason = "conv: no MIOpen: " + opened.tried;
  return nullptr;
}

}  // namespace portico::cuda_hip
