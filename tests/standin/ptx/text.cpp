#include "text.hpp"

#include <bit>
#include <charconv>
#include <cstring>
#include <map>
#include <optional>

#include "module.hpp"

namespace portico::standin::ptx {
namespace {

struct Token {
  std::string_view text;
  int line;
};

bool word_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' ||
         c == '%' || c == '.';
}

// Words hold dots: an opcode with its modifiers, or %tid.x, is one token.
std::vector<Token> tokens_of(std::string_view text) {
  std::vector<Token> tokens;
  tokens.reserve(text.size() / 5);
  int line = 1;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (c == '\n') ++line;
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\0') {
      ++at;
    } else if (c == '/' && at + 1 < text.size() && text[at + 1] == '/') {
      at = std::min(text.find('\n', at), text.size());
    } else if (c == '/' && at + 1 < text.size() && text[at + 1] == '*') {
      const std::size_t end = text.find("*/", at + 2);
      if (end == std::string_view::npos) throw ParseError(line, "a comment does not end");
      for (; at < end + 2; ++at)
        if (text[at] == '\n') ++line;
    } else if (c == '"') {
      const std::size_t end = text.find('"', at + 1);
      if (end == std::string_view::npos) throw ParseError(line, "a string does not end");
      tokens.push_back({text.substr(at, end + 1 - at), line});
      at = end + 1;
    } else if (word_character(c)) {
      std::size_t end = at;
      while (end < text.size() && (word_character(text[end]) || text.substr(end, 2) == "::"))
        end += text[end] == ':' ? 2 : 1;
      tokens.push_back({text.substr(at, end - at), line});
      at = end;
    } else {
      tokens.push_back({text.substr(at, 1), line});
      ++at;
    }
  }
  return tokens;
}

const std::map<std::string_view, Space> kSpaces = {{".global", Space::global},
                                                   {".shared", Space::shared},
                                                   {".local", Space::local},
                                                   {".const", Space::constant},
                                                   {".param", Space::parameter}};

class Reader {
 public:
  explicit Reader(Text& text) : text_(text), tokens_(tokens_of(text.source)) {}

  void read_all() {
    while (at_ < tokens_.size()) read_top();
  }

 private:
  bool ended() const { return at_ >= tokens_.size(); }
  std::string_view peek() const { return ended() ? std::string_view() : tokens_[at_].text; }
  int line() const { return tokens_.empty() ? 0 : tokens_[std::min(at_, tokens_.size() - 1)].line; }
  bool is(std::string_view word) const { return peek() == word; }

  std::string_view next() {
    if (ended()) throw ParseError(line(), "the text ends too early");
    return tokens_[at_++].text;
  }
  bool accept(std::string_view word) {
    if (!is(word)) return false;
    ++at_;
    return true;
  }
  void expect(std::string_view word) {
    if (!accept(word))
      throw ParseError(line(), "expected '" + std::string(word) + "', found '" + std::string(peek()) + "'");
  }

  // The rest of the present line belongs to a directive that means nothing here.
  void skip_line() {
    const int here = tokens_[at_ - 1].line;
    while (!ended() && tokens_[at_].line == here) ++at_;
  }

  std::optional<Arg> number(std::string_view word) {
    Arg arg;
    if (word.empty() || word[0] < '0' || word[0] > '9') return std::nullopt;
    const auto digits = [&](std::string_view text, int base) {
      std::uint64_t bits = 0;
      if (!text.empty() && text.back() == 'U') text.remove_suffix(1);
      const auto end = std::from_chars(text.data(), text.data() + text.size(), bits, base);
      if (text.empty() || end.ec != std::errc() || end.ptr != text.data() + text.size())
        throw ParseError(line(), "'" + std::string(word) + "' is no number");
      return static_cast<std::int64_t>(bits);
    };
    const char kind = word.size() > 1 ? word[1] : '\0';
    arg.kind = Arg::Kind::integer;
    if (word[0] == '0' && (kind == 'f' || kind == 'F')) {
      arg.kind = Arg::Kind::single;
      arg.value = digits(word.substr(2), 16);
    } else if (word[0] == '0' && (kind == 'd' || kind == 'D')) {
      arg.kind = Arg::Kind::real;
      arg.value = digits(word.substr(2), 16);
    } else if (word[0] == '0' && (kind == 'x' || kind == 'X')) {
      arg.value = digits(word.substr(2), 16);
    } else if (word[0] == '0' && (kind == 'b' || kind == 'B')) {
      arg.value = digits(word.substr(2), 2);
    } else if (word.find('.') != std::string_view::npos || word.find('e') != std::string_view::npos) {
      arg.kind = Arg::Kind::real;
      arg.value = std::bit_cast<std::int64_t>(std::stod(std::string(word)));
    } else {
      arg.value = digits(word, word[0] == '0' && word.size() > 1 ? 8 : 10);
    }
    return arg;
  }

