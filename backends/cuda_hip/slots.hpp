// The functions of the contract, by file.
#pragma once

#include "portico/backend_abi.h"

namespace portico::cuda_hip {

// devices.cpp
portico_status device_count(int32_t* out);
portico_status device_describe(int32_t index, portico_device_info* out);
portico_status device_open(int32_t index, portico_device** out);
void device_close(portico_device* device);
portico_status memory_info(portico_device* device, uint64_t* free_bytes, uint64_t* total_bytes);

// memory.cpp
portico_status buffer_create(portico_device* device, size_t bytes, portico_buffer** out);
void buffer_destroy(portico_buffer* buffer);
portico_status buffer_create_ordered(portico_stream* stream, size_t bytes, portico_buffer** out);
void buffer_destroy_ordered(portico_stream* stream, portico_buffer* buffer);
portico_status write(portico_stream* stream, portico_buffer* dst, size_t offset, const void* src, size_t bytes);
portico_status read(portico_stream* stream, const portico_buffer* src, size_t offset, void* dst, size_t bytes);
portico_status copy(portico_stream* stream, portico_buffer* dst, size_t dst_offset, const portico_buffer* src,
                    size_t src_offset, size_t bytes);
portico_status fill(portico_stream* stream, portico_buffer* dst, size_t offset, uint32_t pattern, size_t bytes);
portico_status host_create(portico_device* device, size_t bytes, void** out);
void host_destroy(portico_device* device, void* memory);

// streams.cpp
portico_status stream_create(portico_device* device, portico_stream** out);
void stream_destroy(portico_stream* stream);
portico_status stream_synchronize(portico_stream* stream);
portico_status stream_wait(portico_stream* stream, portico_event* event);
portico_status event_create(portico_device* device, portico_event** out);
void event_destroy(portico_event* event);
portico_status event_record(portico_event* event, portico_stream* stream);
portico_status event_synchronize(portico_event* event);
portico_status event_elapsed(const portico_event* start, const portico_event* stop, double* milliseconds);

// programs.cpp
portico_status program_compile(portico_device* device, portico_bytes source, portico_program** out);
portico_status program_load(portico_device* device, portico_bytes binary, portico_program** out);
portico_status program_binary(portico_program* program, size_t* size, void* out);
void program_destroy(portico_program* program);
portico_status kernel_create(portico_program* program, const char* name, portico_kernel** out);
void kernel_destroy(portico_kernel* kernel);
portico_status kernel_arg_count(portico_kernel* kernel, uint32_t* out);

portico_status binary_targets(portico_device* device, char* out, size_t size);
portico_status compile_for(const char* target, portico_bytes source, void* context,
                           void (*take)(void* context, portico_bytes binary));

// launch.cpp
portico_status launch(portico_stream* stream, portico_kernel* kernel, const portico_launch* call);

// capture.cpp
portico_status capture_begin(portico_stream* stream);
portico_status capture_end(portico_stream* stream, portico_graph** out);
portico_status graph_launch(portico_stream* stream, portico_graph* graph);
void graph_destroy(portico_graph* graph);

// gemm.cpp
portico_status gemm(portico_stream* stream, const portico_gemm* call);

// conv.cpp
portico_status conv(portico_stream* stream, const portico_conv* call);

}  // namespace portico::cuda_hip
