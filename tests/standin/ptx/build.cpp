#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>

#include "builder.hpp"

namespace portico::standin::ptx {
namespace {

constexpr std::size_t kDeepest = 32;  // calls within calls; deeper means recursion

std::size_t aligned(std::size_t at, std::size_t align) { return (at + align - 1) / align * align; }

}  // namespace

Builder::Builder(ModuleData& module, const Routine& kernel, Program& program)
    : module_(module), kernel_(kernel), program_(program) {}

void Builder::place_parameters() {
  std::size_t at = 0;
  Scope scope;
  for (const Variable& parameter : kernel_.parameters) {
    at = aligned(at, parameter.align);
    program_.parameters.push_back({parameter.bytes, at});
    Symbol symbol;
    symbol.what = Symbol::What::parameter;
    symbol.space = Space::parameter;
    symbol.offset = at;
    scope.symbols[parameter.name] = symbol;
    at += parameter.bytes;
  }
  program_.parameter_bytes = at;
  scopes_.push_back(std::move(scope));
}

void Builder::build() {
  program_.name = std::string(kernel_.name);
  program_.max_threads = kernel_.max_threads;
  place_parameters();
  inline_routine(kernel_, {});
  Statement end;
  end.line = kernel_.line;
  end.text = kernel_.name;
  Instr last;
  last.kind = Instr::Kind::exit;
  operands_.clear();
  push(end, last);

  program_.static_shared = aligned(program_.static_shared, 16);
  program_.local_bytes = aligned(program_.local_bytes, 16);  // each thread's begins aligned
  for (const auto& [offset, add] : dynamic_) {
    const std::uint64_t address = program_.static_shared + static_cast<std::uint64_t>(add);
    for (int lane = 0; lane < kLanes; ++lane) std::memcpy(&program_.constants[offset + 8 * lane], &address, 8);
  }
  for (std::size_t i = 0; i < program_.code.size(); ++i) {
    program_.code[i].op = program_.operands.data() + first_operand_[i];
    program_.code[i].index = static_cast<std::uint32_t>(i);
  }
  lay_out(program_, widths_);
}

void Builder::inline_routine(const Routine& routine, std::map<std::string_view, Symbol> bound) {
  if (frames_.size() >= kDeepest)
    throw ParseError(routine.line, std::string(routine.name) + ": recursion is not known to this machine");
  Frame frame;
  frame.routine = &routine;
  frame.first_scope = scopes_.size();
  frames_.push_back(std::move(frame));
  Scope scope;
  scope.symbols = std::move(bound);
  scopes_.push_back(std::move(scope));
  for (const Statement& statement : routine.body) add(statement);
  scopes_.resize(frames_.back().first_scope);
  for (const std::uint32_t at : frames_.back().returns)
    program_.code[at].target = static_cast<std::uint32_t>(program_.code.size());
  resolve_labels(frames_.back());
  frames_.pop_back();
}

void Builder::resolve_labels(Frame& frame) {
  const auto place = [&](std::string_view label, int line) {
    const auto found = frame.labels.find(label);
    if (found == frame.labels.end()) throw ParseError(line, "no label " + std::string(label));
    return found->second;
  };
  for (const auto& fixup : frame.fixups) program_.code[fixup.instr].target = place(fixup.label, fixup.line);
  for (const auto& fixup : frame.table_fixups) {
    const auto found = frame.tables.find(fixup.name);
    if (found == frame.tables.end()) throw ParseError(fixup.line, "no .branchtargets " + std::string(fixup.name));
    for (const std::string_view label : found->second) program_.tables[fixup.table].push_back(place(label, fixup.line));
  }
}

void Builder::add(const Statement& statement) {
  switch (statement.kind) {
    case Statement::Kind::open:
      scopes_.emplace_back();
      break;
    case Statement::Kind::close:
      scopes_.pop_back();
      break;
    case Statement::Kind::label:
      frames_.back().labels[statement.name] = static_cast<std::uint32_t>(program_.code.size());
      break;
    case Statement::Kind::targets: {
      auto& labels = frames_.back().tables[statement.name];
      for (const Arg& arg : statement.args) labels.push_back(arg.name);
      break;
    }
    case Statement::Kind::registers:
      declare_registers(statement);
      break;
    case Statement::Kind::variable: {
      const Variable& variable = frames_.back().routine->variables[static_cast<std::size_t>(statement.variable)];
      scopes_.back().symbols[variable.name] = place(variable);
      break;
    }
    case Statement::Kind::instruction:
      instruction(statement);
      break;
  }
}

std::uint32_t Builder::new_register(std::size_t bytes) {
  widths_.push_back(static_cast<std::uint8_t>(bytes));
  return static_cast<std::uint32_t>(widths_.size() - 1);
}

void Builder::declare_registers(const Statement& statement) {
  std::size_t bytes = type_bytes(statement.type);
  if (bytes == 1 && statement.type != ".pred") bytes = 2;
  if (statement.count == 0) {
    scopes_.back().registers[statement.name] = new_register(bytes);
    return;
  }
  const auto first = static_cast<std::uint32_t>(widths_.size());
  for (int i = 0; i < statement.count; ++i) new_register(bytes);
  scopes_.back().numbered[statement.name] = {first, static_cast<std::uint32_t>(statement.count)};
}

Operand Builder::register_of(std::string_view name, int line) {
  const std::size_t digits = name.find_last_not_of("0123456789") + 1;
  std::uint32_t number = 0;
  std::from_chars(name.data() + digits, name.data() + name.size(), number);
  for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
    std::uint32_t found = kNowhere;
    if (const auto exact = scope->registers.find(name); exact != scope->registers.end()) {
      found = exact->second;
    } else if (const auto many = scope->numbered.find(name.substr(0, digits));
               digits < name.size() && many != scope->numbered.end() && number < many->second.second) {
      found = many->second.first + number;
    }
    if (found == kNowhere) continue;
    Operand operand;
    operand.base = Operand::registers;
    operand.offset = found;
    operand.bytes = widths_[found];
    return operand;
  }
  throw ParseError(line, "no register " + std::string(name));
}

