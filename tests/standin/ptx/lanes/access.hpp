// From the addresses of a warp's lanes to host memory, with every check on the way.
#pragma once

#include "races.hpp"

namespace portico::standin::ptx::PTX_LANES {

struct Reach {
  u8* at[kLanes];           // of executing lanes
  bool contiguous = false;  // all lanes execute, and each stands right behind the one before
  bool uniform = false;     // all executing lanes have the same address
};

/// `bytes` at each lane's address, which is the operand's value + i.imm. Throws Fault.
void reach(Warp& w, const Instr& i, const Operand& address, u32 bytes, Space space, Use use, Reach& result);

/// The same for one lane, at an address of its own.
u8* reach_one(Warp& w, const Instr& i, int lane, u64 address, u32 bytes, Space space, Use use);

}  // namespace portico::standin::ptx::PTX_LANES
