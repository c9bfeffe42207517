#include "runtime/call_list.hpp"

namespace portico::detail {

void CallList::launch(portico_kernel* kernel, const portico_launch& call) {
  order_.push_back({Kind::launch, static_cast<std::uint32_t>(launches_.size())});
  launches_.push_back({kernel, call, args_.size()});
  args_.insert(args_.end(), call.args, call.args + call.arg_count);
}

void CallList::copy(portico_buffer* to, std::size_t to_offset, portico_buffer* from, std::size_t from_offset,
                    std::size_t bytes) {
  order_.push_back({Kind::copy, static_cast<std::uint32_t>(copies_.size())});
  copies_.push_back({to, from, to_offset, from_offset, bytes});
}

void CallList::fill(portico_buffer* to, std::size_t offset, std::uint32_t pattern, std::size_t bytes) {
  order_.push_back({Kind::fill, static_cast<std::uint32_t>(fills_.size())});
  fills_.push_back({to, offset, bytes, pattern});
}

portico_status CallList::run(const portico_backend& api, portico_stream* stream) const {
  for (const Entry& entry : order_) {
    portico_status status = PORTICO_OK;
    if (entry.kind == Kind::launch) {
      const Launch& launch = launches_[entry.index];
      portico_launch call = launch.call;
      call.args = args_.data() + launch.first_arg;
      status = api.launch(stream, launch.kernel, &call);
    } else if (entry.kind == Kind::copy) {
      const Copy& copy = copies_[entry.index];
      status = api.copy(stream, copy.to, copy.to_offset, copy.from, copy.from_offset, copy.bytes);
    } else {
      const Fill& fill = fills_[entry.index];
      status = api.fill(stream, fill.to, fill.offset, fill.pattern, fill.bytes);
    }
    if (status != PORTICO_OK) return status;
  }
  return PORTICO_OK;
}

}  // namespace portico::detail
