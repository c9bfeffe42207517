// A matrix product as a call to time, by Portico and by OpenBLAS.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "blas.hpp"
#include "limits.hpp"
#include "portico/portico.hpp"

namespace portico::bench {

struct Product {
  std::int64_t m, n, k;
  bool trans_a, trans_b;
  std::int64_t batch = 1;

  std::string name() const {
    return std::string(trans_a ? "T" : "N") + (trans_b ? "T" : "N") + "/m:" + std::to_string(m) +
           "/n:" + std::to_string(n) + "/k:" + std::to_string(k) +
           (batch > 1 ? "/batch:" + std::to_string(batch) : std::string());
  }
  Work work() const {
    const double md = static_cast<double>(m), nd = static_cast<double>(n), kd = static_cast<double>(k),
                 items = static_cast<double>(batch);
    return {.bytes = 4 * items * (md * kd + kd * nd + md * nd), .flops = 2 * items * md * nd * kd};
  }
};

inline std::function<void()> portico_product(const Product& p) {
  Shape a_shape = p.trans_a ? Shape{p.k, p.m} : Shape{p.m, p.k},
        b_shape = p.trans_b ? Shape{p.n, p.k} : Shape{p.k, p.n};
  if (p.batch > 1) {
    a_shape = {p.batch, a_shape[0], a_shape[1]};
    b_shape = {p.batch, b_shape[0], b_shape[1]};
  }
  const Tensor a = Tensor::uniform(a_shape, -1.0f, 1.0f), b = Tensor::uniform(b_shape, -1.0f, 1.0f);
  return [a, b, p] {
    const NoGrad guard;
    matmul(a, b, {.trans_a = p.trans_a, .trans_b = p.trans_b});
  };
}

/// cblas_sgemm on host memory of its own; throws `Error{unsupported}` where OpenBLAS does not open.
inline std::function<void()> openblas_product(const Product& p) {
  std::string reason;
  const Sgemm sgemm = open_blas(reason);
  if (sgemm == nullptr) throw Error(ErrorCode::unsupported, "OpenBLAS: " + reason);
  struct Host {
    std::vector<float> a, b, c;
  };
  const auto host = std::make_shared<Host>();
  host->a.assign(static_cast<std::size_t>(p.m * p.k * p.batch), 0.5f);
  host->b.assign(static_cast<std::size_t>(p.k * p.n * p.batch), 0.25f);
  host->c.resize(static_cast<std::size_t>(p.m * p.n * p.batch));
  return [sgemm, p, host] {
    const int m = static_cast<int>(p.m), n = static_cast<int>(p.n), k = static_cast<int>(p.k);
    constexpr int kRowMajor = 101, kPlain = 111, kTransposed = 112;
    for (std::int64_t i = 0; i < p.batch; ++i)
      sgemm(kRowMajor, p.trans_a ? kTransposed : kPlain, p.trans_b ? kTransposed : kPlain, m, n, k, 1.0f,
            host->a.data() + i * p.m * p.k, p.trans_a ? m : k, host->b.data() + i * p.k * p.n, p.trans_b ? k : n, 0.0f,
            host->c.data() + i * p.m * p.n, n);
  };
}

}  // namespace portico::bench
