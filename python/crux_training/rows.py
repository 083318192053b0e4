"""The rows: loaded without loss, counted, and looked at. TRL drops rows, and trains on wrong tokens, without a word."""

import random

from datasets import Features, Json, List, Value, load_dataset

from crux_training.settings import Settings
from crux_training.stops import MASKS, ROWS, Stop

MESSAGES, TEXT, IDS = List(Json()), Value("string"), List(Value("int64"))

# Stated, not inferred: `datasets` would take the types from the first block of the file.
FEATURES = {
    "trl": {"pair_id": TEXT, "prompt": MESSAGES, "chosen": MESSAGES, "rejected": MESSAGES, "tools": TEXT},
    "crux-masked": {"pair_id": TEXT, **{name: IDS for name in ("prompt_ids", "chosen_ids", "rejected_ids", "chosen_labels", "rejected_labels")}},
    "crux-masked-sft": {"example_id": TEXT, "input_ids": IDS, "labels": IDS},
    "trl-sft": {"example_id": TEXT, "messages": MESSAGES, "tools": TEXT},
}

SAMPLE = 20
"""Rows whose trained tokens are compared with their messages."""


def load(settings: Settings, cache: str):
    if not settings.rows_file.is_file():
        raise Stop(ROWS, f"{settings.rows_file} is not there")
    return load_dataset(
        "json", data_files=str(settings.rows_file), split="train", features=Features(FEATURES[settings.format]), cache_dir=cache
    )


def check_number(settings: Settings, dataset) -> None:
    """A row of which `maxLength` leaves a side no label counts as dropped: nothing of it would be trained."""
    count = sum(all(has_label(settings, labels) for _, labels in sides(settings, row)) for row in dataset)
    if count != settings.rows:
        raise Stop(
            ROWS,
            f"{count} rows would be trained on, and settings.json says {settings.rows}: rows over maxLength "
            f"({settings.max_length}) are dropped. Raise maxLength, or export with it as --max-length.",
        )


def has_label(settings: Settings, labels: list[int]) -> bool:
    return any(label != -100 for label in labels[: settings.max_length])


def check_masks(settings: Settings, dataset, tokenizer, say) -> None:
    """Compares what is trained on with the model's turns on a sample, and prints it for the first row."""
    for number, row in enumerate(dataset.select(range(min(SAMPLE, len(dataset))))):
        trained = [tokenizer.decode(segment) for side in sides(settings, row) for segment in trained_segments(*side)]
        if number == 0:
            for text in trained:
                say(f"trains on {text!r}")
        wanted = own_turns(row, tokenizer)
        if not all(text.strip() for text in trained) or len(trained) == 0:
            raise Stop(MASKS, f"row {number + 1} has no trained token, or a turn without words")
        if wanted is None:
            continue
        # The text of a turn is trained, and little besides it: what the chat template writes around it.
        if len(trained) != len(wanted) or not all(turn in text for turn, text in zip(wanted, trained)):
            raise Stop(
                MASKS,
                f"row {number + 1} would be trained on {trained!r}, and the model's own turns are {wanted!r}. The chat template "
                "has to render a prompt as it renders it with later turns, and its generation blocks must begin and end with whole tokens.",
            )


def by_length(settings: Settings, dataset, together: int):
    """
    Groups of so many rows of like length, in an order drawn by the seed. A row is as long as its longest side, to which the others of its group are padded. An
    incomplete group comes last: every other one would be cut elsewhere.
    """
    lengths = [max(len(ids) for ids, _ in sides(settings, row)) for row in dataset]
    order = sorted(range(len(lengths)), key=lambda index: lengths[index])
    whole = len(order) // together * together
    groups = [order[start : start + together] for start in range(0, whole, together)]
    random.Random(settings.seed).shuffle(groups)
    return dataset.select([index for group in groups for index in group] + order[whole:])


def sides(settings: Settings, row) -> list[tuple[list[int], list[int]]]:
    """Token ids and labels of each text that is trained on."""
    if settings.loss == "sft":
        return [(row["input_ids"], row["labels"])]
    prompt = row["prompt_ids"]
    unlabelled = [-100] * len(prompt)
    return [
        (prompt + row[f"{side}_ids"], unlabelled + (row.get(f"{side}_labels") or row[f"{side}_ids"])) for side in ("chosen", "rejected")
    ]


def trained_segments(ids: list[int], labels: list[int]) -> list[list[int]]:
    """The runs of tokens that have a label."""
    segments: list[list[int]] = []
    for position, (token, label) in enumerate(zip(ids, labels)):
        if label == -100:
            continue
        if position == 0 or labels[position - 1] == -100:
            segments.append([])
        segments[-1].append(token)
    return segments


def own_turns(row, tokenizer) -> list[str] | None:
    """
    The texts of the model's turns as the tokenizer reads them, in the order of `sides`: a word that it does not know is `<unk>` in what is trained, too.
    None for rows that are token ids from the start.
    """
    if "messages" in row:
        messages = row["messages"]
    elif "chosen" in row:
        messages = row["chosen"] + row["rejected"]
    else:
        return None
    texts = [message.get("content") or "" for message in messages if message["role"] == "assistant"]
    return [tokenizer.decode(tokenizer(text, add_special_tokens=False)["input_ids"]).strip() for text in texts]
