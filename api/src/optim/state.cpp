#include "optim/state.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>

#include "tensor/impl.hpp"

namespace portico::detail {
namespace {

constexpr const char* kStep = "step";
constexpr const char* kRate = "lr";

std::string entry(std::size_t index, const char* field) { return std::to_string(index) + "." + field; }

// "12.exp_avg" to 12 and "exp_avg"; false for a name of another form.
bool split(const std::string& name, std::size_t& index, std::string& field) {
  const std::size_t dot = name.find('.');
  if (dot == std::string::npos) return false;
  const auto [end, error] = std::from_chars(name.data(), name.data() + dot, index);
  field = name.substr(dot + 1);
  return error == std::errc() && end == name.data() + dot && entry(index, field.c_str()) == name;
}

// A one-element tensor's value: PyTorch keeps step counts as floats, Portico as i32.
double number(const Tensor& tensor) {
  return is_floating(tensor.dtype()) ? double(tensor.item()) : double(tensor.to_ints().at(0));
}

}  // namespace

OptimizerState::OptimizerState(const std::vector<Tensor>& parameters, std::vector<const char*> fields)
    : fields_(std::move(fields)) {
  constexpr std::int64_t kAlignment = 16;  // elements: every part begins where a vector does
  for (const Tensor& parameter : parameters) {
    const Device device = parameter.device();
    auto found = std::find_if(devices_.begin(), devices_.end(),
                              [&](const DeviceArrays& known) { return known.device == device; });
    if (found == devices_.end()) found = devices_.insert(found, {device, 0, {}});
    places_.push_back({static_cast<std::size_t>(found - devices_.begin()), static_cast<std::uint64_t>(found->count)});
    found->count += (parameter.count() + kAlignment - 1) / kAlignment * kAlignment;
  }
  for (DeviceArrays& group : devices_)
    for (std::size_t field = 0; field < fields_.size(); ++field)
      group.arrays.push_back(Tensor::zeros({group.count}, {.device = group.device}));
}

Tensor OptimizerState::part(const Tensor& parameter, std::size_t index, std::size_t field) const {
  Tensor flat = view(array(places_[index].device, field), parameter.shape(), places_[index].base);
  flat.impl()->layout = parameter.layout();
  return flat;
}

StateDict OptimizerState::save(const std::vector<Tensor>& parameters, bool save_steps) const {
  StateDict state;
  for (std::size_t index = 0; index < parameters.size(); ++index) {
    if (steps(index) == 0) continue;
    for (std::size_t field = 0; field < fields_.size(); ++field)
      state[entry(index, fields_[field])] = part(parameters[index], index, field).clone();
    const auto count = static_cast<std::int32_t>(steps(index));
    if (save_steps) state[entry(index, kStep)] = Tensor::from_ints({&count, 1}, {}, parameters[index].device());
  }
  return state;
}

void OptimizerState::load(const std::vector<Tensor>& parameters, const StateDict& state, bool save_steps,
                          const char* name, float& lr) {
  std::string problems;
  const auto problem = [&](const std::string& text) { problems += (problems.empty() ? "" : "; ") + text; };

  float new_rate = lr;
  std::vector<bool> present(parameters.size(), false);
  for (const auto& [key, tensor] : state) {
    std::size_t index = 0;
    std::string field;
    if (!tensor.defined()) {
      problem("'" + key + "' is undefined");
    } else if (key == kRate) {
      if (tensor.count() == 1 && number(tensor) >= 0)
        new_rate = static_cast<float>(number(tensor));
      else
        problem("'lr' is no rate");
    } else if (!split(key, index, field) || index >= parameters.size() ||
               (!(save_steps && field == kStep) && std::find(fields_.begin(), fields_.end(), field) == fields_.end())) {
      problem("unexpected '" + key + "'");
    } else {
      present[index] = true;
      if (field == kStep) {
        const double steps = tensor.count() == 1 ? number(tensor) : -1;
        if (!(steps >= 1 && steps < 0x1p31) || steps != std::floor(steps)) problem("'" + key + "' is no step count");
      } else if (!is_floating(tensor.dtype())) {
        problem("'" + key + "' is " + name_of(tensor.dtype()) + ", not of a floating dtype");
      } else if (!(tensor.shape() == parameters[index].shape())) {
        problem("'" + key + "' is " + tensor.shape().to_string() + ", parameter " + std::to_string(index) + " " +
                parameters[index].shape().to_string());
      }
    }
  }
  for (std::size_t index = 0; index < parameters.size(); ++index) {
    if (!present[index]) continue;
    for (const char* field : fields_)
      if (!state.contains(entry(index, field))) problem("missing '" + entry(index, field) + "'");
    if (save_steps && !state.contains(entry(index, kStep))) problem("missing '" + entry(index, kStep) + "'");
  }
  if (!problems.empty())
    throw Error(ErrorCode::invalid_argument, std::string(name) + ": this state does not fit the " +
                                                 std::to_string(parameters.size()) +
                                                 " parameters, nothing was changed: " + problems);

  lr = new_rate;
  for (std::size_t index = 0; index < parameters.size(); ++index) {
    places_[index].steps = !present[index] ? 0
                           : save_steps    ? static_cast<std::int64_t>(number(state.at(entry(index, kStep))))
                                           : 1;
    for (std::size_t field = 0; field < fields_.size(); ++field) {
      const Tensor target = part(parameters[index], index, field);
      if (present[index])
        target.copy_from(state.at(entry(index, fields_[field])));
      else
        target.fill(0.0f);
    }
  }
}

}  // namespace portico::detail
