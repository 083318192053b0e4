"""
Trains a process reward model: a copy of the policy with a head of one number on its last token, on actions and their outcomes.

    python train_prm.py --rows actions.jsonl --base lab/0/start/model --out lab/0/prm [--seed 0] [--epochs 5] [--threads 1]

The rows are those of `crux export --format prm`. The loss is the cross-entropy between the head's sigmoid and the outcome, a mean of few rollouts.
A fifth of the groups is not trained on; how well the scores order its actions is printed before the model is saved.
"""

import argparse
import json
import os
import random
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

ROWS_OF_A_STEP = 32


def main() -> None:
    parser = argparse.ArgumentParser(description="Trains a process reward model on a policy's actions and their outcomes.")
    parser.add_argument("--rows", type=Path, required=True)
    parser.add_argument("--base", required=True, help="folder of the policy")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    draws = random.Random(arguments.seed)

    tokenizer = AutoTokenizer.from_pretrained(arguments.base)
    model = AutoModelForSequenceClassification.from_pretrained(arguments.base, num_labels=1)
    rows = [json.loads(line) for line in arguments.rows.read_text().splitlines()]
    # Without a known weight a row says nothing about the actions that it was drawn from.
    weighed = [row for row in rows if row["weight"] is not None]
    if len(weighed) < len(rows):
        print(f"{len(rows) - len(weighed)} rows without a weight are left out", flush=True)
    rows = weighed
    groups = sorted({row["group"] for row in rows})
    held_out = set(draws.sample(groups, max(1, len(groups) // 5)))
    learned = [row for row in rows if row["group"] not in held_out]
    judged = [row for row in rows if row["group"] in held_out]

    model.train()
    steps = arguments.epochs * -(-len(learned) // ROWS_OF_A_STEP)
    optimizer = torch.optim.AdamW(model.parameters(), lr=arguments.learning_rate, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, total_iters=steps)
    for epoch in range(arguments.epochs):
        draws.shuffle(learned)
        total = 0.0
        for start in range(0, len(learned), ROWS_OF_A_STEP):
            batch = learned[start : start + ROWS_OF_A_STEP]
            outcomes = torch.tensor([float(row["outcome"]) for row in batch])
            # Rows were drawn with unlike probabilities.
            weights = torch.tensor([float(row["weight"]) for row in batch])
            loss = torch.nn.functional.binary_cross_entropy_with_logits(logits(model, tokenizer, batch), outcomes, weights)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad(set_to_none=True)
            total += loss.item() * len(batch)
        print(f"epoch {epoch + 1}/{arguments.epochs}: loss {total / len(learned):.4f}", flush=True)

    model.eval()
    with torch.inference_mode():
        scores = [float(score) for start in range(0, len(judged), 256) for score in logits(model, tokenizer, judged[start : start + 256])]
    print(f"{len(learned)} actions learned from; on {len(judged)} actions of {len(held_out)} other groups the AUC is {area_under_curve(judged, scores):.3f}")
    model.save_pretrained(arguments.out)
    tokenizer.save_pretrained(arguments.out)


def logits(model, tokenizer, batch: list[dict]) -> torch.Tensor:
    """Of the conversation with the action as its last message, at the last token."""
    texts = [tokenizer.apply_chat_template([*row["messages"], row["action"]], return_dict=True)["input_ids"] for row in batch]
    longest = max(map(len, texts))
    ids = torch.tensor([text + [tokenizer.pad_token_id] * (longest - len(text)) for text in texts])
    mask = torch.tensor([[1] * len(text) + [0] * (longest - len(text)) for text in texts])
    hidden = model.base_model(input_ids=ids, attention_mask=mask).last_hidden_state
    return model.score(hidden[range(len(texts)), mask.sum(1) - 1])[:, 0]


def area_under_curve(rows: list[dict], scores: list[float]) -> float:
    """How often a good action scores above a bad one; good: more than half of its rollouts succeeded."""
    good = [score for row, score in zip(rows, scores) if row["outcome"] > 0.5]
    bad = [score for row, score in zip(rows, scores) if row["outcome"] <= 0.5]
    if not good or not bad:
        return float("nan")
    return sum((one > other) + 0.5 * (one == other) for one in good for other in bad) / (len(good) * len(bad))


if __name__ == "__main__":
    main()
