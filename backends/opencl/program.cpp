// Programs and their binaries, kernels and what they declare.
#include <algorithm>
#include <cstring>
#include <span>

#include "backends/opencl/objects.hpp"

namespace portico::opencl {
namespace {

std::string build_log(const portico_program& built) {
  std::size_t size = 0;
  cl.GetProgramBuildInfo(built.program.get(), built.device->id, CL_PROGRAM_BUILD_LOG, 0, nullptr, &size);
  std::string log(size, '\0');
  cl.GetProgramBuildInfo(built.program.get(), built.device->id, CL_PROGRAM_BUILD_LOG, size, log.data(), nullptr);
  while (!log.empty() && (log.back() == '\0' || log.back() == '\n')) log.pop_back();
  return log;
}

void build(const portico_program& made) {
  const cl_int code =
      cl.BuildProgram(made.program.get(), 1, &made.device->id, made.device->options.c_str(), nullptr, nullptr);
  std::string log = build_log(made);
  if (code != CL_SUCCESS) {
    const bool is_text_at_fault = code != CL_OUT_OF_HOST_MEMORY && code != CL_OUT_OF_RESOURCES &&
                                  code != CL_MEM_OBJECT_ALLOCATION_FAILURE && code != CL_DEVICE_NOT_AVAILABLE;
    if (log.empty() && !is_text_at_fault) fail(code, "clBuildProgram", Phase::allocate);
    if (log.empty()) log = "clBuildProgram: " + error_name(code) + ", and the compiler left no log";
    throw Failure{PORTICO_COMPILE_FAILED, std::move(log)};
  }
  if (!log.empty()) plugin::log(PORTICO_LOG_DEBUG, "opencl compiler: " + log);
}

std::unique_ptr<portico_program> adopt(portico_device* device, cl_program program) {
  auto made = std::make_unique<portico_program>();
  made->device = device;
  made->program.reset(program);
  return made;
}

// Goes in front of the driver's bytes: PoCL ends the process over a binary that is cut short, so that nothing reaches a
// driver but what it once gave out.
struct BinaryHeader {
  char magic[8];
  std::uint64_t size;
  std::uint64_t digest;  // FNV-1a over eight bytes at a time
};
constexpr char kBinaryMagic[9] = "PORTCL01";

BinaryHeader header_of(const unsigned char* bytes, std::size_t size) {
  BinaryHeader header{{}, size, 0xcbf29ce484222325u};
  std::memcpy(header.magic, kBinaryMagic, sizeof header.magic);
  for (std::size_t at = 0; at < size; at += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes + at, std::min(sizeof word, size - at));
    header.digest = (header.digest ^ word) * 0x100000001b3u;
  }
  return header;
}

// The driver's part of a binary; throws when it is not as it was made.
std::span<const unsigned char> driver_part(portico_bytes binary) {
  const auto* bytes = static_cast<const unsigned char*>(binary.data);
  BinaryHeader header{};
  bool whole = binary.size > sizeof header;
  if (whole) {
    std::memcpy(&header, bytes, sizeof header);
    const BinaryHeader expected = header_of(bytes + sizeof header, binary.size - sizeof header);
    whole = std::memcmp(&header, &expected, sizeof header) == 0;
  }
  if (!whole)
    throw Failure{PORTICO_COMPILE_FAILED,
                  "program binary of " + std::to_string(binary.size) + " bytes is not as this plugin made it"};
  return {bytes + sizeof header, binary.size - sizeof header};
}

// PoCL ends the process at the first launch of a kernel that asks for more than there is: find out before.
void check_local_memory(const portico_kernel& made) {
  cl_ulong needed = 0;
  check(cl.GetKernelWorkGroupInfo(made.kernel.get(), made.device->id, CL_KERNEL_LOCAL_MEM_SIZE, sizeof needed, &needed,
                                  nullptr),
        "clGetKernelWorkGroupInfo");
  if (needed > made.device->local_bytes)
    throw Failure{PORTICO_COMPILE_FAILED, "kernel " + made.name + " needs " + std::to_string(needed) +
                                              " bytes of local memory, " + made.device->name + " has " +
                                              std::to_string(made.device->local_bytes)};
}

}  // namespace

