"""The models that are served, by name. A name always means the same weights."""

import threading
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer


class NotLoaded(Exception):
    """Weights that cannot be served under a name, with the reason."""


@dataclass(frozen=True)
class Served:
    name: str
    root: str
    model: torch.nn.Module
    tokenizer: object
    context: int
    """Tokens of prompt and answer together."""
    ends: frozenset[int]
    """Tokens that end an answer."""
    has_head: bool
    """A model with a head on its last token, which scores texts and writes none: a process reward model, say."""


class Models:
    def __init__(self):
        self.served: dict[str, Served] = {}
        self.lock = threading.Lock()

    def load(self, name: str, root: str) -> None:
        """@raises NotLoaded for a folder that holds no model, or a name that means another folder. The same name and folder once more is nothing."""
        with self.lock:
            known = self.served.get(name)
            if known is not None and known.root != root:
                raise NotLoaded(f"{name} is {known.root} already: a name is never given to other weights. Unload it first, or take another name.")
            if known is None:
                self.served[name] = load(name, root)

    def unload(self, name: str) -> bool:
        with self.lock:
            return self.served.pop(name, None) is not None


def load(name: str, root: str) -> Served:
    if not Path(root).is_dir():
        raise NotLoaded(f"{root} is no folder")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        model = adapted(root) if (Path(root) / "adapter_config.json").exists() else whole(root)
        tokenizer = AutoTokenizer.from_pretrained(root)
    except (OSError, ValueError, ImportError) as error:
        raise NotLoaded(f"{root} cannot be loaded: {' '.join(str(error).split())[:300]}") from error
    has_head = not model.can_generate()
    if has_head and not hasattr(model, "score"):
        raise NotLoaded(f"{root} has a {type(model).__name__}: of models with a head those are served that have it as `score`, as Llama and Qwen do")
    return Served(
        name=name,
        root=root,
        model=model.to(device).eval(),
        tokenizer=tokenizer,
        context=getattr(model.config, "max_position_embeddings", None) or tokenizer.model_max_length,
        ends=frozenset() if has_head else end_tokens(model, tokenizer),
        has_head=has_head,
    )


def whole(root: str):
    architectures = AutoConfig.from_pretrained(root).architectures or []
    has_head = any(name.endswith("ForSequenceClassification") for name in architectures)
    return (AutoModelForSequenceClassification if has_head else AutoModelForCausalLM).from_pretrained(root, dtype="auto")


def adapted(root: str):
    """An adapter, merged into the weights that it was trained on."""
    from peft import AutoPeftModelForCausalLM

    return AutoPeftModelForCausalLM.from_pretrained(root, dtype="auto").merge_and_unload()


def end_tokens(model, tokenizer) -> frozenset[int]:
    ends = model.generation_config.eos_token_id
    ends = ends if isinstance(ends, list) else [ends]
    return frozenset(token for token in [*ends, tokenizer.eos_token_id] if token is not None)
