/** Folders of low-rank adapters, as PEFT writes them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The model that an adapter was trained on, a folder or the name of one of a hub; null for a folder of whole weights, and for a name. */
export function baseOfAdapter(folder: string): string | null {
  try {
    const config: { base_model_name_or_path?: unknown } = JSON.parse(
      readFileSync(join(folder, 'adapter_config.json'), 'utf8'),
    );
    const { base_model_name_or_path: base } = config;
    return typeof base === 'string' ? base : null;
  } catch {
    return null;
  }
}
