// Buffers, transfers and pinned memory.
//
// A CPU that offers fine-grain shared virtual memory sees the host's memory as its own: a buffer then is such a block
// with a cl_mem around it, and the host reads and writes it in place once the stream is idle. Everything else goes
// through the queue.
#include <sys/mman.h>
#include <unistd.h>

#include <bit>
#include <cstring>

#include "backends/opencl/objects.hpp"

namespace portico::opencl {
namespace {

// Frees shared memory when the last command that uses its cl_mem is done, not when the owner lets go of it.
struct SharedBlock {
  cl_context context;
  void* memory;
};

void CL_CALLBACK free_shared_block(cl_mem, void* data) {
  const std::unique_ptr<SharedBlock> block(static_cast<SharedBlock*>(data));
  cl.SVMFree(block->context, block->memory);
}

std::string describe_request(const portico_device& device, std::size_t bytes) {
  return "a buffer of " + std::to_string(bytes) + " bytes on " + device.name + ", which allows " +
         std::to_string(device.max_buffer_bytes) + " at once";
}

// Large blocks in large pages: fewer misses where a kernel walks down columns, and half the time at first touch.
void ask_for_large_pages(void* memory, std::size_t bytes) {
  constexpr std::size_t kWorthwhile = std::size_t{4} << 20;
  if (bytes < kWorthwhile) return;
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  const std::size_t before_page = (page - reinterpret_cast<std::uintptr_t>(memory) % page) % page;
  const std::size_t whole_pages = (bytes - before_page) / page * page;
  // Only advice: no harm where it is not taken.
  madvise(static_cast<std::byte*>(memory) + before_page, whole_pages, MADV_HUGEPAGE);
}

void create_shared(portico_device& device, std::size_t bytes, portico_buffer& out) {
  cl_context context = device.context.get();
  void* memory = cl.SVMAlloc(context, CL_MEM_READ_WRITE | CL_MEM_SVM_FINE_GRAIN_BUFFER, bytes, 0);
  if (!memory) throw Failure{PORTICO_OUT_OF_MEMORY, "clSVMAlloc: " + describe_request(device, bytes)};
  ask_for_large_pages(memory, bytes);
  auto block = std::make_unique<SharedBlock>(SharedBlock{context, memory});
  cl_int code = CL_SUCCESS;
  out.memory.reset(cl.CreateBuffer(context, CL_MEM_READ_WRITE | CL_MEM_USE_HOST_PTR, bytes, memory, &code));
  if (code == CL_SUCCESS) code = cl.SetMemObjectDestructorCallback(out.memory.get(), free_shared_block, block.get());
  if (code != CL_SUCCESS) {
    out.memory.reset();
    cl.SVMFree(context, memory);
    fail(code, "clCreateBuffer: " + describe_request(device, bytes), Phase::allocate);
  }
  static_cast<void>(block.release());  // free_shared_block's from now on
  out.host = static_cast<std::byte*>(memory);
}

void create_plain(portico_device& device, std::size_t bytes, portico_buffer& out) {
  cl_int code = CL_SUCCESS;
  out.memory.reset(cl.CreateBuffer(device.context.get(), CL_MEM_READ_WRITE, bytes, nullptr, &code));
  if (code == CL_SUCCESS && !device.is_cpu) {
    // Many drivers make the memory at first use. Make it now, where the core can still empty its pool and try again.
    cl_mem memory = out.memory.get();
    code = cl.EnqueueMigrateMemObjects(device.service.get(), 1, &memory, CL_MIGRATE_MEM_OBJECT_CONTENT_UNDEFINED, 0,
                                       nullptr, nullptr);
    if (code == CL_SUCCESS) code = cl.Finish(device.service.get());
  }
  if (code != CL_SUCCESS) fail(code, "clCreateBuffer: " + describe_request(device, bytes), Phase::allocate);
}

// A few bytes as the pattern of a fill, which the driver copies at once: no staging memory, no event.
bool fits_pattern(std::size_t offset, std::size_t bytes) {
  constexpr std::size_t kLargestPattern = 128;
  return bytes <= kLargestPattern && std::has_single_bit(bytes) && offset % bytes == 0;
}

void enqueue_fill(portico_stream& stream, cl_mem memory, const void* pattern, std::size_t pattern_bytes,
                  std::size_t offset, std::size_t bytes) {
  check(cl.EnqueueFillBuffer(stream.commands(), memory, pattern, pattern_bytes, offset, bytes, 0, nullptr, nullptr),
        "clEnqueueFillBuffer");
  stream.note_queued();
}

}  // namespace

portico_status buffer_create(portico_device* device, size_t bytes, portico_buffer** out) {
  return guarded([&] {
    auto buffer = std::make_unique<portico_buffer>();
    bytes = std::max<std::size_t>(bytes, 1);  // OpenCL has no empty buffers
    if (device->shares_memory)
      create_shared(*device, bytes, *buffer);
    else
      create_plain(*device, bytes, *buffer);
    *out = buffer.release();
  });
}

void buffer_destroy(portico_buffer* buffer) { delete buffer; }

portico_status write(portico_stream* stream, portico_buffer* dst, size_t offset, const void* src, size_t bytes) {
  return guarded([&] {
    if (bytes == 0) return;
    cl_mem memory = dst->memory.get();
    if (dst->host && stream->idle()) {
      std::memcpy(dst->host + offset, src, bytes);
    } else if (fits_pattern(offset, bytes)) {
      enqueue_fill(*stream, memory, src, bytes, offset, bytes);
    } else if (bytes <= Staging::kBlockBytes) {
      stream->staging.write(*stream, memory, offset, src, bytes);
    } else if (dst->host) {
      stream->finish();
      std::memcpy(dst->host + offset, src, bytes);
    } else {
      check(cl.EnqueueWriteBuffer(stream->commands(), memory, CL_TRUE, offset, bytes, src, 0, nullptr, nullptr),
            "clEnqueueWriteBuffer", Phase::synchronize);
    }
  });
}

portico_status read(portico_stream* stream, const portico_buffer* src, size_t offset, void* dst, size_t bytes) {
  return guarded([&] {
    if (bytes == 0) return;
    if (src->host) {
      if (!stream->idle()) stream->finish();
      std::memcpy(dst, src->host + offset, bytes);
    } else {
      check(
          cl.EnqueueReadBuffer(stream->commands(), src->memory.get(), CL_TRUE, offset, bytes, dst, 0, nullptr, nullptr),
          "clEnqueueReadBuffer", Phase::synchronize);
    }
  });
}

portico_status copy(portico_stream* stream, portico_buffer* dst, size_t dst_offset, const portico_buffer* src,
                    size_t src_offset, size_t bytes) {
  return guarded([&] {
    if (bytes == 0) return;
    if (stream->recording) {
      Command command;
      command.kind = Command::Kind::copy;
      command.from = src->memory.get();
      command.to = dst->memory.get();
      command.from_offset = src_offset;
      command.to_offset = dst_offset;
      command.bytes = bytes;
      stream->recording->commands.push_back(std::move(command));
      return;
    }
    check(cl.EnqueueCopyBuffer(stream->commands(), src->memory.get(), dst->memory.get(), src_offset, dst_offset, bytes,
                               0, nullptr, nullptr),
          "clEnqueueCopyBuffer");
    stream->note_queued();
  });
}

portico_status fill(portico_stream* stream, portico_buffer* dst, size_t offset, uint32_t pattern, size_t bytes) {
  return guarded([&] {
    if (bytes == 0) return;
    if (stream->recording) {
      Command command;
      command.kind = Command::Kind::fill;
      command.to = dst->memory.get();
      command.to_offset = offset;
      command.bytes = bytes;
      command.pattern = pattern;
      stream->recording->commands.push_back(std::move(command));
      return;
    }
    enqueue_fill(*stream, dst->memory.get(), &pattern, sizeof pattern, offset, bytes);
  });
}

void* create_host_memory(portico_device& device, std::size_t bytes) {
  bytes = std::max<std::size_t>(bytes, 1);
  if (device.is_cpu) {  // there is no bus to cross: ordinary memory is as good
    constexpr std::size_t kAlignment = 64;
    return ::operator new (bytes, std::align_val_t{kAlignment});
  }
  cl_int code = CL_SUCCESS;
  Memory memory(
      cl.CreateBuffer(device.context.get(), CL_MEM_READ_WRITE | CL_MEM_ALLOC_HOST_PTR, bytes, nullptr, &code));
  check(code, "clCreateBuffer for pinned memory", Phase::allocate);
  void* address = cl.EnqueueMapBuffer(device.service.get(), memory.get(), CL_TRUE, CL_MAP_READ | CL_MAP_WRITE, 0, bytes,
                                      0, nullptr, nullptr, &code);
  check(code, "clEnqueueMapBuffer", Phase::allocate);
  const std::lock_guard lock(device.host_memory_mutex);
  device.host_memory.emplace(address, std::move(memory));
  return address;
}

void destroy_host_memory(portico_device& device, void* memory) {
  if (device.is_cpu) return ::operator delete (memory, std::align_val_t{64});
  const std::lock_guard lock(device.host_memory_mutex);
  const auto found = device.host_memory.find(memory);
  if (found == device.host_memory.end()) return;
  cl.EnqueueUnmapMemObject(device.service.get(), found->second.get(), memory, 0, nullptr, nullptr);
  cl.Flush(device.service.get());
  device.host_memory.erase(found);  // the queued unmapping keeps it alive
}

portico_status host_create(portico_device* device, size_t bytes, void** out) {
  return guarded([&] { *out = create_host_memory(*device, bytes); });
}

void host_destroy(portico_device* device, void* memory) {
  if (memory) destroy_host_memory(*device, memory);
}

}  // namespace portico::opencl
