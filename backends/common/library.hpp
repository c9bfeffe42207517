// A vendor's library, opened at run time: the same package then works where the library is and where it is not.
#pragma once

#include <dlfcn.h>

#include <cstdlib>
#include <initializer_list>
#include <string>
#include <type_traits>

namespace portico::plugin {

/// The first of several file names that opens. Never closed: drivers keep threads and exit handlers of their own.
class Library {
 public:
  Library() = default;

  /// Tries `names` in order. When the environment variable `variable` is set, its value is the only name tried: who
  /// points at a library wants that one, or the reason why not. `variable` may be null.
  Library(const char* variable, std::initializer_list<const char*> names) {
    const char* wanted = variable ? std::getenv(variable) : nullptr;
    if (!wanted) {
      for (const char* name : names)
        if (try_open(name, {})) return;
    } else if (*wanted == '\0') {  // dlopen("") would hand back the program itself
      note(std::string(variable) + " is set but empty");
    } else {
      try_open(wanted, std::string(variable) + "=");
    }
  }

  explicit operator bool() const { return handle_ != nullptr; }

  /// The name that opened; empty when none did.
  const std::string& name() const { return name_; }

  /// What was tried in vain and why: libraries that did not open, then functions that `bind` did not find, separated by
  /// "; ". An error message ends with it. Empty when all went well at the first name.
  const std::string& tried() const { return tried_; }

  /// The address of `symbol` as a pointer to `Function`, or null.
  template <typename Function>
  Function* find(const char* symbol) const {
    static_assert(std::is_function_v<Function>);
    return handle_ ? reinterpret_cast<Function*>(dlsym(handle_, symbol)) : nullptr;
  }

  /// Points `slot` at `symbol`. False, with the lack noted in `tried()`, when an open library does not have it.
  template <typename Function>
  bool bind(Function*& slot, const char* symbol) {
    slot = find<Function>(symbol);
    if (!slot && handle_) note(name_ + ": has no function " + symbol);
    return slot != nullptr;
  }

 private:
  bool try_open(const char* name, const std::string& origin) {
    handle_ = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (handle_) {
      name_ = name;
      return true;
    }
    const char* reason = dlerror();  // already begins with the file's name in most cases
    std::string text = reason ? reason : "cannot be opened";
    if (text.rfind(name, 0) != 0) text = std::string(name) + ": " + text;
    note(origin + text);
    return false;
  }

  void note(const std::string& text) { tried_ += (tried_.empty() ? "" : "; ") + text; }

  void* handle_ = nullptr;
  std::string name_;
  std::string tried_;
};

}  // namespace portico::plugin
