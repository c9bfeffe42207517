// CUDA's convolutions: cuDNN 9, by the graphs of dnn_graph.hpp.
#include <array>
#include <mutex>

#include "backends/cuda/dnn_graph.hpp"
#include "backends/cuda_hip/libraries.hpp"
#include "backends/cuda_hip/state.hpp"

namespace portico::cuda_hip {
namespace {

namespace dnn = cuda::dnn;
using plugin::Library;

constexpr std::size_t kNeededVersion = 90000;
// The widest access of any of its kernels.
constexpr uint32_t kMostAlignment = 16;

std::string version_text(std::size_t version) {
  // Until 8.x the number was major * 1000 + minor * 100 + patch.
  const std::size_t unit = version >= 90000 ? 10000 : 1000;
  return std::to_string(version / unit) + "." + std::to_string(version % unit / 100) + "." +
         std::to_string(version % 100);
}

class Plan final : public ConvPlan {
 public:
  Plan(const dnn::Table& table, dnn::Handle handle, const ConvKey& key)
      : table_(table), handle_(handle), graph_(table, handle, key) {}

  // Suggestions of the heuristics, without those that are less exact than asked for, or change from run to run.
  void ask(const ConvKey& key) {
    for (const int mode : {dnn::kHeuristicsA, dnn::kHeuristicsFallback})
      if (ways.size() < PlannedConv::kMostWays) ask(key, mode);
  }

  bool run(std::size_t number, const ConvCall& call, uint64_t workspace) override {
    const auto at = [](uint64_t address) { return reinterpret_cast<void*>(address); };
    const std::array pointers = {at(call.x), at(call.weight), at(call.y), at(call.bias)};
    const std::array<std::int64_t, 4> names = {
        static_cast<std::int64_t>(DnnTensor::x), static_cast<std::int64_t>(DnnTensor::weight),
        static_cast<std::int64_t>(DnnTensor::y), static_cast<std::int64_t>(DnnTensor::bias)};
    const std::int64_t count = call.bias ? 4 : 3;
    void* const scratch = at(workspace);
    try {
      DnnDescriptor pack(table_, dnn::kVariantPack);
      pack.set(dnn::kPackUniqueIds, dnn::kTypeInt64, names.data(), count, "the tensors' names");
      pack.set(dnn::kPackPointers, dnn::kTypeVoidPointer, pointers.data(), count, "the tensors' places");
      pack.set(dnn::kPackWorkspace, dnn::kTypeVoidPointer, scratch, "the workspace");
      pack.finalize("the operands");
      const dnn::Status status = table_.cudnnBackendExecute(handle_, plans_[number].raw(), pack.raw());
      if (dnn::category(status) == dnn::category(dnn::kNotSupported)) return false;
      if (status != dnn::kSuccess) dnn_failed(table_, "a convolution", status);
      return true;
    } catch (const DnnRefused& refused) {
      dnn_failed(table_, refused.what, refused.status);
    }
  }

 private:
  void ask(const ConvKey& key, int mode) {
    DnnDescriptor heuristics(table_, dnn::kEngineHeuristics);
    heuristics.set(dnn::kHeuristicsGraph, graph_.graph, "the heuristics' graph");
    heuristics.set(dnn::kHeuristicsMode, dnn::kTypeHeuristicMode, mode, "the heuristics' mode");
    const dnn::Status finalized = table_.cudnnBackendFinalize(heuristics.raw());
    if (dnn::category(finalized) == dnn::category(dnn::kNotSupported)) return;
    if (finalized != dnn::kSuccess) throw DnnRefused{finalized, "the heuristics"};

    std::vector<DnnDescriptor> configs;
    std::vector<dnn::Descriptor> raw;
    for (std::size_t i = 0; i < kMostSuggestions; ++i) {
      configs.emplace_back(table_, dnn::kEngineConfig);
      raw.push_back(configs.back().raw());
    }
    std::int64_t found = 0;
    get(heuristics, dnn::kHeuristicsResults, dnn::kTypeDescriptor, static_cast<std::int64_t>(raw.size()), &found,
        raw.data(), "the heuristics' results");
    for (std::size_t i = 0; i < static_cast<std::size_t>(found) && i < configs.size(); ++i)
      if (ways.size() < PlannedConv::kMostWays)
        offer(std::move(configs[i]), key, static_cast<uint64_t>(mode) << 32 | i);
  }

