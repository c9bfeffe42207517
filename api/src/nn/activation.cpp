// Layers without parameters: what they check and how they print.
#include "nn/checks.hpp"
#include "portico/nn/layers.hpp"

namespace portico::nn {

std::string LeakyReLU::describe() const { return "LeakyReLU(negative_slope=" + text(slope_) + ")"; }

std::string ELU::describe() const { return "ELU(alpha=" + text(alpha_) + ")"; }

std::string GELU::describe() const {
  return std::string("GELU(approximate='") + (form_ == Gelu::exact ? "none" : "tanh") + "')";
}

std::string Softplus::describe() const {
  return "Softplus(beta=" + text(beta_) + ", threshold=" + text(threshold_) + ")";
}

std::string Softmax::describe() const { return "Softmax(dim=" + text(axis_) + ")"; }

Dropout::Dropout(float p) : p_(p) { check(p >= 0 && p <= 1, "Dropout", "p is " + text(p) + "; it must lie in [0, 1]"); }

std::string Dropout::describe() const { return "Dropout(p=" + text(p_) + ", inplace=False)"; }

std::string Flatten::describe() const { return "Flatten(start_dim=" + text(start_) + ", end_dim=" + text(end_) + ")"; }

}  // namespace portico::nn
