"""Times Portico and PyTorch alternately on the same work and prints one line a workload.

Both sides use the same number of threads. A round times some calls of one side, then of the other; a line gives medians over
the rounds. `ratio` is the best PyTorch variant's time over Portico's.
"""
import argparse
import csv
import os
import pathlib
import statistics
import subprocess
import sys
import time

import torch

CONVS = [  # n c h w k r s stride pad
    (8, 64, 56, 56, 64, 3, 3, 1, 1), (8, 128, 28, 28, 128, 3, 3, 1, 1), (8, 256, 14, 14, 256, 3, 3, 1, 1),
    (8, 512, 7, 7, 512, 3, 3, 1, 1), (8, 64, 56, 56, 256, 1, 1, 1, 0), (8, 3, 224, 224, 64, 7, 7, 2, 3),
    (64, 1, 28, 28, 32, 3, 3, 1, 1),
]

RESNET50 = pathlib.Path(__file__).parent.parent / "workloads" / "conv_resnet50.csv"
KINDS = ("forward", "input_gradient", "weight_gradient")


def network(path):
    """(shape as in CONVS, how often the network has it) of each line of a workload file."""
    lines = (line for line in path.read_text().splitlines() if not line.startswith("#"))
    for row in csv.DictReader(lines):
        if row["pad_h"] != row["pad_w"] or row["stride_h"] != row["stride_w"]:
            sys.exit(f"{path}: paddings and strides must be square: {row}")
        fields = ("n", "c", "h", "w", "k", "r", "s", "stride_h", "pad_h")
        yield tuple(int(row[field]) for field in fields), int(row["count"])


class Portico:
    """The portico-peer process: one workload at a time, run on request."""

    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.device = self.ask("device")

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        if not answer:
            sys.exit(f"portico-peer stopped at: {line}")
        return answer

    def side(self, line):
        self.ask(line)
        return lambda count: float(self.ask(f"run {count}"))


def cnn():
    nn = torch.nn
    return nn.Sequential(nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3, padding=1),
                         nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(3136, 128), nn.ReLU(), nn.Linear(128, 10))


def mlp():
    nn = torch.nn
    return nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))


def vgg11():
    """Configuration A of arXiv:1409.1556 for 32x32 images, as models.hpp has it."""
    nn = torch.nn
    layers, channels = [], 3
    for out in (64, None, 128, None, 256, 256, None, 512, 512, None, 512, 512, None):
        if out is None:
            layers.append(nn.MaxPool2d(2))
        else:
            layers += [nn.Conv2d(channels, out, 3, padding=1), nn.ReLU()]
            channels = out
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(512, 10))


# What makes a network, and the shape of one of its images.
MODELS = {"cnn": (cnn, (1, 28, 28)), "mlp": (mlp, (784,)), "vgg11": (vgg11, (3, 32, 32))}


def timed(call):
    def run(count):
        start = time.perf_counter()
        for _ in range(count):
            call()
        return time.perf_counter() - start
    return run


def train_step(model, batch, variant):
    torch.manual_seed(0)
    make, shape = MODELS[model]
    net, images = make(), torch.rand(batch, *shape)
    labels = torch.arange(batch) * 7 % 10
    if variant == "channels_last":
        net, images = net.to(memory_format=torch.channels_last), images.to(memory_format=torch.channels_last)
    loss = torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    forward = torch.compile(net) if variant == "compile" else net

    def step():
        optimizer.zero_grad()
        loss(forward(images), labels).backward()
        optimizer.step()
    return timed(step)


def conv_call(kind, shape, channels_last):
    n, c, h, w, k, r, s, stride, pad = shape
    layout = torch.channels_last if channels_last else torch.contiguous_format
    x = torch.rand(n, c, h, w).to(memory_format=layout)
    weight = torch.rand(k, c, r, s).to(memory_format=layout)
    if kind == "forward":
        def call():
            with torch.no_grad():
                torch.nn.functional.conv2d(x, weight, stride=stride, padding=pad)
        return timed(call)
    (x if kind == "input_gradient" else weight).requires_grad_()
    y = torch.nn.functional.conv2d(x, weight, stride=stride, padding=pad)
    seed = torch.rand_like(y)

    def call():
        x.grad = weight.grad = None
        y.backward(seed, retain_graph=True)
    return timed(call)


