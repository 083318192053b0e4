"""
Texts whose log-probabilities this trainer measured before and after: whoever serves the model can be asked for the same, and a server that still
has the old weights, or another chat template, is found out. Each text is measured alone, without padding.
"""

import itertools
import json
from pathlib import Path

import torch

from crux_training.rows import sides, trained_segments
from crux_training.settings import Settings

STATES = 32


def choose(settings: Settings, dataset, ends: set[int]) -> list[tuple[list[int], list[int]]]:
    """
    Prompt and completion of both sides of up to 32 pairs, spread over the rows; of an example, its last turn of the model and all before it. A completion stops
    before the first token that ends a turn: a server that is forced to say that one stops there.
    """
    count = min(STATES, len(dataset))
    rows = dataset.select([index * len(dataset) // count for index in range(count)])
    texts = []
    for ids, labels in (side for row in rows for side in sides(settings, row)):
        ids, labels = ids[: settings.max_length], labels[: settings.max_length]
        last = trained_segments(ids, labels)[-1]
        end = max(position for position, label in enumerate(labels) if label != -100) + 1
        texts.append((ids[: end - len(last)], before_end(last, ends)))
    return texts


def before_end(completion: list[int], ends: set[int]) -> list[int]:
    words = list(itertools.takewhile(lambda token: token not in ends, completion))
    return words or completion


def end_tokens(trainer) -> set[int]:
    """Of the model and of its tokenizer: one may name more than the other."""
    model = trainer.accelerator.unwrap_model(trainer.model)
    ends = getattr(model.generation_config, "eos_token_id", None)
    return {*(ends if isinstance(ends, list) else [ends]), trainer.processing_class.eos_token_id} - {None}


def log_probabilities(trainer, texts) -> list[float]:
    """Sum over each completion's tokens, in nats."""
    model = trainer.accelerator.unwrap_model(trainer.model)
    was_training = model.training
    model.eval()
    with torch.no_grad(), trainer.accelerator.autocast():
        sums = [log_probability(model, prompt, completion) for prompt, completion in texts]
    model.train(was_training)
    return sums


def log_probability(model, prompt: list[int], completion: list[int]) -> float:
    ids = torch.tensor([prompt + completion], device=model.device)
    logits = model(input_ids=ids, use_cache=False).logits[0, len(prompt) - 1 : -1].float()
    chosen = logits.log_softmax(-1).gather(1, ids[0, len(prompt) :, None])
    return float(chosen.sum())


def write(path: Path, texts, before: list[float], after: list[float]) -> None:
    lines = [
        {"prompt": prompt, "completion": completion, "before": first, "after": last}
        for (prompt, completion), first, last in zip(texts, before, after)
    ]
    part = path.with_name(path.name + ".part")
    part.write_text("".join(json.dumps(line) + "\n" for line in lines))
    part.rename(path)