  std::int64_t integer() {
    const bool minus = accept("-");
    const std::optional<Arg> arg = number(next());
    if (!arg || arg->kind != Arg::Kind::integer) throw ParseError(line(), "expected an integer");
    return minus ? -arg->value : arg->value;
  }

  Arg read_arg() {
    Arg arg;
    if (accept("{") || accept("(")) {
      arg.kind = Arg::Kind::list;
      while (!accept("}") && !accept(")")) {
        arg.items.push_back(read_arg());
        accept(",");
      }
      return arg;
    }
    if (accept("[")) {
      arg = read_arg();
      if (arg.kind == Arg::Kind::integer) arg.name = {};
      arg.kind = Arg::Kind::address;
      while (accept(",")) arg.items.push_back(read_arg());  // [desc, {x, y}]: whoever knows such a thing looks at items
      expect("]");
      return arg;
    }
    if (accept("!")) {
      arg = read_arg();
      arg.negated = true;
      return arg;
    }
    if (accept("-")) {
      const std::optional<Arg> value = number(next());
      if (!value) throw ParseError(line(), "expected a number behind '-'");
      arg = *value;
      if (arg.kind == Arg::Kind::integer) arg.value = -arg.value;
      if (arg.kind == Arg::Kind::single) arg.value ^= 0x80000000;
      if (arg.kind == Arg::Kind::real) arg.value ^= INT64_MIN;
      return arg;
    }
    const std::string_view word = next();
    if (const std::optional<Arg> value = number(word)) return *value;
    if (word == "_") return arg;
    if (!word_character(word[0])) throw ParseError(line(), "'" + std::string(word) + "' is no operand");
    arg.kind = Arg::Kind::name;
    arg.name = word;
    if (word == "generic" && accept("(")) {  // in initial values
      arg = read_arg();
      expect(")");
    }
    if (accept("|")) arg.other = next();
    if (accept("+"))
      arg.value = integer();
    else if (is("-"))
      arg.value = integer();
    return arg;
  }

  // .align 4 .b8 name[16] = {...}; what stands before the space has been read.
  Variable read_variable(Space space) {
    Variable variable;
    variable.space = space;
    variable.line = line();
    std::size_t vector = 1;
    bool typed = false;
    while (peek().starts_with(".")) {
      const std::string_view word = next();
      if (word == ".align") {
        variable.align = static_cast<std::size_t>(integer());
      } else if (word == ".v2" || word == ".v4") {
        vector = word == ".v2" ? 2 : 4;
      } else if (word == ".ptr") {
        while (peek() == ".global" || peek() == ".shared" || peek() == ".const" || peek() == ".local") next();
      } else if (type_bytes(word) > 0) {
        variable.element_bytes = type_bytes(word) * vector;
        typed = true;
      } else if (word == ".texref" || word == ".samplerref" || word == ".surfref") {
        throw ParseError(line(), "textures are not known: " + std::string(word));
      } else if (word != ".attribute" && word != ".managed") {
        throw ParseError(line(), "unknown word in a declaration: " + std::string(word));
      }
    }
    if (!typed) throw ParseError(line(), "a declaration without a type");
    variable.name = next();
    if (variable.align < variable.element_bytes && vector == 1)
      variable.align = std::max(variable.align, variable.element_bytes);
    std::size_t count = 1;
    bool open_ended = false;
    while (accept("[")) {
      if (is("]"))
        open_ended = true;
      else
        count *= static_cast<std::size_t>(integer());
      expect("]");
    }
    variable.bytes = open_ended ? 0 : count * variable.element_bytes;
    if (accept("=")) {
      read_initial(variable);
      if (open_ended) variable.bytes = variable.initial.size();
    }
    return variable;
  }