  void offer(DnnDescriptor config, const ConvKey& key, uint64_t place) {
    DnnDescriptor engine(table_, dnn::kEngine);
    dnn::Descriptor raw = engine.raw();
    std::int64_t count = 0, index = 0;
    std::array<dnn::Note, 32> notes{};
    get(config, dnn::kEngineConfigEngine, dnn::kTypeDescriptor, 1, &count, &raw, "an engine");
    get(engine, dnn::kEngineGlobalIndex, dnn::kTypeInt64, 1, &count, &index, "an engine's number");
    get(engine, dnn::kEngineNumericalNotes, dnn::kTypeNumericalNote, static_cast<std::int64_t>(notes.size()), &count,
        notes.data(), "an engine's notes");
    for (std::size_t i = 0; i < static_cast<std::size_t>(count) && i < notes.size(); ++i)
      if (!acceptable(notes[i], key.shape)) return;

    DnnDescriptor plan(table_, dnn::kExecutionPlan);
    plan.set(dnn::kPlanHandle, dnn::kTypeHandle, handle_, "a plan's handle");
    plan.set(dnn::kPlanEngineConfig, config, "a plan's engine");
    const dnn::Status status = table_.cudnnBackendFinalize(plan.raw());
    if (dnn::category(status) == dnn::category(dnn::kNotSupported)) return;
    if (status != dnn::kSuccess) dnn_failed(table_, "a plan", status);
    std::int64_t workspace = 0;
    get(plan, dnn::kPlanWorkspaceSize, dnn::kTypeInt64, 1, &count, &workspace, "a plan's workspace");
    const std::size_t limit = key.has_scratch ? PlannedConv::kWorkspaceLimit : 0;
    if (static_cast<std::size_t>(workspace) > limit) return;
    ways.push_back({.id = {{static_cast<uint64_t>(index), place}},
                    .workspace = static_cast<std::size_t>(workspace),
                    .number = plans_.size()});
    plans_.push_back(std::move(plan));
    configs_.push_back(std::move(config));
  }

  // f32 operands go through tensor cores as TF32 only.
  static bool acceptable(dnn::Note note, const ConvShape& shape) {
    switch (note) {
      case dnn::kNoteTensorCore:
        return shape.dtype != PORTICO_F32 || shape.precision != PORTICO_PRECISION_STRICT;
      case dnn::kNoteDownConvertInputs:
      case dnn::kNoteReducedPrecisionReduction:
      case dnn::kNoteFft:
      case dnn::kNoteNondeterministic:
      case dnn::kNoteWinogradTile13x13:
        return false;
      default:
        return true;
    }
  }

  void get(const DnnDescriptor& from, dnn::Attribute attribute, dnn::Type type, std::int64_t wanted,
           std::int64_t* count, void* values, const char* what) {
    const dnn::Status status = table_.cudnnBackendGetAttribute(from.raw(), attribute, type, wanted, count, values);
    if (status != dnn::kSuccess) dnn_failed(table_, what, status);
  }

  static constexpr std::size_t kMostSuggestions = 16;

  const dnn::Table& table_;
  const dnn::Handle handle_;
  DnnGraph graph_;
  std::vector<DnnDescriptor> configs_, plans_;
};

class Dnn final : public PlannedConv {
 public:
  Dnn(const dnn::Table& table, dnn::Handle handle, portico_stream& stream)
      : PlannedConv(stream, conv_prefix(stream, "cuDNN " + std::to_string(table.cudnnGetVersion())), kMostAlignment),
        table_(table),
        handle_(handle) {
    if (const dnn::Status status = table_.cudnnSetStream(handle_, stream_); status != dnn::kSuccess) {
      table_.cudnnDestroy(handle_);
      dnn_failed(table_, "a handle's stream", status);
    }
  }
  ~Dnn() override {
    forget_plans();
    table_.cudnnDestroy(handle_);
  }

