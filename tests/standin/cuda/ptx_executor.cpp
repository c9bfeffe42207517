#include "tests/standin/cuda/ptx_executor.hpp"

#include <algorithm>
#include <cstdio>
#include <unordered_map>

#include "tests/standin/driver/device.hpp"
#include "tests/standin/ptx/module.hpp"

namespace portico::standin {
namespace {

int code_of(ptx::Fault::Kind kind) {
  using Kind = ptx::Fault::Kind;
  switch (kind) {
    case Kind::outside:
    case Kind::released:
      return kIllegalAddress;
    case Kind::misaligned:
      return kMisalignedAddress;
    default:  // where a device would compute nonsense, a checker ends
      return kLaunchFailed;
  }
}

class PtxKernel final : public Kernel {
 public:
  PtxKernel(std::shared_ptr<ptx::Module> module, const ptx::Function& function)
      : module_(std::move(module)), function_(function) {
    name = function.name();
    static_shared = function.static_shared();
    max_threads = function.max_threads();
    for (std::size_t i = 0; i < function.parameter_count(); ++i) parameters.push_back(function.parameter_bytes(i));
  }

  int run(const Call& call, Device& device, std::unique_ptr<Lane>&) const override {
    std::vector<void*> arguments;
    for (std::size_t i = 0; i < parameters.size(); ++i) arguments.push_back(const_cast<void*>(call.argument(i)));
    ptx::Launch launch;
    std::copy_n(call.grid, 3, launch.grid);
    std::copy_n(call.block, 3, launch.block);
    launch.dynamic_shared = call.dynamic_shared;
    launch.arguments = arguments.data();
    try {
      ptx::run(*module_, function_, launch, device.memory);
      return kOk;
    } catch (const ptx::Fault& fault) {
      std::fprintf(stderr, "stand-in: %s\n", fault.what());
      return code_of(fault.kind);
    } catch (const std::exception& error) {
      std::fprintf(stderr, "stand-in: kernel %s: %s\n", name.c_str(), error.what());
      return kLaunchFailed;
    }
  }

 private:
  std::shared_ptr<ptx::Module> module_;
  const ptx::Function& function_;
};

class PtxImage final : public Image {
 public:
  explicit PtxImage(std::shared_ptr<ptx::Module> module) : module_(std::move(module)) {
    for (const ptx::Function* function : module_->functions())
      kernels_[function->name()] = std::make_shared<PtxKernel>(module_, *function);
  }
  ~PtxImage() override {
    for (Device& device : machine().devices) module_->unload(device.memory);
  }

  std::shared_ptr<const Kernel> find(const std::string& name) override {
    const auto found = kernels_.find(name);
    return found == kernels_.end() ? nullptr : found->second;
  }

 private:
  std::shared_ptr<ptx::Module> module_;
  std::unordered_map<std::string, std::shared_ptr<PtxKernel>> kernels_;
};

}  // namespace

int load_ptx(const char* text, std::shared_ptr<Image>& out) {
  try {
    std::shared_ptr<ptx::Module> module = ptx::Module::parse(text);
    for (const ptx::Function* function : module->functions())
      if (function->static_shared() > profile().shared) {  // where the driver's compiler finds it
        std::fprintf(stderr, "stand-in: kernel %s uses %zu bytes of shared memory, the most is %zu\n",
                     function->name().c_str(), function->static_shared(), profile().shared);
        return kInvalidPtx;
      }
    out = std::make_shared<PtxImage>(std::move(module));
    return kOk;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "stand-in: %s\n", error.what());
    return kInvalidPtx;
  }
}

}  // namespace portico::standin