Symbol Builder::place(const Variable& variable) {
  Symbol symbol;
  symbol.space = variable.space == Space::parameter ? Space::local : variable.space;
  symbol.name = variable.name;
  if (variable.space == Space::shared && variable.bytes == 0) {
    symbol.what = Symbol::What::dynamic_shared;
    program_.dynamic_shared = true;
    return symbol;
  }
  if (variable.space == Space::global || variable.space == Space::constant)
    throw ParseError(variable.line, std::string(variable.name) + ": such a variable inside of a function is not known");
  std::size_t& total = variable.space == Space::shared ? program_.static_shared : program_.local_bytes;
  symbol.offset = aligned(total, std::max<std::size_t>(variable.align, 1));
  total = symbol.offset + variable.bytes;
  return symbol;
}

std::optional<Symbol> Builder::symbol(std::string_view name) const {
  for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope)
    if (const auto found = scope->symbols.find(name); found != scope->symbols.end()) return found->second;
  if (const auto found = module_shared_.find(name); found != module_shared_.end()) return found->second;
  for (const Variable& variable : module_.text.variables) {
    if (variable.name != name) continue;
    if (variable.space == Space::shared) {  // of the module, but each kernel has its own
      auto* self = const_cast<Builder*>(this);
      return self->module_shared_[variable.name] = self->place(variable);
    }
    Symbol symbol;
    symbol.what = Symbol::What::variable;
    symbol.space = variable.space;
    symbol.name = variable.name;
    return symbol;
  }
  return std::nullopt;
}

Operand Builder::constant(std::uint64_t bits, std::size_t bytes) {
  Operand operand;
  operand.base = Operand::constants;
  operand.bytes = static_cast<std::uint8_t>(bytes);
  const auto [known, fresh] = known_constants_.insert({{bits, bytes}, 0});
  if (fresh) {
    known->second = static_cast<std::uint32_t>(program_.constants.size());
    program_.constants.resize(program_.constants.size() + std::max<std::size_t>(bytes * kLanes, 64));
    for (int lane = 0; lane < kLanes; ++lane)
      std::memcpy(&program_.constants[known->second + lane * bytes], &bits, bytes);
  }
  operand.offset = known->second;
  return operand;
}

