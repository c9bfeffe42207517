// Calls of a plugin written down by the core, for backends that cannot capture: arguments are prepared once, and a
// replay is a loop over the plugin's own slots.
#pragma once

#include <cstdint>
#include <vector>

#include "portico/backend_abi.h"

namespace portico::detail {

class CallList {
 public:
  void launch(portico_kernel* kernel, const portico_launch& call);
  void copy(portico_buffer* to, std::size_t to_offset, portico_buffer* from, std::size_t from_offset,
            std::size_t bytes);
  void fill(portico_buffer* to, std::size_t offset, std::uint32_t pattern, std::size_t bytes);

  /// Queues everything; the first failing call's status.
  portico_status run(const portico_backend& api, portico_stream* stream) const;

 private:
  struct Launch {
    portico_kernel* kernel;
    portico_launch call;
    std::size_t first_arg;  ///< the arguments lie together and may move while the list grows
  };
  struct Copy {
    portico_buffer *to, *from;
    std::size_t to_offset, from_offset, bytes;
  };
  struct Fill {
    portico_buffer* to;
    std::size_t offset, bytes;
    std::uint32_t pattern;
  };
  enum class Kind : std::uint8_t { launch, copy, fill };
  struct Entry {
    Kind kind;
    std::uint32_t index;  ///< in the list of its kind
  };

  std::vector<Entry> order_;
  std::vector<Launch> launches_;
  std::vector<portico_arg> args_;
  std::vector<Copy> copies_;
  std::vector<Fill> fills_;
};

}  // namespace portico::detail
