// OpenBLAS as a peer, opened at run time: where it is not there, its rows say so.
#pragma once

#include <string>

namespace portico::bench {

/// cblas_sgemm's signature with its enums as int.
using Sgemm = void (*)(int order, int trans_a, int trans_b, int m, int n, int k, float alpha, const float* a, int lda,
                       const float* b, int ldb, float beta, float* c, int ldc);

/// OpenBLAS's sgemm with as many threads as this process may use, or null with the reason.
Sgemm open_blas(std::string& reason);

}  // namespace portico::bench