// The launch writes the true value of a patched constant, so such a constant is shared with no other.
Operand Builder::address_of(const Symbol& symbol, std::int64_t add) {
  if (symbol.what == Symbol::What::offset) return constant(symbol.offset + static_cast<std::uint64_t>(add), 8);
  Operand operand;
  operand.base = Operand::constants;
  operand.bytes = 8;
  operand.offset = static_cast<std::uint32_t>(program_.constants.size());
  program_.constants.resize(program_.constants.size() + 8 * kLanes);
  if (symbol.what == Symbol::What::dynamic_shared) {
    dynamic_.push_back({operand.offset, add});
  } else if (symbol.what == Symbol::What::parameter) {
    program_.patches.push_back(
        {Patch::What::parameters, operand.offset, {}, add + static_cast<std::int64_t>(symbol.offset)});
  } else {
    program_.patches.push_back({Patch::What::variable, operand.offset, symbol.name, add});
  }
  return operand;
}

Operand Builder::value_of(const Arg& arg, Type type, int line) {
  static const std::map<std::string_view, Special> kSpecials = {{"%tid.x", Special::tid_x},
                                                                {"%tid.y", Special::tid_y},
                                                                {"%tid.z", Special::tid_z},
                                                                {"%ntid.x", Special::ntid_x},
                                                                {"%ntid.y", Special::ntid_y},
                                                                {"%ntid.z", Special::ntid_z},
                                                                {"%ctaid.x", Special::ctaid_x},
                                                                {"%ctaid.y", Special::ctaid_y},
                                                                {"%ctaid.z", Special::ctaid_z},
                                                                {"%nctaid.x", Special::nctaid_x},
                                                                {"%nctaid.y", Special::nctaid_y},
                                                                {"%nctaid.z", Special::nctaid_z},
                                                                {"%laneid", Special::laneid},
                                                                {"%warpid", Special::warpid},
                                                                {"%nwarpid", Special::nwarpid},
                                                                {"%lanemask_eq", Special::lanemask_eq},
                                                                {"%lanemask_le", Special::lanemask_le},
                                                                {"%lanemask_lt", Special::lanemask_lt},
                                                                {"%lanemask_ge", Special::lanemask_ge},
                                                                {"%lanemask_gt", Special::lanemask_gt},
                                                                {"WARP_SZ", Special::warp_size},
                                                                {"%dynamic_smem_size", Special::dynamic_smem_size},
                                                                {"%total_smem_size", Special::total_smem_size},
                                                                {"%clock", Special::clock},
                                                                {"%clock64", Special::clock},
                                                                {"%globaltimer", Special::clock},
                                                                {"%smid", Special::zero},
                                                                {"%nsmid", Special::zero},
                                                                {"%gridid", Special::zero}};
  const std::size_t wanted = bytes_of(type);
  switch (arg.kind) {
    case Arg::Kind::integer:
      return constant(wanted == 8 ? static_cast<std::uint64_t>(arg.value)
                                  : static_cast<std::uint64_t>(arg.value) & ((std::uint64_t{1} << (8 * wanted)) - 1),
                      wanted);
    case Arg::Kind::single:
      return wanted == 8 ? constant(std::bit_cast<std::uint64_t>(static_cast<double>(
                                        std::bit_cast<float>(static_cast<std::uint32_t>(arg.value)))),
                                    8)
                         : constant(static_cast<std::uint32_t>(arg.value), 4);
    case Arg::Kind::real:
      return wanted == 4
                 ? constant(std::bit_cast<std::uint32_t>(static_cast<float>(std::bit_cast<double>(arg.value))), 4)
                 : constant(static_cast<std::uint64_t>(arg.value), 8);
    case Arg::Kind::name:
      break;
    default:
      throw ParseError(line, "an operand of this form is not known here");
  }
  Operand operand;
  if (const auto special = kSpecials.find(arg.name); special != kSpecials.end()) {
    operand.base = Operand::specials;
    operand.offset = static_cast<std::uint32_t>(special->second) * 8 * kLanes;
    operand.bytes = static_cast<std::uint8_t>(wanted);
    program_.specials_used |= 1u << static_cast<unsigned>(special->second);
  } else if (const auto known = symbol(arg.name)) {
    operand = address_of(*known, arg.value);
    operand.bytes = static_cast<std::uint8_t>(wanted);
    if (wanted == 4) {  // the lower halves of an address in shared or local memory
      if (known->what != Symbol::What::offset)
        throw ParseError(line, std::string(arg.name) + ": its address needs 64 bits here");
      operand = constant(known->offset + static_cast<std::uint64_t>(arg.value), 4);
    }
  } else {
    operand = register_of(arg.name, line);
    operand.negated = arg.negated;
    const bool storage = type == Type::none || type == Type::b8 || type == Type::u8 || type == Type::s8;
    if (!storage && operand.bytes != (type == Type::pred ? 1 : wanted))
      throw ParseError(line, "register " + std::string(arg.name) + " has " + std::to_string(operand.bytes * 8) +
                                 " bits, the instruction wants " + std::to_string(wanted * 8));
  }
  return operand;
}