def calls_for(run, seconds):
    run(2)
    count = 1
    while (took := run(count)) < seconds / 2 and count < 10000:
        count = max(count + 1, min(count * 8, int(count * seconds / max(took, 1e-6))))
    return count


def alternate(sides, rounds, seconds):
    """Median milliseconds a call of each side, the sides taking turns."""
    counts = {name: calls_for(run, seconds) for name, run in sides.items()}
    times = {name: [] for name in sides}
    for _ in range(rounds):
        for name, run in sides.items():
            time.sleep(0.05)  # lets the other side's threads stop spinning
            times[name].append(1e3 * run(counts[name]) / counts[name])
    return {name: statistics.median(values) for name, values in times.items()}


def report(workload, times):
    best = min(value for name, value in times.items() if name != "portico")
    fields = " ".join(f"{name}_ms={value:.4g}" for name, value in times.items())
    ratio = best / times["portico"]
    print(f"peer: workload={workload} {fields} ratio={ratio:.3f}", flush=True)
    return ratio


def geometric_mean(values):
    return statistics.geometric_mean(values) if values else float("nan")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True, help="the portico-peer program")
    parser.add_argument("--only", choices=["train", "conv", "resnet50"], help="one group of workloads")
    parser.add_argument("--model", choices=MODELS, help="training steps of this network only")
    parser.add_argument("--kind", choices=KINDS, action="append", help="convolutions of this pass only; may be repeated")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.4, help="length of one side's turn")
    parser.add_argument("--no-compile", action="store_true", help="leave torch.compile out")
    options = parser.parse_args()

    threads = len(os.sched_getaffinity(0))
    torch.set_num_threads(threads)
    portico = Portico(options.program)
    print(f"peers: portico on {portico.device}; torch {torch.__version__}, {threads} threads", flush=True)

    if options.only in (None, "train"):
        for model, batch in (("cnn", 64), ("cnn", 256), ("mlp", 64), ("mlp", 256), ("vgg11", 32)):
            if options.model not in (None, model):
                continue
            sides = {"portico": portico.side(f"train {model} {batch}"),
                     "pytorch_eager": train_step(model, batch, "eager")}
            if len(MODELS[model][1]) == 3:
                sides["pytorch_channels_last"] = train_step(model, batch, "channels_last")
            if not options.no_compile:
                sides["pytorch_compile"] = train_step(model, batch, "compile")
            report(f"{model}-train batch={batch}", alternate(sides, options.rounds, options.seconds))

    def conv(kind, shape):
        sides = {"portico": portico.side(f"conv {kind} " + " ".join(map(str, shape))),
                 "pytorch": conv_call(kind, shape, False),
                 "pytorch_channels_last": conv_call(kind, shape, True)}
        times = alternate(sides, options.rounds, options.seconds)
        return report(f"conv2d-{kind} shape=" + "x".join(map(str, shape)), times), times

    if options.only in (None, "conv"):
        for kind in options.kind or KINDS:
            ratios = [conv(kind, shape)[0] for shape in CONVS]
            print(f"peers: conv2d {kind}: geometric mean of ratios {geometric_mean(ratios):.3f}", flush=True)

    if options.only in (None, "resnet50"):
        for kind in options.kind or KINDS:
            ratios, ours, theirs = [], 0.0, 0.0
            for shape, count in network(RESNET50):
                if kind == "input_gradient" and shape[1] == 3:
                    continue  # nobody asks for the images' gradient
                ratio, times = conv(kind, shape)
                ratios.append(ratio)
                ours += count * times["portico"]
                theirs += count * ratio * times["portico"]
            print(f"peers: resnet50 {kind}: geometric mean of ratios {geometric_mean(ratios):.3f}, smallest "
                  f"{min(ratios):.3f}; all its convolutions portico_ms={ours:.4g} pytorch_ms={theirs:.4g} "
                  f"ratio={theirs / ours:.3f}", flush=True)


if __name__ == "__main__":
    main()
