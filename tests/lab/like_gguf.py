"""
Writes a GGUF with random weights for a tiny model of make_base.py: what a base's publisher would have. python like_gguf.py <folder of the model> <out.gguf>

Its words are the tokens of a byte-pair vocabulary without merges: the canary gives token ids, and nobody reads a text.
"""

import json
import sys
from pathlib import Path

import numpy as np
from gguf import GGUFWriter, TokenType

folder, out = Path(sys.argv[1]), sys.argv[2]
config = json.loads((folder / "config.json").read_text())
vocabulary = json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]
width, inner, words = config["hidden_size"], config["intermediate_size"], config["vocab_size"]

writer = GGUFWriter(out, "llama")
writer.add_context_length(config["max_position_embeddings"])
writer.add_embedding_length(width)
writer.add_block_count(config["num_hidden_layers"])
writer.add_feed_forward_length(inner)
writer.add_head_count(config["num_attention_heads"])
writer.add_head_count_kv(config["num_key_value_heads"])
writer.add_rope_dimension_count(width // config["num_attention_heads"])
writer.add_rope_freq_base(config["rope_parameters"]["rope_theta"])
writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
writer.add_vocab_size(words)
writer.add_tokenizer_model("gpt2")
writer.add_tokenizer_pre("default")
writer.add_token_list(sorted(vocabulary, key=vocabulary.get))
writer.add_token_types([TokenType.NORMAL] * words)
writer.add_token_merges(["a b"])
writer.add_eos_token_id(config["eos_token_id"])
writer.add_chat_template("{% for message in messages %}{{ message['content'] }}{% endfor %}")

random = np.random.default_rng(0)
shapes = {"token_embd.weight": (words, width), "output_norm.weight": (width,)}
for block in range(config["num_hidden_layers"]):
    part = {
        **{f"attn_{name}": (width, width) for name in ("q", "k", "v", "output")},
        **{"ffn_gate": (inner, width), "ffn_up": (inner, width), "ffn_down": (width, inner)},
        **{"attn_norm": (width,), "ffn_norm": (width,)},
    }
    shapes |= {f"blk.{block}.{name}.weight": shape for name, shape in part.items()}
for name, shape in shapes.items():
    writer.add_tensor(name, random.standard_normal(shape).astype(np.float32))
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()
