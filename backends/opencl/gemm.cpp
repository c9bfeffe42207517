// The gemm slot through CLBlast's C interface, opened at run time.
//
// CLBlast's kernels are tuned for GPUs; on a CPU its rate is a thirtieth of what the portable kernel reaches, so there
// it is offered only when PORTICO_CLBLAST_ON_CPU=1 asks for it, for tests and comparisons.
#include <cstdlib>
#include <string_view>

#include "backends/common/library.hpp"
#include "backends/opencl/objects.hpp"

// Last: it includes OpenCL's headers without choosing a version.
#include <clblast_c.h>

namespace portico::opencl {
namespace {

struct ClBlast {
  decltype(&::CLBlastSgemm) sgemm = nullptr;
  decltype(&::CLBlastSgemmStridedBatched) sgemm_batched = nullptr;
  bool usable = false;
};

ClBlast open_clblast() {
  ClBlast made;
  plugin::Library library("PORTICO_CLBLAST", {"libclblast.so.1"});
  const bool complete = library && library.bind(made.sgemm, "CLBlastSgemm") &&
                        library.bind(made.sgemm_batched, "CLBlastSgemmStridedBatched");
  if (!complete) {
    plugin::log(PORTICO_LOG_INFO, "opencl: own gemm, as CLBlast is not there: " + library.tried());
    return made;
  }
  // CLBlast brings the loader that it was linked with. Handles of another loader mean nothing to it.
  using GetPlatformIDs = std::remove_pointer_t<decltype(cl.GetPlatformIDs)>;
  made.usable = library.find<GetPlatformIDs>("clGetPlatformIDs") == cl.GetPlatformIDs;
  if (!made.usable) plugin::log(PORTICO_LOG_INFO, "opencl: own gemm, as CLBlast uses another OpenCL loader");
  return made;
}

const ClBlast& clblast() {
  static const ClBlast library = open_clblast();
  return library;
}

CLBlastTranspose transpose(int32_t flag) { return flag ? CLBlastTransposeYes : CLBlastTransposeNo; }

[[noreturn]] void decline(const char* what) {
  throw Failure{PORTICO_UNSUPPORTED, std::string("gemm: CLBlast does not do ") + what};
}

}  // namespace

bool gemm_available(cl_device_type type) {
  if (type & CL_DEVICE_TYPE_CPU) {
    const char* asked = std::getenv("PORTICO_CLBLAST_ON_CPU");
    if (!asked || std::string_view(asked) != "1") return false;
  }
  return clblast().usable;
}

portico_status gemm(portico_stream* stream, const portico_gemm* call) {
  return guarded([&] {
    if (!stream->device->has_gemm) decline("this device");
    if (stream->recording) decline("recording: it queues its kernels itself");
    if (call->dtype != PORTICO_F32) decline("half types with f32 accumulation");
    const bool plain = !call->bias.value.buffer && !call->aux.value.buffer && call->activation == PORTICO_ACT_NONE &&
                       call->epilogue == PORTICO_EPILOGUE_FORWARD;
    if (!plain) decline("epilogues");  // nor does it round factors: every precision is strict here

    const CLBlastTranspose trans_a = transpose(call->trans_a), trans_b = transpose(call->trans_b);
    cl_mem a = call->a.value.buffer->memory.get();
    cl_mem b = call->b.value.buffer->memory.get();
    cl_mem c = call->c.value.buffer->memory.get();
    cl_command_queue queue = stream->commands();
    const CLBlastStatusCode code =
        call->batch == 1 ? clblast().sgemm(CLBlastLayoutRowMajor, trans_a, trans_b, call->m, call->n, call->k,
                                           call->alpha, a, call->a.offset, call->lda, b, call->b.offset, call->ldb,
                                           call->beta, c, call->c.offset, call->ldc, &queue, nullptr)
                         : clblast().sgemm_batched(
                               CLBlastLayoutRowMajor, trans_a, trans_b, call->m, call->n, call->k, call->alpha, a,
                               call->a.offset, call->lda, call->stride_a, b, call->b.offset, call->ldb, call->stride_b,
                               call->beta, c, call->c.offset, call->ldc, call->stride_c, call->batch, &queue, nullptr);
    if (code == CLBlastSuccess) return stream->note_queued();
    // Codes above -1024 are OpenCL's own; the others say that CLBlast cannot do this case.
    if (code > -1024) fail(code, "CLBlastSgemm", Phase::enqueue);
    throw Failure{PORTICO_UNSUPPORTED, "gemm: CLBlast declines with code " + std::to_string(code)};
  });
}

}  // namespace portico::opencl
