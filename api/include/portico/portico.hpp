// Everything that Portico offers.
#pragma once

#include "portico/autograd.hpp"
#include "portico/data/dataset.hpp"
#include "portico/device.hpp"
#include "portico/dtype.hpp"
#include "portico/error.hpp"
#include "portico/io.hpp"
#include "portico/nn/layers.hpp"
#include "portico/nn/module.hpp"
#include "portico/ops.hpp"
#include "portico/optim/optimizer.hpp"
#include "portico/precision.hpp"
#include "portico/random.hpp"
#include "portico/shape.hpp"
#include "portico/tensor.hpp"
#include "portico/train/train.hpp"
#include "portico/version.hpp"
