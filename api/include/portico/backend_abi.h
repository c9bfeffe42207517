// The contract between the core library and a backend plugin. Valid C11, and the only header that both sides share.
// Nothing C++ crosses this line: no exceptions, no STL types, no memory freed by the side that did not allocate it.
//
// Versions. The major number is part of the entry symbol's name (portico_backend_v1): a slot removed, a meaning changed
// or a field moved bumps it, and a stale plugin then fails at look-up, before any of its code runs. The minor number
// counts fields appended to the end of a struct: read struct_size before touching a newer field.
//
// Ownership. Whoever creates destroys. Text crosses in fixed arrays or through a callback, never as a pointer to free.
//
// Validation. The core checks what a user can get wrong before it calls; a plugin reports only what the core could not
// foresee: memory, the compiler, a lost device. A failing call returns a status and leaves its message with
// portico_host::set_error on the same thread. Output parameters are untouched on failure.
//
// Threads. Every function may be called from any thread. Work of one stream runs in the order in which it was queued.
// Destroying an object whose work is still queued is allowed: the plugin keeps it alive until the work is done.
#ifndef PORTICO_BACKEND_ABI_H
#define PORTICO_BACKEND_ABI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PORTICO_ABI_MINOR 4
#define PORTICO_BACKEND_ENTRY "portico_backend_v1"

typedef int32_t portico_status;
enum {
  PORTICO_OK = 0,
  PORTICO_OUT_OF_MEMORY = 1,   // the core empties its buffer pool and tries once more
  PORTICO_UNSUPPORTED = 2,     // the core takes the portable path instead
  PORTICO_COMPILE_FAILED = 3,  // the message is the compiler's log
  PORTICO_DEVICE_LOST = 4,
  PORTICO_INTERNAL = 5,
};

enum { PORTICO_LOG_ERROR = 0, PORTICO_LOG_WARNING = 1, PORTICO_LOG_INFO = 2, PORTICO_LOG_DEBUG = 3 };

// Opaque. Each is created and destroyed by the plugin; the core only holds it.
typedef struct portico_device portico_device;
typedef struct portico_stream portico_stream;
typedef struct portico_event portico_event;
typedef struct portico_buffer portico_buffer;
typedef struct portico_program portico_program;
typedef struct portico_kernel portico_kernel;
typedef struct portico_graph portico_graph;

typedef struct portico_bytes {
  const void* data;
  size_t size;
} portico_bytes;

// Services that the core lends to a plugin; valid for the life of the process.
typedef struct portico_host {
  uint32_t struct_size;
  // Copied at once. Read back on the same thread by whoever sees the failing status.
  void (*set_error)(const char* message, size_t size);
  void (*log)(int32_t level, const char* message, size_t size);
  // From minor 1 on. Small findings (which algorithm was fastest) that outlive the process, in the program cache's
  // folder and under its conditions. `key` names all that a finding depends on. recall fills `out` and returns 1 only
  // when exactly `size` bytes were remembered under that key; nothing about either is an error.
  int32_t (*recall)(portico_bytes key, void* out, size_t size);
  void (*remember)(portico_bytes key, portico_bytes value);
} portico_host;

// What a device can do beyond the required slots.
enum {
  PORTICO_FEATURE_CPU = 1u << 0,             // the device is a CPU: kernels take their CPU shape
  PORTICO_FEATURE_UNIFIED_MEMORY = 1u << 1,  // shares memory with the host
  PORTICO_FEATURE_FP16 = 1u << 2,            // half arithmetic; half storage is always there
  PORTICO_FEATURE_FP64 = 1u << 3,
  PORTICO_FEATURE_SUBGROUPS = 1u << 4,  // sub-group shuffles and reductions
  PORTICO_FEATURE_GEMM = 1u << 5,       // the gemm slot has a library behind it on this device
  PORTICO_FEATURE_TIMING = 1u << 6,     // events carry device times
  PORTICO_FEATURE_CONV = 1u << 7,       // the conv slot has a library behind it on this device
};

