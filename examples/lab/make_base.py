"""
Makes a language model from nothing: a tokenizer of whole words, a chat template, and a small Llama with random weights.

    python make_base.py --texts texts.txt --out base [--seed 0]

Every word of the texts becomes a token; whatever is not among them is read as `<unk>`. Equal texts and seed give equal files.
"""

import argparse
import re
from pathlib import Path

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

ROLES = ("system", "user", "assistant")
END = "<|end|>"
SPECIAL = ["<pad>", "<unk>", END, *(f"<|{role}|>" for role in ROLES)]

# A word keeps the blank before it, so that texts are read back as they were.
WORD = r"\n| ?[A-Za-z0-9_]+| ?[^\sA-Za-z0-9_]| "

# The generation block begins and ends with whole tokens: else masks of the model's turns would be wrong.
TEMPLATE = (
    "{% for message in messages %}{{ '<|' + message['role'] + '|>' }}"
    "{% if message['role'] == 'assistant' %}{% generation %}{{ message['content'] + '" + END + "' }}{% endgeneration %}"
    "{% else %}{{ message['content'] + '" + END + "' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def main() -> None:
    parser = argparse.ArgumentParser(description="Makes a small language model from nothing.")
    parser.add_argument("--texts", type=Path, required=True, help="file with all that will be said")
    parser.add_argument("--out", type=Path, required=True, help="folder of the model")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()

    tokenizer = make_tokenizer(arguments.texts.read_text())
    torch.manual_seed(arguments.seed)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=128,
            intermediate_size=352,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=4,
            max_position_embeddings=512,
            # With the usual 0.02 so small a model learns ten times slower.
            initializer_range=0.05,
            tie_word_embeddings=True,
            pad_token_id=tokenizer.pad_token_id,
            bos_token_id=None,
            eos_token_id=tokenizer.eos_token_id,
        )
    )
    model.save_pretrained(arguments.out)
    tokenizer.save_pretrained(arguments.out)
    print(f"{arguments.out}: {sum(weights.numel() for weights in model.parameters()):,} parameters, {len(tokenizer)} tokens")


def make_tokenizer(texts: str) -> PreTrainedTokenizerFast:
    words = sorted(set(re.findall(WORD, texts)))
    vocabulary = {word: number for number, word in enumerate([*SPECIAL, *words])}
    # A word piece that is a whole word: no other model of whole words is known to all readers of tokenizer.json.
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="<unk>", continuing_subword_prefix="##", max_input_chars_per_word=100))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(WORD), behavior="isolated")
    tokenizer.decoder = decoders.Fuse()
    tokenizer.add_special_tokens(SPECIAL)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        unk_token="<unk>",
        eos_token=END,
        model_max_length=512,
        clean_up_tokenization_spaces=False,
        chat_template=TEMPLATE,
    )


if __name__ == "__main__":
    main()
