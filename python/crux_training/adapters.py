"""Low-rank adapters. One goes on from round to round over the base that it was made for: a server then needs that base and one adapter."""

import json
from pathlib import Path

from crux_training.stops import SETTINGS, Stop

REFERENCE = "ref"
"""TRL's name for the frozen copy of an adapter that is trained on."""


def base_of(source: str) -> str | None:
    """The model that an adapter was made for; None for whole weights, and for names of a hub."""
    config = Path(source) / "adapter_config.json"
    return json.loads(config.read_text())["base_model_name_or_path"] if config.is_file() else None


def new(lora: dict):
    """What TRL makes an adapter of, on all linear layers."""
    return peft().LoraConfig(r=lora["rank"], lora_alpha=lora["alpha"], target_modules="all-linear", task_type="CAUSAL_LM")


def continued(base, source: str, lora: dict):
    """A base with its adapter, which training goes on with."""
    model = peft().PeftModel.from_pretrained(base, source, is_trainable=True)
    known = model.peft_config["default"]
    if (known.r, known.lora_alpha) != (lora["rank"], lora["alpha"]):
        raise Stop(
            SETTINGS,
            f"{source} is an adapter of rank {known.r} and alpha {known.lora_alpha}, and lora says {lora['rank']} and {lora['alpha']}: "
            "training goes on with an adapter as it is.",
        )
    return model


def merged(base, source: str):
    """A base with an adapter added to its weights, all of which can be trained: under an adapter they are frozen."""
    return peft().PeftModel.from_pretrained(base, source).merge_and_unload().requires_grad_(True)


def peft():
    try:
        import peft
    except ImportError as error:
        raise Stop(SETTINGS, "LoRA needs the Python package peft, which is not installed") from error
    return peft