typedef struct portico_device_info {
  uint32_t struct_size;
  uint32_t features;  // PORTICO_FEATURE_*
  char name[128];
  char arch[64];        // "sm_90", "gfx1100", or the OpenCL device version
  char toolchain[256];  // compiler and driver versions; part of every disk-cache key
  uint64_t memory_bytes;
  uint32_t max_group_size;
  uint32_t local_bytes;    // local (shared) memory that one group may use
  uint32_t subgroup_size;  // 0 when unknown
  uint32_t compute_units;
} portico_device_info;

typedef enum portico_arg_kind { PORTICO_ARG_BUFFER = 0, PORTICO_ARG_SCALAR = 1 } portico_arg_kind;

typedef struct portico_arg {
  int32_t kind;
  uint32_t size;    // bytes of a scalar; bytes of one element of a buffer
  uint64_t offset;  // elements, for a buffer
  union {
    portico_buffer* buffer;
    uint64_t bits;
  } value;
} portico_arg;

typedef struct portico_launch {
  uint32_t struct_size;
  uint32_t groups[3];  // none is zero
  uint32_t local[3];
  uint32_t arg_count;
  const portico_arg* args;
} portico_launch;

typedef enum portico_dtype {
  PORTICO_F32 = 0,
  PORTICO_F16 = 1,
  PORTICO_BF16 = 2,
  PORTICO_I32 = 3,
  PORTICO_U8 = 4
} portico_dtype;

typedef enum portico_activation {
  PORTICO_ACT_NONE = 0,
  PORTICO_ACT_RELU = 1,
  PORTICO_ACT_GELU = 2,      // the exact form
  PORTICO_ACT_GELU_TANH = 3  // 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))
} portico_activation;

// How far the factors of a product of f32 operands may be rounded. A library may always be more exact than asked.
typedef enum portico_precision {
  PORTICO_PRECISION_STRICT = 0,  // not at all
  PORTICO_PRECISION_TF32 = 1,    // to 10 bits of mantissa
  PORTICO_PRECISION_BF16 = 2     // to 7 bits of mantissa
} portico_precision;

// What a gemm does behind its product P = alpha * op(A) op(B) + beta * C.
typedef enum portico_epilogue {
  PORTICO_EPILOGUE_FORWARD = 0,   // C = act(P + bias). aux, when given, receives what GRADIENT needs of P + bias
  PORTICO_EPILOGUE_ROW_SUMS = 1,  // C = P; bias receives the m sums over k of op(A). batch 1, no activation
  PORTICO_EPILOGUE_GRADIENT = 2   // C = P * act'(aux); bias, when given, receives the n column sums of C. batch 1
} portico_epilogue;

// For each i below batch: C_i = act(alpha * op(A_i) op(B_i) + beta * C_i + bias), row major, op(A) is [m, k], op(B) is
// [k, n], C is [m, n]. A_i starts i * stride_a elements after A; a stride of 0 repeats. bias has n elements and is
// absent when bias.value.buffer is null. All operands have type dtype; accumulation is f32. No dimension is zero.
//
// aux: with PORTICO_ACT_GELU_TANH P + bias itself, [m, n] of type dtype in rows of ld_aux elements, a multiple of 8;
// with PORTICO_ACT_RELU one bit an element in rows of ld_aux bits, a multiple of 128, that only the plugin reads.
typedef struct portico_gemm {
  uint32_t struct_size;
  int32_t dtype;
  int32_t trans_a, trans_b;
  uint32_t m, n, k, batch;
  uint32_t lda, ldb, ldc;
  uint64_t stride_a, stride_b, stride_c;
  float alpha, beta;
  portico_arg a, b, c, bias;
  int32_t activation;
  // From minor 1 on.
  int32_t precision;  // PORTICO_PRECISION_*, of f32 operands
  int32_t epilogue;   // PORTICO_EPILOGUE_*
  uint32_t ld_aux;
  portico_arg aux;  // absent when aux.value.buffer is null
  // Memory of the core's pool for the library's own use, from this call's work to its end in stream order. Null when
  // there is none to lend. Out of memory is PORTICO_OUT_OF_MEMORY, which the plugin passes on.
  portico_status (*scratch)(void* context, uint64_t bytes, portico_buffer** out);
  void* scratch_context;
} portico_gemm;

