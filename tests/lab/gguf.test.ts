// Layer: python/crux_gguf.py on a model of a few numbers. Needs the Python environment of the lab with the package gguf.
import { describe, expect, it } from 'vitest';
import { runPython, temporaryFolder, withoutPython } from './python.ts';

/** A base as GGUF, and a model of the same base, whose conversion is `convert()`; `during` is called before it ends. */
const tiny = (folder: string) => `
import json, os, numpy as np
from pathlib import Path
import crux_gguf
from gguf import GGUFWriter
folder = Path(${JSON.stringify(folder)})
like, model, out = folder / "like.gguf", folder / "model", folder / "out.gguf"
values = np.arange(64, dtype=np.float32).reshape(8, 8)
writer = GGUFWriter(like, "qwen2")
writer.add_block_count(0)
writer.add_tensor("token_embd.weight", values)
for step in (writer.write_header_to_file, writer.write_kv_data_to_file, writer.write_tensors_to_file, writer.close): step()
model.mkdir()
header = json.dumps({"model.embed_tokens.weight": {"dtype": "F32", "shape": [8, 8], "data_offsets": [0, 256]}}).encode()
(model / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + values.tobytes())
during = []
class Watched(GGUFWriter):
    def close(self):
        super().close()
        if during: during.pop()()
crux_gguf.GGUFWriter = Watched
def convert(pid, parent=None):
    os.getpid = lambda: pid
    crux_gguf.write(model, like, out, "F32", parent)
names = lambda: sorted(path.name for path in folder.iterdir())
`;

describe.skipIf(withoutPython !== null)('a model is written as GGUF', () => {
  it('whole, also while the conversion of a worker that was killed is still at work', async () => {
    const program = `${tiny(temporaryFolder())}
convert(1)
alone = out.read_bytes()
out.unlink()
during.append(lambda: convert(2))
convert(1)
print(out.read_bytes() == alone, names())`;
    expect((await runPython(program)).trim()).toBe("True ['like.gguf', 'model', 'out.gguf']");
  });

  it('not at all by one whose worker is gone meanwhile', async () => {
    const program = `${tiny(temporaryFolder())}
own = os.getppid()
def leave(): os.getppid = lambda: own + 1
during.append(leave)
try: convert(1, own)
except crux_gguf.Refusal as refusal: print(refusal, names())`;
    expect((await runPython(program)).trim()).toBe("the process that started this one is gone ['like.gguf', 'model']");
  });
});
