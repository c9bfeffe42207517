// What a test may ask of a stand-in that its process has opened. The functions are found by name (dlsym); a stand-in of
// the vendor's name in front would be a function that the vendor has.
#pragma once

#include <cstddef>
#include <cstdint>

extern "C" {

/// As PORTICO_STANDIN_FAULT, from now on; counters start at zero. "" ends all faults. 0 when the text means nothing.
int standin_faults(const char* text);

/// Calls `visit` with every function called since the counters were set to zero, and how often.
void standin_calls(void (*visit)(void* context, const char* function, std::uint64_t count), void* context);

/// Calls `visit` with every kind of object and how many are alive.
void standin_alive(void (*visit)(void* context, const char* kind, std::uint64_t count), void* context);

/// Products of the Lt library so far; the last one's algorithm and type of computation.
std::uint64_t standin_products(int* algorithm, int* compute);

/// From now on everything on this device fails with `code`; 0 makes it whole again, which no real driver can.
int standin_lose(int device, int code);
}
