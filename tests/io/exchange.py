"""Exchanges safetensors files with the Python package, both ways. usage: exchange.py PATH-OF-io_exchange

Ends with 77 (skipped) when the package or the device is not there.
"""
import os
import subprocess
import sys
import tempfile

try:
    import numpy
    import safetensors
    from safetensors import safe_open
    from safetensors.numpy import save_file
except ImportError as error:
    print(f"skipped: {error}; PORTICO_TEST_PYTHON can name a Python that has safetensors and numpy")
    sys.exit(77)

# As in exchange.cpp. NumPy has no bf16, so that tensor's bytes are made by hand.
SHAPES = {
    "fc.weight": ("F32", (5, 7)),
    "fc.bias": ("F16", (5,)),
    "conv.weight": ("BF16", (2, 3, 3, 1)),
    "labels": ("I32", (4,)),
    "bytes": ("U8", (3, 1)),
    "scalar": ("F32", ()),
    "nothing": ("F32", (0, 4)),
}
NUMPY = {"F32": numpy.float32, "F16": numpy.float16, "I32": numpy.int32, "U8": numpy.uint8}


def by_rule(dtype, shape):
    count = int(numpy.prod(shape, dtype=numpy.int64))
    values = (7 * numpy.arange(count)) % 31 - (0 if dtype == "U8" else 12)
    return values.reshape(shape)


def raw(dtype, shape):
    values = by_rule(dtype, shape)
    if dtype == "BF16":  # the upper half of an f32; the rule's numbers need no rounding
        return (values.astype("<f4").view("<u4") >> 16).astype("<u2").tobytes()
    return values.astype(NUMPY[dtype]).tobytes()


def run(tool, command, path):
    result = subprocess.run([tool, command, path])
    if result.returncode == 77:
        sys.exit(77)
    if result.returncode != 0:
        sys.exit(f"failed: {tool} {command} {path} ended with {result.returncode}")


def check_ours(path):
    """Every tensor of a file that Portico wrote, through the package."""
    with open(path, "rb") as file:
        entries = dict(safetensors.deserialize(file.read()))
    assert set(entries) == set(SHAPES), sorted(entries)
    for name, (dtype, shape) in SHAPES.items():
        entry = entries[name]
        assert (entry["dtype"], tuple(entry["shape"])) == (dtype, shape), (name, entry["dtype"], entry["shape"])
        assert bytes(entry["data"]) == raw(dtype, shape), name
    with safe_open(path, framework="numpy") as file:
        assert file.metadata() == {"from": "portico"}, file.metadata()
        assert numpy.array_equal(file.get_tensor("fc.weight"), by_rule("F32", (5, 7)))


def write_theirs(path):
    """The same tensors by the package. Its NumPy functions have no bf16, hence the level below them."""
    names = {"F32": "float32", "F16": "float16", "BF16": "bfloat16", "I32": "int32", "U8": "uint8"}
    data = {name: numpy.frombuffer(raw(*rule) or b"\0", numpy.uint8) for name, rule in SHAPES.items()}
    tensors = {}
    for name, (dtype, shape) in SHAPES.items():
        length = len(raw(dtype, shape))
        if hasattr(safetensors, "TensorSpec"):  # 0.8 and later take addresses
            tensors[name] = safetensors.TensorSpec(
                dtype=names[dtype], shape=list(shape), data_ptr=data[name].ctypes.data, data_len=length
            )
        else:
            tensors[name] = {"dtype": names[dtype], "shape": list(shape), "data": raw(dtype, shape)}
    safetensors.serialize_file(tensors, path, {"from": "python"})


def main():
    tool = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = os.path.join(folder, "ours.safetensors"), os.path.join(folder, "theirs.safetensors")
        run(tool, "write", ours)
        check_ours(ours)
        write_theirs(theirs)
        run(tool, "check", theirs)
        # The check must be able to fail.
        wrong = by_rule("F32", (5, 7)).astype(numpy.float32)
        wrong[4, 6] += 1
        save_file({"fc.weight": wrong}, theirs, {"from": "python"})
        assert subprocess.run([tool, "check", theirs], stderr=subprocess.DEVNULL).returncode == 1
    print(f"exchanged {len(SHAPES)} tensors both ways with safetensors {safetensors.__version__}")


main()
