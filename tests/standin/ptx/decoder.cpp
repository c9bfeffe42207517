#include "decoder.hpp"

#include <algorithm>

#include "builder.hpp"

namespace portico::standin::ptx {
namespace {

Type type_named(std::string_view name) {
  static const std::map<std::string_view, Type> kTypes = {
      {"pred", Type::pred}, {"b8", Type::b8},         {"u8", Type::u8},     {"s8", Type::s8},   {"b16", Type::b16},
      {"u16", Type::u16},   {"s16", Type::s16},       {"b32", Type::b32},   {"u32", Type::u32}, {"s32", Type::s32},
      {"b64", Type::b64},   {"u64", Type::u64},       {"s64", Type::s64},   {"f16", Type::f16}, {"f16x2", Type::f16x2},
      {"bf16", Type::bf16}, {"bf16x2", Type::bf16x2}, {"tf32", Type::tf32}, {"f32", Type::f32}, {"f64", Type::f64}};
  const auto found = kTypes.find(name);
  return found == kTypes.end() ? Type::none : found->second;
}

}  // namespace

std::size_t bytes_of(Type type) {
  switch (type) {
    case Type::none:
      return 4;
    case Type::pred:
      return 1;
    case Type::b8:
    case Type::u8:
    case Type::s8:
    case Type::b16:
    case Type::u16:
    case Type::s16:
    case Type::f16:
    case Type::bf16:
      return 2;  // of a register: the least it has
    case Type::b64:
    case Type::u64:
    case Type::s64:
    case Type::f64:
      return 8;
    default:
      return 4;
  }
}

bool Decoder::is(std::string_view name) const { return statement.name == name; }
bool Decoder::has(std::string_view modifier) const {
  return std::find(statement.modifiers.begin(), statement.modifiers.end(), modifier) != statement.modifiers.end();
}
std::size_t Decoder::modifiers() const { return statement.modifiers.size(); }
std::string_view Decoder::modifier(std::size_t index) const { return statement.modifiers[index]; }

Type Decoder::type(int index) const {
  for (const std::string_view modifier : statement.modifiers)
    if (const Type type = type_named(modifier); type != Type::none && index-- == 0) return type;
  return Type::none;
}

int Decoder::types() const {
  return static_cast<int>(std::count_if(statement.modifiers.begin(), statement.modifiers.end(),
                                        [](std::string_view word) { return type_named(word) != Type::none; }));
}

// A parameter of a device function is a variable of the caller's, and those are local memory.
Space Decoder::space() const {
  for (const std::string_view word : statement.modifiers) {
    if (word == "global") return Space::global;
    if (word == "shared" || word == "shared::cta") return Space::shared;
    if (word == "local") return Space::local;
    if (word == "const") return Space::constant;
    if (word == "shared::cluster") refuse("clusters are not known to this machine");
    if (word != "param" && word != "param::entry" && word != "param::func") continue;
    for (const Arg& arg : statement.args) {
      if (arg.kind != Arg::Kind::address) continue;
      const auto symbol = arg.name.empty() ? std::nullopt : builder.symbol(arg.name);
      if (symbol) return symbol->space;
      return builder.inlined() ? Space::local : Space::parameter;
    }
    return Space::parameter;
  }
  return Space::generic;
}

std::size_t Decoder::args() const { return statement.args.size(); }

const Arg& Decoder::arg(std::size_t index) const {
  if (index >= statement.args.size()) refuse("too few operands");
  return statement.args[index];
}

void Decoder::dst(std::size_t index) { dst(arg(index)); }
void Decoder::dst(const Arg& arg) {
  if (arg.kind == Arg::Kind::sink) return builder.bind(Operand{});
  Operand operand = builder.register_of(arg.name, statement.line);
  operand.written = true;
  builder.bind(operand);
}

void Decoder::src(std::size_t index, Type type) { src(arg(index), type); }
void Decoder::src(const Arg& arg, Type type) { builder.bind(builder.value_of(arg, type, statement.line)); }

void Decoder::dst_pair(std::size_t index) {
  dst(index);
  Arg second;
  if (!arg(index).other.empty()) {
    second.kind = Arg::Kind::name;
    second.name = arg(index).other;
  }
  dst(second);
}

void Decoder::address(std::size_t index) {
  const Arg& place = arg(index);
  if (place.kind != Arg::Kind::address || !place.items.empty()) refuse("an address of this form is not known");
  if (place.name.empty()) return builder.bind(builder.constant(static_cast<std::uint64_t>(place.value), 8));
  if (const auto symbol = builder.symbol(place.name)) return builder.bind(builder.address_of(*symbol, place.value));
  out.imm = place.value;
  builder.bind(builder.register_of(place.name, statement.line));
}

std::size_t Decoder::width(std::size_t operand) const { return builder.bound()[operand].bytes; }
std::size_t Decoder::bound() const { return builder.bound().size(); }

bool Decoder::constant(std::size_t index, std::int64_t& value) const {
  if (index >= statement.args.size() || statement.args[index].kind != Arg::Kind::integer) return false;
  value = statement.args[index].value;
  return true;
}

std::size_t Decoder::items(std::size_t index) const {
  return arg(index).kind == Arg::Kind::list ? arg(index).items.size() : 1;
}

const Arg& Decoder::item(std::size_t index, std::size_t item) const {
  if (arg(index).kind != Arg::Kind::list) return arg(index);
  if (item >= arg(index).items.size()) refuse("too few operands in braces");
  return arg(index).items[item];
}

void Decoder::narrow_access(Space space, std::size_t bytes) {
  const unsigned granule = bytes == 1 ? 0 : bytes == 2 ? 1 : 2;
  Program& program = builder.program();
  if (space != Space::shared) program.global_granule = std::min(program.global_granule, granule);
  if (space == Space::shared || space == Space::generic)
    program.shared_granule = std::min(program.shared_granule, granule);
}

void Decoder::refuse(std::string_view why) const {
  throw ParseError(statement.line, std::string(why) + ": " + std::string(statement.text));
}

}  // namespace portico::standin::ptx