 private:
  // What cuDNN does not take is left to the core's kernels, this shape for good.
  std::unique_ptr<ConvPlan> make_plan(const ConvKey& key) override {
    try {
      auto plan = std::make_unique<Plan>(table_, handle_, key);
      plan->ask(key);
      return plan;
    } catch (const DnnRefused& refused) {
      const int kind = dnn::category(refused.status);
      // The first: one of its own libraries is not there.
      if (kind != dnn::category(dnn::kNotInitialized) && kind != dnn::category(dnn::kNotSupported) &&
          kind != dnn::category(dnn::kBadParam))
        dnn_failed(table_, refused.what, refused.status);
      plugin::log(PORTICO_LOG_INFO, std::string("cuda: cuDNN does not take ") + refused.what + ": " +
                                        table_.cudnnGetErrorString(refused.status));
      return std::make_unique<Declined>();
    }
  }

  struct Declined final : ConvPlan {
    bool run(std::size_t, const ConvCall&, uint64_t) override { return false; }
  };

  const dnn::Table& table_;
  const dnn::Handle handle_;
};

// Beside the toolkit, and where Python's packages keep it.
std::vector<std::string> folders() {
  const std::string compiler = folder_of(reinterpret_cast<const void*>(vendor::g_compiler.nvrtcVersion));
  return {compiler,
          compiler + "/../../cudnn/lib",
          folder_from({"CUDNN_HOME", "CUDNN_PATH"}, "/lib"),
          folder_from({"CUDA_HOME", "CUDA_PATH"}, "/lib64"),
          "/usr/local/cuda/lib64",
          "/opt/cuda/lib64"};
}

// The second is of no use, but its version is worth saying.
const std::vector<std::string>& names() {
  static const std::vector<std::string> both = {"libcudnn.so.9", "libcudnn.so.8"};
  return both;
}

struct Opened {
  dnn::Table table;
  bool usable = false;
  std::string tried;
};

std::string bind(dnn::Table& table, Library& library) {
  if (!library.bind(table.cudnnGetVersion, "cudnnGetVersion")) return library.tried();
  const std::size_t version = table.cudnnGetVersion();
  if (version < kNeededVersion)
    return library.name() + ": cuDNN " + version_text(version) + " is there, " + version_text(kNeededVersion) +
           " or newer is needed";
  bool complete = true;
#define PORTICO_BIND(name, ...) complete = complete && library.bind(table.name, #name);
  PORTICO_CUDNN_FUNCTIONS(PORTICO_BIND)
#undef PORTICO_BIND
  return complete ? std::string() : library.tried();
}

const Opened& open_dnn() {
  static std::mutex mutex;
  static std::unique_ptr<Opened> opened;
  const std::lock_guard lock(mutex);
  if (opened) return *opened;
  auto made = std::make_unique<Opened>();
  made->usable = bool(open_library("PORTICO_CUDNN", candidates(names(), folders()), made->tried,
                                   [&](Library& library) { return bind(made->table, library); }));
  if (!made->usable) plugin::log(PORTICO_LOG_WARNING, "cuda: convolutions without cuDNN: " + made->tried);
  opened = std::move(made);
  return *opened;
}

}  // namespace

bool conv_exists(const DeviceFacts&) { return library_exists("PORTICO_CUDNN", names(), folders()); }

std::unique_ptr<Conv> conv_create(portico_stream& stream, std::string& reason) {
  const Opened& opened = open_dnn();
  if (!opened.usable) {
    reason = "conv: no cuDNN: " + opened.tried;
    return nullptr;
  }
  dnn::Handle handle = nullptr;
  const dnn::Status status = opened.table.cudnnCreate(&handle);
  if (status == dnn::kSuccess) return std::make_unique<Dnn>(opened.table, handle, stream);
  // One of its own libraries is missing, or it does not know this driver or device: nothing that computing needs.
  const int kind = dnn::category(status);
  if (kind != dnn::category(dnn::kNotInitialized) && kind != dnn::category(dnn::kNotSupported))
    dnn_failed(opened.table, "a handle", status);
  reason = std::string("conv: cuDNN does not start: ") + opened.table.cudnnGetErrorString(status);
  plugin::log(PORTICO_LOG_WARNING, "cuda: " + reason);
  return nullptr;
}

}  // namespace portico::cuda_hip
