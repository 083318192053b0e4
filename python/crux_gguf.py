"""
Writes a trained model as GGUF, for llama.cpp.

    python crux_gguf.py --like base.gguf [--type BF16] [--with-parent] <folder of the model> <out.gguf>

Everything but the weights (tokenizer, chat template, dimensions) is taken from `--like`, a GGUF of the same base. So the tokenizer is the one that llama.cpp has
for that base. Every weight of the one must be in the other, with the same shape; what is not known here is refused. One-dimensional weights stay in 32 bits.
Needs the packages gguf and numpy. Exit codes: 0, and 2 with one line on what is wrong.
"""

import argparse
import json
import os
import sys
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType, GGUFReader, GGUFValueType, GGUFWriter, MODEL_ARCH_NAMES, get_tensor_name_map, quants

FILE_TYPES = {"F32": 0, "F16": 1, "BF16": 32}
"""`general.file_type` by the type of the matrices (LlamaFileType)."""

PERMUTED = {"llama": {"attn_q": "head_count", "attn_k": "head_count_kv"}}
"""Rows that llama.cpp keeps in another order, by architecture, with the number of heads that decides it."""

KNOWN = {*PERMUTED, "qwen2", "qwen3"}
"""Architectures whose other weights llama.cpp keeps as transformers does."""


class Refusal(Exception):
    """What cannot be written, in one line."""


def main() -> int:
    parser = argparse.ArgumentParser(description="Writes a trained model as GGUF, for llama.cpp.")
    parser.add_argument("--like", type=Path, required=True, help="GGUF of the same base, of any type")
    parser.add_argument("--type", choices=FILE_TYPES, default="BF16", help="of the matrices (default BF16)")
    parser.add_argument("--with-parent", action="store_true", help="write nothing once the process that started this one is gone")
    parser.add_argument("model", type=Path, help="folder with .safetensors files")
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    try:
        write(arguments.model, arguments.like, arguments.out, arguments.type, os.getppid() if arguments.with_parent else None)
        return 0
    except (Refusal, OSError) as refusal:
        print(f"crux_gguf: {refusal}", file=sys.stderr, flush=True)
        return 2


def write(model: Path, like: Path, out: Path, kind: str, parent: int | None = None) -> None:
    """
    Whole or not at all: `out` is there only once it is complete. Two that write at the same time do not share a file.
    @param parent process without which nothing is written: another one has the place by then
    """
    try:
        base = GGUFReader(like)
    except ValueError as error:
        raise Refusal(f"{like} is no GGUF: {error}") from error
    architecture = base.fields["general.architecture"].contents()
    if architecture not in KNOWN:
        raise Refusal(f"{like} is a {architecture}, and only these are known here: {', '.join(sorted(KNOWN))}")
    weights = in_llama_cpp_s_form(read_weights(model), base, architecture, model)
    check(weights, base, model, like)
    part = out.with_name(f"{out.name}.{os.getpid()}.part")
    writer = GGUFWriter(part, architecture)
    copy_metadata(base, writer)
    writer.add_file_type(FILE_TYPES[kind])
    for tensor in base.tensors:
        values = np.ascontiguousarray(weights[tensor.name], dtype=np.float32)
        written = GGMLQuantizationType.F32 if values.ndim == 1 else GGMLQuantizationType[kind]
        if written is GGMLQuantizationType.F32:
            writer.add_tensor(tensor.name, values)
        else:
            writer.add_tensor(tensor.name, quants.quantize(values, written), raw_dtype=written)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    if parent is not None and os.getppid() != parent:
        part.unlink(missing_ok=True)
        raise Refusal("the process that started this one is gone")
    part.rename(out)


def copy_metadata(base: GGUFReader, writer: GGUFWriter) -> None:
    for name, field in base.fields.items():
        # The writer has its own.
        if name.startswith("GGUF.") or name in ("general.architecture", "general.file_type"):
            continue
        kind = field.types[0]
        if kind == GGUFValueType.ARRAY:
            writer.add_key_value(name, field.contents(), kind, sub_type=field.types[1])
        else:
            writer.add_key_value(name, field.contents(), kind)


def in_llama_cpp_s_form(weights: dict, base: GGUFReader, architecture: str, folder: Path) -> dict:
    """Names and order of llama.cpp."""

    def number(name: str) -> int:
        return int(base.fields[f"{architecture}.{name}"].contents())

    kind = next(arch for arch, name in MODEL_ARCH_NAMES.items() if name == architecture)
    names = get_tensor_name_map(kind, number("block_count"))
    renamed = {}
    for name, values in weights.items():
        new = names.get_name(name, try_suffixes=(".weight", ".bias"))
        if new is None:
            raise Refusal(f"{folder} has {name}, which llama.cpp does not know of a {architecture}")
        part = new.split(".")[-2]
        heads = PERMUTED.get(architecture, {}).get(part)
        renamed[new] = values if heads is None else rotated(values, number(f"attention.{heads}"))
    if "output.weight" not in renamed:
        # One matrix serves as input and output; llama.cpp may have it twice.
        renamed["output.weight"] = renamed.get("token_embd.weight")
    # Follows from the dimensions alone, and transformers does not keep it.
    renamed |= {tensor.name: tensor.data for tensor in base.tensors if tensor.name == "rope_freqs.weight"}
    return renamed


def rotated(values: np.ndarray, heads: int) -> np.ndarray:
    """From the two halves of a head, as transformers rotates them, to neighbours, as llama.cpp does."""
    return values.reshape(heads, 2, values.shape[0] // heads // 2, *values.shape[1:]).swapaxes(1, 2).reshape(values.shape)


def check(weights: dict, base: GGUFReader, folder: Path, like: Path) -> None:
    wanted = {tensor.name: tuple(int(size) for size in reversed(tensor.shape)) for tensor in base.tensors}
    for name, shape in wanted.items():
        if weights.get(name) is None:
            raise Refusal(f"{folder} lacks {name}, which {like} has: it is no model of the same base")
        if weights[name].shape != shape:
            raise Refusal(f"{name} is {weights[name].shape} in {folder} and {shape} in {like}: they are not of the same base")
    is_shared = np.array_equal(weights["output.weight"], weights["token_embd.weight"])
    left = set(weights) - set(wanted) - ({"output.weight"} if is_shared else set())
    if left:
        raise Refusal(f"{folder} has {min(left)}, which {like} lacks: they are not of the same base")


def read_weights(folder: Path) -> dict[str, np.ndarray]:
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise Refusal(f"{folder} has no .safetensors file")
    return {name: values for file in files for name, values in tensors(file)}


def tensors(file: Path):
    """Without torch, and numpy has no bfloat16: it is the upper half of a number of 32 bits."""
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        header = json.loads(stream.read(length))
    content = np.memmap(file, mode="r", dtype=np.uint8, offset=8 + length)
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        raw = content[begin:end]
        if entry["dtype"] == "BF16":
            values = (raw.view(np.uint16).astype(np.uint32) << 16).view(np.float32)
        elif entry["dtype"] in ("F32", "F16"):
            values = raw.view(np.float32 if entry["dtype"] == "F32" else np.float16)
        else:
            raise Refusal(f"{file} has {name} in {entry['dtype']}, which is not read here")
        yield name, values.reshape(entry["shape"])


if __name__ == "__main__":
    sys.exit(main())
