// The optimizers' rules on the host, in double, as torch.optim documents them.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "portico/optim/optimizer.hpp"

namespace portico::test {

using Doubles = std::vector<double>;

struct HostSgd {
  optim::SGDOptions o;
  Doubles buffer;

  void step(Doubles& x, const Doubles& gradient) {
    const bool first = buffer.empty();
    buffer.resize(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
      double d = (o.maximize ? -gradient[i] : gradient[i]) + double(o.weight_decay) * x[i];
      if (o.momentum != 0) {
        buffer[i] = first ? d : double(o.momentum) * buffer[i] + (1.0 - double(o.dampening)) * d;
        d = o.nesterov ? d + double(o.momentum) * buffer[i] : buffer[i];
      }
      x[i] -= double(o.lr) * d;
    }
  }
};

struct HostAdam {
  optim::AdamOptions o;
  bool decoupled = false;
  Doubles m, v, peak;
  int t = 0;

  void step(Doubles& x, const Doubles& gradient) {
    ++t;
    for (Doubles* state : {&m, &v, &peak}) state->resize(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
      double d = o.maximize ? -gradient[i] : gradient[i];
      if (decoupled)
        x[i] *= 1.0 - double(o.lr) * double(o.weight_decay);
      else
        d += double(o.weight_decay) * x[i];
      m[i] = o.beta1 * m[i] + (1.0 - o.beta1) * d;
      v[i] = o.beta2 * v[i] + (1.0 - o.beta2) * d * d;
      peak[i] = std::max(peak[i], v[i]);
      const double mean = m[i] / (1.0 - std::pow(o.beta1, t));
      const double square = (o.amsgrad ? peak[i] : v[i]) / (1.0 - std::pow(o.beta2, t));
      x[i] -= double(o.lr) * mean / (std::sqrt(square) + double(o.eps));
    }
  }
};

}  // namespace portico::test
