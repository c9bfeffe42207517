// Eval mode for a while.
#pragma once

#include <utility>
#include <vector>

#include "portico/nn/module.hpp"

namespace portico::train {

/// Switches a module and its children to training or eval; each gets its own mode back at the end, also after an error.
class ModeGuard {
 public:
  ModeGuard(nn::Module& module, bool training) {
    remember(module);
    module.train(training);
  }
  ~ModeGuard() {
    for (auto& [module, training] : modes_) module->train(training);  // parents first: train() reaches down
  }
  ModeGuard(const ModeGuard&) = delete;
  ModeGuard& operator=(const ModeGuard&) = delete;

 private:
  void remember(nn::Module& module) {
    modes_.emplace_back(&module, module.training());
    for (auto& [name, child] : module.named_children()) remember(*child);
  }
  std::vector<std::pair<nn::Module*, bool>> modes_;
};

}  // namespace portico::train
