#include "module.hpp"

#include <algorithm>
#include <cstring>

#include "program.hpp"

namespace portico::standin::ptx {
namespace {

// .const variables lie in the module, with room behind each so that a step over its end shows.
void place_constants(ModuleData& module) {
  std::size_t total = 0;
  std::map<std::string_view, std::size_t> offsets;
  for (const Variable& variable : module.text.variables) {
    if (variable.space != Space::constant) continue;
    total = (total + 255) / 256 * 256;
    offsets[variable.name] = total;
    total += variable.bytes;
  }
  module.constant.assign(total + 256, 0);
  const auto base = (reinterpret_cast<std::uintptr_t>(module.constant.data()) + 255) / 256 * 256;
  for (const auto& [name, offset] : offsets) module.constant_place[name] = base + offset;
  for (const Variable& variable : module.text.variables) {
    if (variable.space != Space::constant) continue;
    auto* to = reinterpret_cast<std::uint8_t*>(module.constant_place[variable.name]);
    std::copy(variable.initial.begin(), variable.initial.end(), to);
    for (const Variable::Reference& reference : variable.references) {
      const auto target = module.constant_place.find(reference.name);
      if (target == module.constant_place.end())
        throw ParseError(variable.line,
                         std::string(variable.name) + ": a constant that points at global memory is not known");
      const std::uint64_t address = target->second + static_cast<std::uint64_t>(reference.add);
      std::memcpy(to + reference.offset, &address, std::min<std::size_t>(8, variable.element_bytes));
    }
  }
}

std::string placed_at(const Fault::Place& place) {
  std::string text;
  const auto triple = [](const std::array<unsigned, 3>& v) {
    return "(" + std::to_string(v[0]) + "," + std::to_string(v[1]) + "," + std::to_string(v[2]) + ")";
  };
  if (place.line == 0) return text;
  text = "\n  at PTX line " + std::to_string(place.line) + ": " + place.text;
  if (place.source_line > 0) text += "\n  from " + place.source_file + ":" + std::to_string(place.source_line);
  return text + "\n  in block " + triple(place.block) + ", thread " + triple(place.thread);
}

}  // namespace

ParseError::ParseError(int at, const std::string& message)
    : std::runtime_error("PTX line " + std::to_string(at) + ": " + message), line(at) {}

Fault::Fault(Kind what, const Place& where, std::uintptr_t at, const std::string& message)
    : std::runtime_error("kernel " + where.kernel + ": " + message + placed_at(where)),
      kind(what),
      place(where),
      address(at) {}

const char* name_of(Fault::Kind kind) {
  switch (kind) {
    case Fault::Kind::outside:
      return "outside";
    case Fault::Kind::released:
      return "released";
    case Fault::Kind::misaligned:
      return "misaligned";
    case Fault::Kind::unset:
      return "unset";
    case Fault::Kind::race:
      return "race";
    case Fault::Kind::barrier:
      return "barrier";
    case Fault::Kind::trap:
      return "trap";
    case Fault::Kind::launch:
      return "launch";
  }
  return "unknown";
}

const std::string& Function::name() const { return program_->name; }
std::size_t Function::parameter_count() const { return program_->parameters.size(); }
std::size_t Function::parameter_bytes(std::size_t index) const { return program_->parameters[index].bytes; }
std::size_t Function::parameter_offset(std::size_t index) const { return program_->parameters[index].offset; }
std::size_t Function::static_shared() const { return program_->static_shared; }
std::size_t Function::local_bytes() const { return program_->local_bytes; }
unsigned Function::max_threads() const { return program_->max_threads; }

Module::Module(std::unique_ptr<ModuleData> data) : data_(std::move(data)) {}
Module::~Module() = default;

std::shared_ptr<Module> Module::parse(std::string_view ptx) {
  auto data = std::make_unique<ModuleData>();
  data->text = read_text(ptx);
  for (const Variable& variable : data->text.variables)
    if (variable.space == Space::global || variable.space == Space::constant)
      data->variables[variable.name] = &variable;
  place_constants(*data);
  build(*data);
  return std::shared_ptr<Module>(new Module(std::move(data)));
}

const Function* Module::find(std::string_view name) const {
  for (const auto& function : data_->functions)
    if (function->name() == name) return function.get();
  return nullptr;
}

std::vector<const Function*> Module::functions() const {
  std::vector<const Function*> all;
  for (const auto& function : data_->functions) all.push_back(function.get());
  return all;
}

namespace {

std::map<std::string_view, std::uintptr_t> place_globals(const ModuleData& module, Memory& memory) {
  std::map<std::string_view, std::uintptr_t> places = module.constant_place;
  for (const auto& [name, variable] : module.variables) {
    if (variable->space != Space::global) continue;
    if (variable->is_extern) throw ParseError(variable->line, std::string(name) + " is defined in no module");
    const std::size_t bytes = std::max<std::size_t>(variable->bytes, 1);
    void* to = memory.allocate(bytes);
    if (!to) throw std::runtime_error("no memory for the module's variable " + std::string(name));
    std::memset(to, 0, bytes);
    std::copy(variable->initial.begin(), variable->initial.end(), static_cast<std::uint8_t*>(to));
    memory.mark_written(to, bytes);
    places[name] = reinterpret_cast<std::uintptr_t>(to);
  }
  for (const auto& [name, variable] : module.variables) {
    if (variable->space != Space::global) continue;
    for (const Variable::Reference& reference : variable->references) {
      const auto target = places.find(reference.name);
      if (target == places.end()) throw ParseError(variable->line, "no variable " + std::string(reference.name));
      const std::uint64_t address = target->second + static_cast<std::uint64_t>(reference.add);
      std::memcpy(reinterpret_cast<std::uint8_t*>(places[name]) + reference.offset, &address, 8);
    }
  }
  return places;
}

}  // namespace

std::uintptr_t Module::global(std::string_view name, Memory& memory, std::size_t& bytes) const {
  const auto variable = data_->variables.find(name);
  if (variable == data_->variables.end()) return 0;
  const std::lock_guard lock(data_->mutex);
  auto placed = data_->placed.find(&memory);
  if (placed == data_->placed.end()) placed = data_->placed.emplace(&memory, place_globals(*data_, memory)).first;
  bytes = variable->second->bytes;
  return placed->second.at(name);
}

void Module::unload(Memory& memory) const {
  const std::lock_guard lock(data_->mutex);
  const auto placed = data_->placed.find(&memory);
  if (placed == data_->placed.end()) return;
  for (const auto& [name, address] : placed->second)
    if (data_->variables.at(name)->space == Space::global) memory.release(reinterpret_cast<void*>(address));
  data_->placed.erase(placed);
}

}  // namespace portico::standin::ptx
