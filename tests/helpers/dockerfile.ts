/** Reads the Dockerfile, and does on this machine what it tells Docker to do in an image. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { repository } from './compose.ts';

export type Instruction =
  | { kind: 'FROM'; image: string; name: string }
  | { kind: 'WORKDIR' | 'RUN' | 'USER'; value: string }
  | { kind: 'ARG' | 'ENV'; name: string; value: string }
  | { kind: 'COPY'; from: string | null; sources: string[]; target: string }
  | { kind: 'ENTRYPOINT' | 'CMD'; words: string[] };

/** @throws Error for an instruction that this reader, and so the test of the image, does not know */
export function readDockerfile(): Instruction[] {
  const lines = readFileSync(join(repository, 'Dockerfile'), 'utf8').split('\n');
  return lines.filter((line) => line !== '' && !line.startsWith('#')).map(instructionOf);
}

function instructionOf(line: string, index: number): Instruction {
  const [kind, ...words] = line.split(' ');
  const rest = words.join(' ');
  switch (kind) {
    case 'FROM':
      return { kind, image: words[0]!, name: words[2] ?? `stage ${index}` };
    case 'WORKDIR':
    case 'RUN':
    case 'USER':
      return { kind, value: rest };
    case 'ARG':
    case 'ENV':
      return { kind, name: rest.split('=')[0]!, value: rest.split('=')[1]! };
    case 'COPY': {
      const from = /^--from=(\S+) /.exec(rest)?.[1] ?? null;
      const paths = rest.replace(/^--from=\S+ /, '').split(' ');
      return { kind, from, sources: paths.slice(0, -1), target: paths.at(-1)! };
    }
    case 'ENTRYPOINT':
    case 'CMD':
      return { kind, words: JSON.parse(rest) as string[] };
    default:
      throw new Error(`Unknown instruction in Dockerfile: ${line}`);
  }
}

export type NativeImage = {
  /** Folder that stands for `/`. */
  root: string;
  entrypoint: string[];
  environment: { [name: string]: string };
};

/** Carries all instructions out below a folder, each stage in a folder of its own. @returns the last stage */
export function buildNatively(folder: string, report: (line: string) => void): NativeImage {
  const stages = new Map<string, string>();
  let image: NativeImage = { root: folder, entrypoint: [], environment: {} };
  let workFolder = '/';
  const within = (path: string) => join(image.root, path.startsWith('/') ? path : join(workFolder, path));
  for (const instruction of readDockerfile()) {
    switch (instruction.kind) {
      case 'FROM':
        image = { root: join(folder, `stage-${stages.size}`), entrypoint: [], environment: {} };
        stages.set(instruction.name, image.root);
        break;
      case 'WORKDIR':
        workFolder = instruction.value;
        mkdirSync(within('.'), { recursive: true });
        break;
      case 'ENV':
        image.environment[instruction.name] = instruction.value;
        break;
      case 'COPY':
        copy(
          instruction,
          instruction.from === null ? repository : stages.get(instruction.from)!,
          within(instruction.target),
        );
        break;
      case 'RUN':
        report(instruction.value);
        execFileSync('sh', ['-c', instruction.value], {
          cwd: within('.'),
          env: { ...process.env, ...image.environment },
          stdio: ['ignore', 'ignore', 'inherit'],
        });
        break;
      case 'ENTRYPOINT':
        image.entrypoint = instruction.words.map((word) => (word.startsWith('/') ? within(word) : word));
        break;
      default:
    }
  }
  return image;
}

/** As Docker does: into the target where that is a folder that is there, or ends in a slash, or gets several; and folders' contents. */
function copy({ sources }: { sources: string[] }, from: string, target: string): void {
  for (const source of sources) {
    const path = join(from, source);
    const isFolder = statSync(path).isDirectory();
    const into = !isFolder && (sources.length > 1 || target.endsWith('/')) ? join(target, basename(source)) : target;
    cpSync(path, into, { recursive: true });
  }
}