std::uint32_t Builder::table_named(std::string_view name, int line) {
  program_.tables.emplace_back();
  const auto index = static_cast<std::uint32_t>(program_.tables.size() - 1);
  frames_.back().table_fixups.push_back({index, name, line});
  return index;
}

Instr Builder::guarded(const Statement& statement) {
  Instr instr;
  if (statement.guard.empty()) return instr;
  const Operand guard = register_of(statement.guard, statement.line);
  if (guard.bytes != 1) throw ParseError(statement.line, std::string(statement.guard) + " is no predicate");
  instr.guard = guard.offset;
  instr.guard_negated = statement.guard_negated;
  return instr;
}

void Builder::push(const Statement& statement, Instr instr) {
  first_operand_.push_back(static_cast<std::uint32_t>(program_.operands.size()));
  instr.count = static_cast<std::uint8_t>(operands_.size());
  program_.operands.insert(program_.operands.end(), operands_.begin(), operands_.end());
  program_.code.push_back(instr);
  const auto file = module_.text.files.find(statement.source_file);
  program_.origins.push_back({statement.line, statement.source_line,
                              file == module_.text.files.end() ? std::string_view() : file->second, statement.text});
}

void Builder::instruction(const Statement& statement) {
  operands_.clear();
  try {
    if (statement.name == "call") return call(statement);
    Instr instr = guarded(statement);
    if (control(statement, instr)) return push(statement, instr);
    Decoder decoder{statement, *this, instr};
    if (!chosen_variant().decode(decoder)) decoder.refuse("the machine does not know this instruction");
    push(statement, instr);
  } catch (const ParseError& error) {
    if (std::string_view(error.what()).find(statement.text) != std::string_view::npos) throw;
    const std::string message = error.what(), prefix = "PTX line " + std::to_string(error.line) + ": ";
    throw ParseError(statement.line, (message.rfind(prefix, 0) == 0 ? message.substr(prefix.size()) : message) + ": " +
                                         std::string(statement.text));
  }
}

bool Builder::control(const Statement& statement, Instr& instr) {
  const std::string_view name = statement.name;
  const auto here = static_cast<std::uint32_t>(program_.code.size());
  if (name == "bra") {
    if (statement.args.size() != 1) throw ParseError(statement.line, "bra takes one label");
    instr.kind = Instr::Kind::branch;
    instr.uniform = !statement.modifiers.empty() && statement.modifiers[0] == "uni";
    frames_.back().fixups.push_back({here, statement.args[0].name, statement.line});
    return true;
  }
  if (name == "brx") {
    if (statement.args.size() != 2) throw ParseError(statement.line, "brx.idx takes an index and a list");
    instr.kind = Instr::Kind::table;
    bind(value_of(statement.args[0], Type::u32, statement.line));
    instr.imm = table_named(statement.args[1].name, statement.line);
    return true;
  }
  if (name == "exit" || (name == "ret" && frames_.size() == 1)) {
    instr.kind = Instr::Kind::exit;
    return true;
  }
  if (name == "ret") {
    instr.kind = Instr::Kind::branch;
    frames_.back().returns.push_back(here);
    return true;
  }
  if ((name == "bar" || name == "barrier") && (statement.modifiers.empty() || statement.modifiers[0] != "warp")) {
    barrier(statement, instr);
    return true;
  }
  return false;
}