  void read_initial(Variable& variable) {
    if (accept("{")) {
      while (!accept("}")) {
        read_initial(variable);
        accept(",");
      }
      return;
    }
    const Arg arg = read_arg();
    std::uint64_t bits = static_cast<std::uint64_t>(arg.value);
    if (arg.kind == Arg::Kind::name) {
      variable.references.push_back({variable.initial.size(), arg.name, arg.value});
      bits = 0;
    } else if (arg.kind == Arg::Kind::real && variable.element_bytes == 4) {
      bits = std::bit_cast<std::uint32_t>(static_cast<float>(std::bit_cast<double>(arg.value)));
    }
    for (std::size_t i = 0; i < variable.element_bytes; ++i)
      variable.initial.push_back(static_cast<std::uint8_t>(i < 8 ? bits >> (8 * i) : 0));
  }

  void read_top() {
    const std::string_view word = next();
    if (word == ".version" || word == ".target" || word == ".address_size" || word == ".pragma" || word == ".alias") {
      skip_line();
    } else if (word == ".file") {
      const std::string_view number = next(), name = next();
      if (name.size() >= 2) text_.files[number] = name.substr(1, name.size() - 2);
      skip_line();
    } else if (word == ".section") {
      while (!is("{")) next();
      skip_braces();
    } else if (word == ".visible" || word == ".weak" || word == ".common") {
      // linkage means nothing to a module alone
    } else if (word == ".extern") {
      external_ = true;
    } else if (word == ".entry" || word == ".func") {
      read_routine(word == ".entry");
      external_ = false;
    } else if (const auto space = kSpaces.find(word); space != kSpaces.end()) {
      Variable variable = read_variable(space->second);
      variable.is_extern = external_;
      external_ = false;
      expect(";");
      text_.variables.push_back(std::move(variable));
    } else if (word != ";") {
      throw ParseError(tokens_[at_ - 1].line, "unknown directive '" + std::string(word) + "'");
    }
  }

  void skip_braces() {
    expect("{");
    for (int depth = 1; depth > 0;) {
      const std::string_view word = next();
      depth += word == "{" ? 1 : word == "}" ? -1 : 0;
    }
  }

  std::vector<Variable> read_parameters() {
    std::vector<Variable> list;
    if (!accept("(")) return list;
    while (!accept(")")) {
      if (accept(".reg")) throw ParseError(line(), "parameters in registers are not known");
      expect(".param");
      list.push_back(read_variable(Space::parameter));
      accept(",");
    }
    return list;
  }

  void read_routine(bool kernel) {
    Routine routine;
    routine.kernel = kernel;
    routine.line = line();
    if (!kernel) routine.results = read_parameters();
    routine.name = next();
    routine.parameters = read_parameters();
    while (!is("{") && !is(";")) {
      const std::string_view word = next();
      if (word == ".maxntid" || word == ".reqntid") {
        std::int64_t threads = integer();
        while (accept(",")) threads *= integer();
        routine.max_threads = static_cast<unsigned>(threads);
      } else if (word == ".noreturn" || word == ".blocksareclusters") {
      } else if (word.starts_with(".")) {  // .minnctapersm 1, .pragma "...", ...
        while (!peek().starts_with(".") && !is("{") && !is(";")) next();
      } else {
        throw ParseError(line(),
                         "unknown word '" + std::string(word) + "' in the head of " + std::string(routine.name));
      }
    }
    if (accept(";")) {
      text_.routines.push_back(std::move(routine));
      return;
    }
    routine.defined = true;
    source_line_ = 0;
    expect("{");
    int depth = 1;
    while (depth > 0) {
      if (is("{")) ++depth;
      if (is("}") && --depth == 0) break;
      read_statement(routine);
    }
    expect("}");
    text_.routines.push_back(std::move(routine));
  }