typedef enum portico_conv_pass {
  PORTICO_CONV_FORWARD = 0,          // y = act(conv(x, weight) + bias)
  PORTICO_CONV_INPUT_GRADIENT = 1,   // x receives its gradient, from y's and weight
  PORTICO_CONV_WEIGHT_GRADIENT = 2,  // weight receives its gradient, from x and y's
} portico_conv_pass;

// A cross-correlation of images. x is [n, h, w, c], weight [k, r, s, c / groups], y [n, p, q, k], each dense and in that
// order in memory; bias has k elements. All have type dtype; sums are f32, rounded once when they are stored. The same
// call gives the same bits each time. No extent is zero, and p = (h + 2 padding - dilation (r - 1) - 1) / stride + 1.
typedef struct portico_conv {
  uint32_t struct_size;
  int32_t pass;  // PORTICO_CONV_*
  int32_t dtype;
  int32_t precision;  // PORTICO_PRECISION_*, of f32 operands
  uint32_t n, c, h, w, k, r, s, p, q, groups;
  uint32_t stride[2], padding[2], dilation[2];  // of rows, of columns
  int32_t activation;                           // PORTICO_ACT_*, of the forward pass
  portico_arg x, weight, y, bias;               // bias is absent when bias.value.buffer is null
  portico_status (*scratch)(void* context, uint64_t bytes, portico_buffer** out);  // as portico_gemm's
  void* scratch_context;
} portico_conv;

