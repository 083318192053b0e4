"""Loads exports with the code of LLaMA-Factory, OpenRLHF and Axolotl and prints what they train on as one line of JSON. Called by
loaders.test.ts; each mode needs that library's modules only, not what its training needs.

    python load_elsewhere.py <mode> <file.jsonl> <tokenizer folder> <max_length>
"""

import json
import os
import sys
from types import SimpleNamespace as Space

IGNORED = -100


def load(path):
    from datasets import load_dataset

    return load_dataset("json", data_files=path, split="train")


def open_tokenizer(folder):
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast.from_pretrained(folder)


def pieces(tokenizer, ids, trained):
    """The trained tokens as text, one piece for each run of them."""
    found, before = [], False
    for token, now in zip(ids, trained):
        if now and not before:
            found.append([])
        if now:
            found[-1].append(token)
        before = now
    return [tokenizer.decode(piece) for piece in found]


def labelled(tokenizer, row):
    return pieces(tokenizer, row["input_ids"], [label != IGNORED for label in row["labels"]])


def llama_factory(path, _tokenizer, _max_length):
    """What the converter makes of each row; an empty prompt means that the row was skipped."""
    from llamafactory.data.converter import SharegptDatasetConverter
    from llamafactory.data.parser import DatasetAttr

    with open(os.path.join(os.path.dirname(path), "dataset_info.json")) as file:
        [(name, entry)] = json.load(file).items()
    attributes = DatasetAttr("file", dataset_name=name)
    attributes.join(entry)
    convert = SharegptDatasetConverter(attributes, Space(media_dir=""))
    kept = []
    for row in load(path):
        made = convert(row)
        kept.append({"roles": [turn["role"] for turn in made["_prompt"]], "response": made["_response"], "system": made["_system"]})
    return kept


def openrlhf(path, tokenizer, max_length):
    from openrlhf.datasets.reward_dataset import RewardDataset

    rows = load(path)
    rendered = isinstance(rows[0]["prompt"], str)
    data = Space(prompt_key="prompt", chosen_key="chosen", rejected_key="rejected", apply_chat_template=not rendered)
    made = RewardDataset(rows, tokenizer, max_length, Space(args=Space(data=data)), is_dpo=True, num_processors=1)
    kept = []
    for index in range(len(made)):
        chosen, _, rejected, _, prompt = made[index]
        kept.append({
            "prompt": tokenizer.decode(chosen[0][:prompt]),
            "chosen": tokenizer.decode(chosen[0][prompt:]), "rejected": tokenizer.decode(rejected[0][prompt:]),
        })
    return kept


def openrlhf_sft(path, tokenizer, max_length):
    from openrlhf.datasets.sft_dataset import SFTDataset

    data = Space(input_key="input", output_key=None, apply_chat_template=True)
    strategy = Space(args=Space(data=data))
    made = SFTDataset(load(path), tokenizer, max_length, strategy, num_processors=1, multiturn=True)
    kept = []
    for index in range(len(made)):
        ids, _, mask = made[index]
        # The mask stands at the token before the one that is predicted.
        kept.append(pieces(tokenizer, ids[0].tolist(), [False] + (mask[0][:-1] > 0).tolist()))
    return kept


def axolotl(path, tokenizer, max_length):
    """Passes the rows through the strategy that axolotl.yml names, drops what Axolotl drops, and says what TRL would get."""
    import yaml
    from axolotl.prompt_strategies.dpo import load as load_strategy
    from axolotl.utils.dict import DictDefault

    with open(os.path.join(os.path.dirname(path), "axolotl.yml")) as file:
        config = DictDefault(yaml.safe_load(file))
    strategy = load_strategy(config.datasets[0].type, config, dataset_idx=0)
    transform = strategy[0] if isinstance(strategy, tuple) else strategy
    kept = []
    for row in load(path):
        made = transform(dict(row), tokenizer=tokenizer)
        size = lambda text: len(tokenizer(text, add_special_tokens=False)["input_ids"])
        if max(size(made["prompt"]) + size(made[side]) for side in ("chosen", "rejected")) <= max_length:
            kept.append({key: made[key] for key in ("prompt", "chosen", "rejected")})
    return kept


def axolotl_sft(path, tokenizer, max_length):
    import yaml
    from axolotl.utils.dict import DictDefault

    with open(os.path.join(os.path.dirname(path), "axolotl.yml")) as file:
        config = DictDefault(yaml.safe_load(file))
    config.train_on_inputs = False
    config.sequence_len = max_length
    entry = config.datasets[0]
    if entry.type == "input_output":
        from axolotl.prompt_strategies.input_output import load as load_strategy

        strategy = load_strategy(tokenizer, config)
    else:
        from axolotl.prompt_strategies.chat_template import load as load_strategy

        strategy = load_strategy(tokenizer, config, ds_cfg=entry)
    return [labelled(tokenizer, strategy.tokenize_prompt(dict(row))) for row in load(path)]


def stepwise(tokenize, path, tokenizer):
    kept = []
    for row in load(path):
        made = tokenize(row)
        at = [index for index, label in enumerate(made["labels"]) if label != IGNORED]
        kept.append({"text": tokenizer.decode(made["input_ids"][: at[0]]) if at else None, "labels": [made["labels"][i] for i in at]})
    return kept


def trl_prm(path, tokenizer, max_length):
    from trl.experimental.prm import PRMTrainer

    return stepwise(lambda row: PRMTrainer.tokenize_row(row, tokenizer, "\n", max_length, None, False, False), path, tokenizer)


def axolotl_prm(path, tokenizer, max_length):
    from axolotl.prompt_strategies.stepwise_supervised import StepwiseSupervisedPromptTokenizingStrategy

    return stepwise(StepwiseSupervisedPromptTokenizingStrategy(tokenizer, max_length).tokenize_prompt, path, tokenizer)


def main():
    mode, path, folder, max_length = sys.argv[1:5]
    modes = {
        "llama-factory": llama_factory, "openrlhf": openrlhf, "openrlhf-sft": openrlhf_sft, "axolotl": axolotl,
        "axolotl-sft": axolotl_sft, "trl-prm": trl_prm, "axolotl-prm": axolotl_prm,
    }
    print(json.dumps(modes[mode](path, open_tokenizer(folder), int(max_length))))


main()