portico_status program_compile(portico_device* device, portico_bytes source, portico_program** out) {
  return guarded([&] {
    const char* text = static_cast<const char*>(source.data);
    cl_int code = CL_SUCCESS;
    auto made = adopt(device, cl.CreateProgramWithSource(device->context.get(), 1, &text, &source.size, &code));
    check(code, "clCreateProgramWithSource", Phase::allocate);
    build(*made);
    *out = made.release();
  });
}

// Whatever is wrong with a binary, the core compiles the text again: one status for all.
portico_status program_load(portico_device* device, portico_bytes binary, portico_program** out) {
  return guarded([&] {
    const auto part = driver_part(binary);
    const unsigned char* bytes = part.data();
    const std::size_t size = part.size();
    cl_int code = CL_SUCCESS, state = CL_SUCCESS;
    auto made =
        adopt(device, cl.CreateProgramWithBinary(device->context.get(), 1, &device->id, &size, &bytes, &state, &code));
    if (code == CL_SUCCESS) code = state;
    if (code != CL_SUCCESS)
      throw Failure{PORTICO_COMPILE_FAILED,
                    "clCreateProgramWithBinary: " + error_name(code) + " for " + std::to_string(size) + " bytes"};
    build(*made);
    *out = made.release();
  });
}

portico_status program_binary(portico_program* program, size_t* size, void* out) {
  return guarded([&] {
    std::size_t bytes = 0;
    check(cl.GetProgramInfo(program->program.get(), CL_PROGRAM_BINARY_SIZES, sizeof bytes, &bytes, nullptr),
          "clGetProgramInfo(CL_PROGRAM_BINARY_SIZES)");
    if (bytes == 0) throw Failure{PORTICO_UNSUPPORTED, program->device->name + " gives no program binaries"};
    const std::size_t total = sizeof(BinaryHeader) + bytes;
    if (out) {
      if (*size < total)  // PoCL's grows with every kernel that is launched for the first time
        throw Failure{PORTICO_INTERNAL, "program_binary: the binary has " + std::to_string(total) +
                                            " bytes, there is room for " + std::to_string(*size)};
      unsigned char* to = static_cast<unsigned char*>(out) + sizeof(BinaryHeader);
      check(cl.GetProgramInfo(program->program.get(), CL_PROGRAM_BINARIES, sizeof to, &to, nullptr),
            "clGetProgramInfo(CL_PROGRAM_BINARIES)");
      const BinaryHeader header = header_of(to, bytes);
      std::memcpy(out, &header, sizeof header);
    }
    *size = total;
  });
}

void program_destroy(portico_program* program) { delete program; }

portico_status kernel_create(portico_program* program, const char* name, portico_kernel** out) {
  return guarded([&] {
    auto made = std::make_unique<portico_kernel>();
    cl_int code = CL_SUCCESS;
    made->device = program->device;
    made->name = name;
    made->kernel.reset(cl.CreateKernel(program->program.get(), name, &code));
    if (code == CL_INVALID_KERNEL_NAME)
      throw Failure{PORTICO_COMPILE_FAILED, "the program has no kernel " + made->name};
    if (code != CL_SUCCESS) fail(code, "kernel " + made->name + ": clCreateKernel", Phase::allocate);
    check_local_memory(*made);
    *out = made.release();
  });
}

void kernel_destroy(portico_kernel* kernel) { delete kernel; }

portico_status kernel_arg_count(portico_kernel* kernel, uint32_t* out) {
  return guarded([&] {
    cl_uint slots = 0;
    check(cl.GetKernelInfo(kernel->kernel.get(), CL_KERNEL_NUM_ARGS, sizeof slots, &slots, nullptr),
          "clGetKernelInfo(CL_KERNEL_NUM_ARGS)");
    cl_uint buffers = 0;  // each is a pointer and an offset here, and one argument to the core
    for (cl_uint slot = 0; slot < slots; ++slot) {
      cl_kernel_arg_address_qualifier space = CL_KERNEL_ARG_ADDRESS_PRIVATE;
      if (cl.GetKernelArgInfo(kernel->kernel.get(), slot, CL_KERNEL_ARG_ADDRESS_QUALIFIER, sizeof space, &space,
                              nullptr) != CL_SUCCESS) {
        *out = UINT32_MAX;  // a binary need not carry the table
        return;
      }
      buffers += space == CL_KERNEL_ARG_ADDRESS_GLOBAL;
    }
    *out = buffers * 2 > slots ? UINT32_MAX : slots - buffers;
  });
}

}  // namespace portico::opencl
