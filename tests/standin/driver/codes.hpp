// The result codes that the stand-ins answer with. HIP took CUDA's numbers over, so that one list does for both.
#pragma once

namespace portico::standin {

enum Code : int {
  kOk = 0,
  kInvalidValue = 1,
  kOutOfMemory = 2,
  kNotInitialized = 3,
  kNoDevice = 100,
  kInvalidDevice = 101,
  kInvalidImage = 200,
  kInvalidContext = 201,
  kUnsupported = 801,
  kNoBinaryForGpu = 209,
  kInvalidPtx = 218,
  kPeerAccessUnsupported = 217,
  kInvalidHandle = 400,
  kNotFound = 500,
  kNotReady = 600,
  kIllegalAddress = 700,
  kLaunchOutOfResources = 701,
  kMisalignedAddress = 716,
  kLaunchFailed = 719,
  kCaptureUnsupported = 900,
  kCaptureInvalidated = 901,
  kCaptureMerge = 902,
  kCaptureUnmatched = 903,
  kCaptureUnjoined = 904,
  kCaptureIsolation = 905,
  kCapturedEvent = 907,
  kCaptureWrongThread = 908,
};

/// What a driver says about a code, for cuGetErrorString and its like. Null for a code that it does not know.
const char* meaning(int code);

/// Whether a real driver answers everything with this code once it has happened: the context is of no use any more.
bool is_sticky(int code);

}  // namespace portico::standin