// Operands: the barrier's number, how many threads, and of bar.red the result and the predicate.
void Builder::barrier(const Statement& statement, Instr& instr) {
  instr.kind = Instr::Kind::barrier;
  const auto has = [&](std::string_view word) {
    return std::find(statement.modifiers.begin(), statement.modifiers.end(), word) != statement.modifiers.end();
  };
  if (has("cluster")) throw ParseError(statement.line, "clusters are not known to this machine");
  const bool red = has("red");
  instr.flags = static_cast<std::uint16_t>(has("arrive") ? 1 : has("popc") ? 2 : has("and") ? 3 : has("or") ? 4 : 0);
  const std::size_t first = red ? 1 : 0, plain = statement.args.size() - first - (red ? 1 : 0);
  if (statement.args.size() < 1 + 2 * first || plain > 2)
    throw ParseError(statement.line, "a barrier with " + std::to_string(statement.args.size()) + " operands");
  bind(value_of(statement.args[first], Type::u32, statement.line));
  bind(plain > 1 ? value_of(statement.args[first + 1], Type::u32, statement.line) : Operand{});
  if (!red) return;
  Operand result = register_of(statement.args[0].name, statement.line);
  result.written = true;
  bind(result);
  bind(value_of(statement.args.back(), Type::pred, statement.line));
}

void Builder::call(const Statement& statement) {
  const Arg *name = nullptr, *results = nullptr, *arguments = nullptr;
  for (const Arg& arg : statement.args) {
    if (arg.kind != Arg::Kind::list) {
      if (!name)
        name = &arg;
      else
        throw ParseError(statement.line, "calls through pointers are not known");
    } else {
      (name ? arguments : results) = &arg;
    }
  }
  if (!name || name->name.starts_with("%")) throw ParseError(statement.line, "calls through pointers are not known");

  std::uint32_t around = kNowhere;
  if (!statement.guard.empty()) {
    Instr skip = guarded(statement);
    skip.guard_negated = !skip.guard_negated;
    skip.kind = Instr::Kind::branch;
    around = static_cast<std::uint32_t>(program_.code.size());
    push(statement, skip);
  }
  const auto routine = std::find_if(module_.text.routines.begin(), module_.text.routines.end(),
                                    [&](const Routine& r) { return r.defined && !r.kernel && r.name == name->name; });
  if (routine == module_.text.routines.end()) {
    external_call(statement, name->name, arguments, results);
  } else {
    std::map<std::string_view, Symbol> bound;
    const auto tie = [&](const std::vector<Variable>& formal, const Arg* actual) {
      if (formal.size() != (actual ? actual->items.size() : 0))
        throw ParseError(statement.line, std::string(name->name) + " takes " + std::to_string(formal.size()) +
                                             " parameters, the call has another number");
      for (std::size_t i = 0; i < formal.size(); ++i) {
        const auto variable = symbol(actual->items[i].name);
        if (!variable) throw ParseError(statement.line, "no variable " + std::string(actual->items[i].name));
        bound[formal[i].name] = *variable;
      }
    };
    tie(routine->results, results);
    tie(routine->parameters, arguments);
    inline_routine(*routine, std::move(bound));
  }
  if (around != kNowhere) program_.code[around].target = static_cast<std::uint32_t>(program_.code.size());
}

void Builder::external_call(const Statement& statement, std::string_view name, const Arg* arguments,
                            const Arg* results) {
  Instr instr;
  instr.run = external_function(name);
  if (!instr.run) throw ParseError(statement.line, "no function " + std::string(name));
  operands_.clear();
  for (const Arg* list : {arguments, results})
    for (std::size_t i = 0; list && i < list->items.size(); ++i) {
      const auto variable = symbol(list->items[i].name);
      if (!variable) throw ParseError(statement.line, "no variable " + std::string(list->items[i].name));
      bind(address_of(*variable, 0));
    }
  push(statement, instr);
}

void build(ModuleData& module) {
  for (const Routine& routine : module.text.routines) {
    if (!routine.kernel || !routine.defined) continue;
    auto program = std::make_unique<Program>();
    Builder(module, routine, *program).build();
    module.functions.push_back(std::make_unique<Function>(*program));
    module.programs.push_back(std::move(program));
  }
}

}  // namespace portico::standin::ptx
