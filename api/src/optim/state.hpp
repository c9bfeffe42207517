// What an optimizer remembers between steps: f32 numbers for every element of every parameter, and step counts.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "portico/io.hpp"
#include "portico/tensor.hpp"

namespace portico::detail {

/// For each field ("exp_avg", ...) one flat array a device. A parameter has the same place in every field, as many
/// elements as it has itself, in its layout; so one kernel argument a field serves any number of parameters.
class OptimizerState {
 public:
  /// Zeros. Field names must be literals.
  OptimizerState(const std::vector<Tensor>& parameters, std::vector<const char*> fields);

  std::size_t fields() const { return fields_.size(); }
  /// Which of the optimizer's devices the parameter is on.
  std::size_t device_index(std::size_t parameter) const { return places_[parameter].device; }
  const Tensor& array(std::size_t device_index, std::size_t field) const {
    return devices_[device_index].arrays[field];
  }
  std::uint64_t base(std::size_t parameter) const { return places_[parameter].base; }

  /// Updates so far; 0 for a parameter that never had a gradient.
  std::int64_t& steps(std::size_t parameter) { return places_[parameter].steps; }
  std::int64_t steps(std::size_t parameter) const { return places_[parameter].steps; }

  /// Copies, named "<index>.<field>", of the parameters that have been updated; "<index>.step" with `save_steps`.
  StateDict save(const std::vector<Tensor>& parameters, bool save_steps) const;
  /// The reverse; `lr` is replaced when the state has one. Throws before anything is changed; `name` begins the
  /// message.
  void load(const std::vector<Tensor>& parameters, const StateDict& state, bool save_steps, const char* name,
            float& lr);

 private:
  struct DeviceArrays {
    Device device;
    std::int64_t count;
    std::vector<Tensor> arrays;
  };
  struct Place {
    std::size_t device;
    std::uint64_t base;
    std::int64_t steps = 0;
  };
  /// A parameter's part of a field, sharing memory.
  Tensor part(const Tensor& parameter, std::size_t index, std::size_t field) const;

  std::vector<const char*> fields_;
  std::vector<DeviceArrays> devices_;
  std::vector<Place> places_;
};

}  // namespace portico::detail
