// Catch2 2.13 or 3, whichever is installed, by one name.
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
namespace portico::test {
using Catch::Approx;
}
#else
#include <catch2/catch.hpp>
namespace portico::test {
using Catch::Detail::Approx;
}
#endif
