// What a family of instructions needs to recognise one and to bind its operands.
#pragma once

#include <string_view>

#include "tests/standin/ptx/program.hpp"

namespace portico::standin::ptx {

/// What a type's name means to the arithmetic.
enum class Type : std::uint8_t {
  none,
  pred,
  b8,
  u8,
  s8,
  b16,
  u16,
  s16,
  b32,
  u32,
  s32,
  b64,
  u64,
  s64,
  f16,
  f16x2,
  bf16,
  bf16x2,
  tf32,
  f32,
  f64
};

class Builder;

/// One instruction on its way from text to handler. Not inlined anywhere, so that the handlers' files, which are
/// compiled for several processors, hold no common code.
struct Decoder {
  const Statement& statement;
  Builder& builder;
  Instr& out;

  bool is(std::string_view name) const;  ///< the opcode without modifiers
  bool has(std::string_view modifier) const;
  std::size_t modifiers() const;
  std::string_view modifier(std::size_t index) const;
  Type type(int index = 0) const;  ///< the index-th modifier that is a type; Type::none when there is none
  int types() const;
  Space space() const;
  std::size_t args() const;
  const Arg& arg(std::size_t index) const;

  // Bind the operands in the order in which the handler counts them.
  void dst(std::size_t index);  ///< a register of any width
  void dst(const Arg& arg);
  void src(std::size_t index, Type type);  ///< a register, or a constant of that type
  void src(const Arg& arg, Type type);
  void dst_pair(std::size_t index);              ///< d or d|p: two operands, the second none when absent
  void address(std::size_t index);               ///< one operand; the offset goes to out.imm
  std::size_t width(std::size_t operand) const;  ///< bytes of a bound operand
  std::size_t bound() const;
  bool constant(std::size_t index, std::int64_t& value) const;  ///< an integer literal
  std::size_t items(std::size_t index) const;                   ///< of a list; 1 for a plain operand
  const Arg& item(std::size_t index, std::size_t item) const;

  void narrow_access(Space space, std::size_t bytes);  ///< the race check has to look this finely
  [[noreturn]] void refuse(std::string_view why) const;
};

std::size_t bytes_of(Type type);

}  // namespace portico::standin::ptx
