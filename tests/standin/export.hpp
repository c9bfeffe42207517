// An exported function of a stand-in. Everything else in it is hidden, so that two stand-ins in one process share
// nothing.
#pragma once

#define STANDIN_EXPORT extern "C" __attribute__((visibility("default")))