typedef struct portico_backend {
  uint32_t struct_size;
  uint32_t abi_minor;
  const char* name;
  portico_bytes prelude;  // text placed in front of every portable kernel

  // Devices. device_count reports 0 devices as PORTICO_UNSUPPORTED with the reason (libraries tried, codes) as message.
  portico_status (*device_count)(int32_t* out);
  portico_status (*device_describe)(int32_t index, portico_device_info* out);  // does not open the device
  portico_status (*device_open)(int32_t index, portico_device** out);
  void (*device_close)(portico_device*);

  // Memory. Offsets and sizes are bytes. write may return before the copy is done, but has then taken its own copy of
  // src. read returns when dst is filled. copy's ranges do not overlap. fill repeats a 4-byte pattern; offset and size
  // are multiples of 4.
  portico_status (*buffer_create)(portico_device*, size_t bytes, portico_buffer** out);
  void (*buffer_destroy)(portico_buffer*);
  portico_status (*write)(portico_stream*, portico_buffer* dst, size_t offset, const void* src, size_t bytes);
  portico_status (*read)(portico_stream*, const portico_buffer* src, size_t offset, void* dst, size_t bytes);
  portico_status (*copy)(portico_stream*, portico_buffer* dst, size_t dst_offset, const portico_buffer* src,
                         size_t src_offset, size_t bytes);
  portico_status (*fill)(portico_stream*, portico_buffer* dst, size_t offset, uint32_t pattern, size_t bytes);

  // Pinned host memory, the fast side of a transfer.
  portico_status (*host_create)(portico_device*, size_t bytes, void** out);
  void (*host_destroy)(portico_device*, void* memory);

  // Streams and events. event_elapsed needs PORTICO_FEATURE_TIMING and both events done. stream_wait makes later work
  // of the stream wait for the event, without blocking the host.
  portico_status (*stream_create)(portico_device*, portico_stream** out);
  void (*stream_destroy)(portico_stream*);
  portico_status (*stream_synchronize)(portico_stream*);
  portico_status (*stream_wait)(portico_stream*, portico_event*);
  portico_status (*event_create)(portico_device*, portico_event** out);
  void (*event_destroy)(portico_event*);
  portico_status (*event_record)(portico_event*, portico_stream*);
  portico_status (*event_synchronize)(portico_event*);
  portico_status (*event_elapsed)(const portico_event* start, const portico_event* stop, double* milliseconds);

  // Programs. source is prelude and specialisation included; the plugin adds nothing but compiler options, which
  // device_info::toolchain reflects.
  portico_status (*program_compile)(portico_device*, portico_bytes source, portico_program** out);
  portico_status (*program_load)(portico_device*, portico_bytes binary, portico_program** out);
  portico_status (*program_binary)(portico_program*, size_t* size, void* out);  // out == NULL asks for the size
  void (*program_destroy)(portico_program*);
  portico_status (*kernel_create)(portico_program*, const char* name, portico_kernel** out);
  void (*kernel_destroy)(portico_kernel*);
  portico_status (*launch)(portico_stream*, portico_kernel*, const portico_launch*);

  // Optional from here on: NULL, or PORTICO_UNSUPPORTED when called, means "the portable way".
  portico_status (*gemm)(portico_stream*, const portico_gemm*);
  portico_status (*memory_info)(portico_device*, uint64_t* free_bytes, uint64_t* total_bytes);
  // Number of arguments that the kernel declares, a buffer counting as one; UINT32_MAX when it cannot be known.
  portico_status (*kernel_arg_count)(portico_kernel*, uint32_t* out);

  // Since minor 2, all four or none. From capture_begin to capture_end what one thread calls on the stream, launch,
  // gemm, copy and fill, is written down instead of done; nothing else is called on it meanwhile. A gemm that cannot be
  // written down is PORTICO_UNSUPPORTED. capture_end hands the graph over, or with out == NULL forgets what was
  // written; it ends the capture also when it fails. The core keeps the memory and the kernels of a graph, and the
  // stream that it was captured on, until graph_destroy. graph_launch queues all of it, in order, on any stream of the
  // device, and may be called again before the last one is done; what runs then is as if each call were made on that
  // stream. It may return before the queueing is done: a failure is then the status of the next call on the stream, never
  // PORTICO_OUT_OF_MEMORY, which would have the core try that call again. graph_destroy waits for the queueing. Without
  // these slots the core writes the calls down itself and makes them again.
  portico_status (*capture_begin)(portico_stream*);
  portico_status (*capture_end)(portico_stream*, portico_graph** out);
  portico_status (*graph_launch)(portico_stream*, portico_graph*);
  void (*graph_destroy)(portico_graph*);

  // Since minor 3, for kernels that are compiled when the library is built. binary_targets: the names of the targets whose
  // binaries the device loads, best first, separated by spaces. compile_for: a program for one of those names, without a
  // device; `take` is called once with the binary.
  portico_status (*binary_targets)(portico_device*, char* out, size_t size);
  portico_status (*compile_for)(const char* target, portico_bytes source, void* context,
                                void (*take)(void* context, portico_bytes binary));

  // Since minor 4. May be captured like gemm.
  portico_status (*conv)(portico_stream*, const portico_conv*);

  // Since minor 4, both or none: memory of the driver's own pool, which is where the stream's work is. The buffer may be
  // used by what is queued on that stream from then on, and is given back behind what is queued on the stream named
  // then. Never on a stream that captures.
  portico_status (*buffer_create_ordered)(portico_stream*, size_t bytes, portico_buffer** out);
  void (*buffer_destroy_ordered)(portico_stream*, portico_buffer*);
} portico_backend;

// The single symbol that a plugin exports. Cheap: it opens no library and no device.
typedef const portico_backend* (*portico_backend_entry)(const portico_host* host);

#ifdef __cplusplus
}
#endif
#endif  // PORTICO_BACKEND_ABI_H
