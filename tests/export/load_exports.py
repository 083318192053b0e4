"""Loads exports as trainers do and prints what arrived as one line of JSON. Called by loaders.test.ts.

    python load_exports.py rows <file.jsonl>
    python load_exports.py trl <file.jsonl> <tokenizer folder> <max_length>
    python load_exports.py kto <file.jsonl> <tokenizer folder> <max_length>
    python load_exports.py crux-masked <file.jsonl> <tokenizer folder> <max_length>
    python load_exports.py trl-sft|crux-masked-sft <file.jsonl> <tokenizer folder> <max_length>
"""

import json
import os
import sys


def load(path):
    from datasets import load_dataset

    return load_dataset("json", data_files=path, split="train")


def load_with_features(path, columns, key="pair_id", **others):
    """As training.md says."""
    from datasets import Features, Json, List, Value, load_dataset

    features = Features({
        key: Value("string"), **{column: List(Json()) for column in columns}, **others, "tools": Value("string"),
    })
    return load_dataset("json", data_files=path, split="train", features=features)


def tiny_model(path, tokenizer_folder):
    """A model of random weights in a folder, because the reference model is loaded from where the model came from."""
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast.from_pretrained(tokenizer_folder)
    model = LlamaForCausalLM(LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2,
    ))
    model.save_pretrained(path + ".model")
    return path + ".model", tokenizer


def arguments(path, max_length):
    return dict(
        output_dir=path + ".out", learning_rate=5e-7, max_length=max_length, max_steps=1, per_device_train_batch_size=2,
        report_to=[], use_cpu=True, bf16=False, save_strategy="no", disable_tqdm=True,
    )


def dpo(path, tokenizer_folder, max_length):
    """A real DPOTrainer: what it drops and how it tokenizes is what a training would do."""
    from trl import DPOConfig, DPOTrainer

    model, tokenizer = tiny_model(path, tokenizer_folder)
    config = DPOConfig(beta=0.5, loss_type=["sigmoid", "sft"], loss_weights=[1.0, 1.0], **arguments(path, max_length))
    rows = load_with_features(path, ["prompt", "chosen", "rejected"])
    trainer = DPOTrainer(model=model, args=config, train_dataset=rows, processing_class=tokenizer)
    return trainer, [
        {
            "prompt": len(row["prompt_ids"]), "chosen": len(row["chosen_ids"]), "rejected": len(row["rejected_ids"]),
            "chosenText": tokenizer.decode(row["chosen_ids"]),
        }
        for row in trainer.train_dataset
    ]


def kto(path, tokenizer_folder, max_length):
    from datasets import Value
    from trl import KTOConfig, KTOTrainer

    model, tokenizer = tiny_model(path, tokenizer_folder)
    rows = load_with_features(path, ["prompt", "completion"], label=Value("bool"))
    config = KTOConfig(beta=0.1, **arguments(path, max_length))
    trainer = KTOTrainer(model=model, args=config, train_dataset=rows, processing_class=tokenizer)
    return trainer, [{"label": row["label"], "text": tokenizer.decode(row["completion_ids"])} for row in trainer.train_dataset]


def masked(path, tokenizer_folder, max_length):
    sys.path.insert(0, os.path.dirname(path))
    from crux_masked import MaskedCollator, MaskedDPOTrainer
    from trl import DPOConfig

    model, tokenizer = tiny_model(path, tokenizer_folder)
    rows = load(path)
    collator = MaskedCollator(pad_token_id=tokenizer.pad_token_id, max_length=max_length)
    config = DPOConfig(beta=0.1, loss_type=["sigmoid", "sft"], loss_weights=[1.0, 1.0], **arguments(path, max_length))
    trainer = MaskedDPOTrainer(
        model=model, args=config, train_dataset=rows, processing_class=tokenizer, data_collator=collator,
    )
    # Through the trainer's own loader, so that a column lost on the way would show.
    kept = []
    for batch in trainer.get_train_dataloader():
        texts = [
            tokenizer.decode(ids[mask.bool()]) for ids, mask in zip(batch["input_ids"], batch["completion_mask"])
        ]
        half = len(texts) // 2
        kept += [{"chosen": texts[i], "rejected": texts[half + i]} for i in range(half)]
    return trainer, kept


def supervised(path, tokenizer_folder, max_length, rows, generations):
    """A real SFTTrainer: which tokens have labels is what a training would learn."""
    from trl import SFTConfig, SFTTrainer

    model, tokenizer = tiny_model(path, tokenizer_folder)
    if generations:
        tokenizer.chat_template = MARKED_TEMPLATE
    config = SFTConfig(assistant_only_loss=generations, **arguments(path, max_length))
    trainer = SFTTrainer(model=model, args=config, train_dataset=rows, processing_class=tokenizer)
    kept = []
    for row in trainer.train_dataset:
        pieces, before = [], False
        for token, label in zip(row["input_ids"], row["labels"]):
            if label != -100 and not before:
                pieces.append([])
            if label != -100:
                pieces[-1].append(token)
            before = label != -100
        kept.append([tokenizer.decode(piece) for piece in pieces])
    return trainer, kept


MARKED_TEMPLATE = """{%- for message in messages -%}
<|start|>{{ message.role }}{{ '\\n' }}
{%- if message.role == 'assistant' -%}
{% generation %}{{ message.content }}
{%- if message.tool_calls %}{% for call in message.tool_calls %}{{ '\\n' + call.function.name + ' ' }}{{ call.function.arguments | tojson }}{% endfor %}{% endif -%}
{{ '<|end|>\\n' }}{% endgeneration %}
{%- else -%}
{{ message.content + '<|end|>\\n' }}
{%- endif -%}
{%- endfor -%}"""


def trl_sft(path, tokenizer_folder, max_length):
    rows = load_with_features(path, ["messages"], key="example_id")
    return supervised(path, tokenizer_folder, max_length, rows, generations=True)


def masked_sft(path, tokenizer_folder, max_length):
    return supervised(path, tokenizer_folder, max_length, load(path), generations=False)


def main():
    mode, path = sys.argv[1:3]
    if mode == "rows":
        print(json.dumps([row for row in load(path)]))
        return
    modes = {"trl": dpo, "kto": kto, "crux-masked": masked, "trl-sft": trl_sft, "crux-masked-sft": masked_sft}
    trainer, kept = modes[mode](path, sys.argv[3], int(sys.argv[4]))
    print(json.dumps({"kept": kept, "loss": trainer.train().training_loss if kept else None}))


main()
