"""Loads exports as trainers do and prints what arrived as one line of JSON. Called by loaders.test.ts.

    python load_exports.py rows <file.jsonl>
    python load_exports.py trl <file.jsonl> <tokenizer folder> <max_length or none>
"""

import json
import sys


def load(path):
    from datasets import load_dataset

    return load_dataset("json", data_files=path, split="train")


def load_with_features(path):
    """As training.md says."""
    from datasets import Features, Json, List, Value, load_dataset

    features = Features({
        "pair_id": Value("string"), "prompt": List(Json()), "chosen": List(Json()),
        "rejected": List(Json()), "tools": Value("string"),
    })
    return load_dataset("json", data_files=path, split="train", features=features)


def build_dpo_trainer(path, tokenizer_folder, max_length):
    """A real DPOTrainer around a model of random weights: what it drops and how it tokenizes is what a training would do."""
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
    from trl import DPOConfig, DPOTrainer

    tokenizer = PreTrainedTokenizerFast.from_pretrained(tokenizer_folder)
    model = LlamaForCausalLM(LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2,
    ))
    # The reference model is loaded from where the model came from.
    model_folder = path + ".model"
    model.save_pretrained(model_folder)
    arguments = DPOConfig(
        output_dir=path + ".dpo", beta=0.5, learning_rate=5e-7, loss_type=["sigmoid", "sft"], loss_weights=[1.0, 1.0],
        max_length=max_length, max_steps=1, per_device_train_batch_size=2, report_to=[], use_cpu=True, bf16=False,
        save_strategy="no", disable_tqdm=True,
    )
    return DPOTrainer(
        model=model_folder, args=arguments, train_dataset=load_with_features(path), processing_class=tokenizer,
    ), tokenizer


def main():
    mode, path = sys.argv[1:3]
    if mode == "rows":
        print(json.dumps([row for row in load(path)]))
        return
    trainer, tokenizer = build_dpo_trainer(path, sys.argv[3], None if sys.argv[4] == "none" else int(sys.argv[4]))
    kept = [
        {
            "prompt": len(row["prompt_ids"]), "chosen": len(row["chosen_ids"]), "rejected": len(row["rejected_ids"]),
            "chosenText": tokenizer.decode(row["chosen_ids"]),
        }
        for row in trainer.train_dataset
    ]
    loss = trainer.train().training_loss if kept else None
    print(json.dumps({"kept": kept, "loss": loss}))


main()
