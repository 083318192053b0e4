/** Folders of low-rank adapters, as PEFT writes them. */
import { existsSync, readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { CruxError } from '../errors.ts';

const configName = 'adapter_config.json';

/** Whether weights are an adapter's folder: not one of whole weights, and no name of a hub. */
export function isAdapter(root: string): boolean {
  return isAbsolute(root) && existsSync(join(root, configName));
}

/**
 * The model that an adapter was trained on, a folder or the name of one of a hub; null for a folder of whole weights, and for a name.
 * @throws CruxError `User.Config` for an adapter that does not say so
 */
export function baseOfAdapter(folder: string): string | null {
  return isAdapter(folder) ? adapterIn(folder).base : null;
}

/** @throws CruxError `User.Config` if the folder does not say it */
export function adapterIn(folder: string): { base: string; rank: number | null; alpha: number | null } {
  const file = join(folder, configName);
  const config = configIn(file);
  const { base_model_name_or_path: base, r, lora_alpha: alpha } = config;
  if (typeof base !== 'string') {
    throw new CruxError('User.Config', `${file} does not name the model that the adapter was trained on.`, {
      remedy: 'Give its `base_model_name_or_path`, as PEFT writes it.',
    });
  }
  return { base, rank: numberOrNull(r), alpha: numberOrNull(alpha) };
}

/** Empty if the file cannot be read. */
function configIn(file: string): { [name: string]: unknown } {
  try {
    const content: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return typeof content === 'object' && content !== null ? (content as { [name: string]: unknown }) : {};
  } catch {
    return {};
  }
}

function numberOrNull(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}