  void read_statement(Routine& routine) {
    Statement statement;
    statement.line = line();
    statement.source_line = source_line_;
    statement.source_file = source_file_;
    const std::size_t first = at_;
    const std::string_view word = next();
    if (word == "{" || word == "}") {
      statement.kind = word == "{" ? Statement::Kind::open : Statement::Kind::close;
    } else if (word == ";") {
      return;
    } else if (word == ".loc") {
      source_file_ = next();
      source_line_ = static_cast<int>(integer());
      skip_line();
      return;
    } else if (word == ".pragma") {
      while (!accept(";")) next();
      return;
    } else if (word == ".reg") {
      read_registers(routine, statement);
      return;
    } else if (kSpaces.contains(word)) {
      statement.kind = Statement::Kind::variable;
      statement.variable = static_cast<int>(routine.variables.size());
      routine.variables.push_back(read_variable(kSpaces.at(word)));
      expect(";");
    } else if (is(":")) {
      next();
      statement.kind = Statement::Kind::label;
      statement.name = word;
      if (peek() == ".branchtargets") {
        next();
        statement.kind = Statement::Kind::targets;
        while (!accept(";")) {
          statement.args.push_back(read_arg());
          accept(",");
        }
      } else if (peek().starts_with(".call")) {
        throw ParseError(line(), "calls through pointers are not known: " + std::string(peek()));
      }
    } else {
      --at_;
      read_instruction(statement);
    }
    const char* begin = tokens_[first].text.data();
    const std::string_view last = tokens_[at_ - 1].text;
    statement.text = std::string_view(begin, static_cast<std::size_t>(last.data() + last.size() - begin));
    routine.body.push_back(std::move(statement));
  }

  void read_registers(Routine& routine, Statement statement) {
    statement.kind = Statement::Kind::registers;
    statement.type = next();
    if (type_bytes(statement.type) == 0)
      throw ParseError(statement.line, "registers of type " + std::string(statement.type) + " are not known");
    do {
      statement.name = next();
      statement.count = 0;
      if (accept("<")) {
        statement.count = static_cast<int>(integer());
        expect(">");
      }
      routine.body.push_back(statement);
    } while (accept(","));
    expect(";");
  }

  void read_instruction(Statement& statement) {
    if (accept("@")) {
      statement.guard_negated = accept("!");
      statement.guard = next();
    }
    std::string_view opcode = next();
    if (!word_character(opcode[0]) || opcode[0] == '.' || opcode[0] == '%')
      throw ParseError(statement.line, "'" + std::string(opcode) + "' is no instruction");
    std::size_t dot = opcode.find('.');
    statement.name = opcode.substr(0, dot);
    while (dot != std::string_view::npos) {
      opcode.remove_prefix(dot + 1);
      dot = opcode.find('.');
      statement.modifiers.push_back(opcode.substr(0, dot));
    }
    while (!accept(";")) {
      statement.args.push_back(read_arg());
      if (!accept(",") && !is(";")) throw ParseError(line(), "expected ';', found '" + std::string(peek()) + "'");
    }
  }

  Text& text_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  int source_line_ = 0;
  std::string_view source_file_;  // its number; the names stand at the end of the text
  bool external_ = false;
};

}  // namespace

std::size_t type_bytes(std::string_view type) {
  static const std::map<std::string_view, std::size_t> kBytes = {
      {"pred", 1},  {"b8", 1},     {"u8", 1},  {"s8", 1},  {"b16", 2}, {"u16", 2}, {"s16", 2},
      {"f16", 2},   {"bf16", 2},   {"b32", 4}, {"u32", 4}, {"s32", 4}, {"f32", 4}, {"tf32", 4},
      {"f16x2", 4}, {"bf16x2", 4}, {"b64", 8}, {"u64", 8}, {"s64", 8}, {"f64", 8}, {"f32x2", 8}};
  if (type.starts_with(".")) type.remove_prefix(1);
  const auto found = kBytes.find(type);
  return found == kBytes.end() ? 0 : found->second;
}

Text read_text(std::string_view ptx) {
  Text text;
  while (!ptx.empty() && ptx.back() == '\0') ptx.remove_suffix(1);  // NVRTC counts it
  text.source = std::string(ptx);
  Reader(text).read_all();
  return text;
}

}  // namespace portico::standin::ptx
