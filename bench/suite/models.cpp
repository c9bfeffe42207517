// Whole networks: training steps and inference.
#include "models.hpp"

#include "suite/table.hpp"
#include "suite/workload.hpp"

namespace portico::bench {
namespace {

Call inference(const std::string& model, std::int64_t batch) {
  const std::shared_ptr<nn::Sequential> net = make_model(model);
  net->eval();
  return [net, images = random_images(model, batch)] {
    const NoGrad guard;
    (*net)(images);
  };
}

Call training(const std::string& model, std::int64_t batch) {
  const auto step = std::make_shared<TrainStep>(model, batch);
  return [step] { (*step)(); };
}

}  // namespace

std::vector<Workload> model_workloads() {
  std::vector<Workload> all;
  for (const Row& row : table("models")) {
    const std::string &mode = row.text("mode"), &model = row.text("model");
    const std::int64_t batch = row.number("batch");
    const bool train = mode == "train";
    const ModelFlops flops = model_flops(model);
    const auto make = [=]() -> Call { return train ? training(model, batch) : inference(model, batch); };
    all.push_back({.list = train ? "train_step" : "inference",
                   .name = model + "/batch:" + std::to_string(batch),
                   .work = {.flops = static_cast<double>(batch) * (train ? flops.training : flops.forward)},
                   .quick = row.flag("quick"),
                   .columns = own_column(make)});
  }
  return all;
}

}  // namespace portico::bench
