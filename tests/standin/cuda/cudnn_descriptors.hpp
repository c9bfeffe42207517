// cuDNN's descriptors, as its graph interface has them: attributes with types and counts, final once finalised.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "backends/cuda/dnn_api.hpp"
#include "tests/standin/conv/convolution.hpp"

namespace portico::standin::cudnn {

struct Handle {
  Device* device;
  void* stream = nullptr;
};

struct Descriptor;
using Reference = std::shared_ptr<const Descriptor>;

struct Values {
  std::vector<std::int64_t> numbers;  ///< integers, enumerators, handles and pointers
  std::vector<float> floats;
  std::vector<Reference> descriptors;
};

/// What a finalised operation graph means.
struct Meaning {
  struct Operand {
    std::int64_t id, alignment;
    conv::Tensor tensor;
  };
  conv::Convolution convolution;
  Operand x, w, y, bias;
  bool has_bias = false;
};

/// An engine that the heuristics offer.
struct Engine {
  std::int64_t index;
  std::vector<cuda::dnn::Note> notes;
  std::int64_t workspace;
};

struct Descriptor {
  cuda::dnn::Kind kind;
  bool final = false;
  std::map<cuda::dnn::Attribute, Values> values;
  std::shared_ptr<const Meaning> meaning;  ///< of graphs, engines and all that is made of them
  Engine engine;                           ///< of engines, their configurations and plans

  std::int64_t number(cuda::dnn::Attribute attribute) const { return values.at(attribute).numbers.at(0); }
  const Descriptor& part(cuda::dnn::Attribute attribute) const { return *values.at(attribute).descriptors.at(0); }
};

/// Takes the elements when the descriptor's kind has the attribute, with this type and count; a status.
int set(Descriptor& descriptor, cuda::dnn::Attribute attribute, cuda::dnn::Type type, std::int64_t count,
        const void* elements);

/// Whether everything is there and fits together; a status.
int finalize(Descriptor& descriptor);

/// What the heuristics offer for a graph in a mode; a status when they do not know it.
int engines_for(const Meaning& meaning, std::int64_t mode, std::vector<Engine>& out);

Table<Descriptor>& descriptors();
Table<Handle>& handles();

}  // namespace portico::standin::cudnn
