// What is common to convolutions by cuDNN and by MIOpen: a plan a shape, kept, and the choice among its ways.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "backends/cuda_hip/conv.hpp"
#include "vendor.hpp"

namespace portico::cuda_hip {

/// What a plan depends on. No padding: bytes are compared, hashed and remembered.
struct ConvKey {
  ConvShape shape;
  uint32_t has_bias, has_scratch, align_x, align_weight, align_y, align_bias;

  bool operator==(const ConvKey& other) const { return std::memcmp(this, &other, sizeof *this) == 0; }
};

/// The name of one way to do a convolution, the same in every process with this library and device.
struct ConvWay {
  uint64_t name[2];
  bool operator==(const ConvWay&) const = default;
};

/// A library's descriptions of one convolution.
class ConvPlan {
 public:
  virtual ~ConvPlan() = default;

  struct Way {
    ConvWay id;
    std::size_t workspace;  ///< bytes
    std::size_t number;     ///< what run() knows it by
  };
  std::vector<Way> ways;  ///< best first as the library thinks; none: it cannot do it
  std::string finding;    ///< its key of Findings
  bool settled = false;   ///< the first way is the fastest

  /// Queues the convolution. False when the library refuses this way after all; throws Failure.
  virtual bool run(std::size_t number, const ConvCall& call, uint64_t workspace) = 0;
};

/// A handle whose plans are kept for the stream's life.
class PlannedConv : public Conv {
 public:
  PlannedConv(portico_stream& stream, std::string prefix, uint32_t most_alignment);

  bool run(const ConvCall& call, const Scratch& scratch) final;

  /// Workspaces are at most this large.
  static constexpr std::size_t kWorkspaceLimit = std::size_t{256} << 20;
  static constexpr std::size_t kMostWays = 8;

 protected:
  virtual std::unique_ptr<ConvPlan> make_plan(const ConvKey& key) = 0;
  void forget_plans() { plans_.clear(); }  ///< before the handle goes

  const vendor::Stream stream_;

 private:
  ConvPlan& plan_for(const ConvCall& call, bool has_scratch);
  void settle(ConvPlan& plan, const ConvCall& call, const Scratch& scratch);

  struct Hash {
    std::size_t operator()(const ConvKey& key) const;
  };
  const std::string prefix_;
  const uint32_t most_alignment_;
  bool captured_ = false;
  std::unordered_map<ConvKey, std::unique_ptr<ConvPlan>, Hash> plans_;
};

/// The head of Findings' keys: the library's name and version, the device and its driver.
std::string conv_prefix(const portico_stream& stream, const std::string& library);

}  // namespace portico::cuda_hip
