/** The end of each command's help: an example, and the page with the details. */
import { join, relative } from 'node:path';
import type { Command } from 'commander';
import { packageRoot } from '../../package-root.ts';

/** By command; pages are files in `docs/`. */
const help: { readonly [command: string]: { example: string; page: string } } = {
  init: { example: 'crux init --env ./my-env.ts --simulated', page: 'first-environment.md' },
  demo: { example: 'crux demo --open-ui', page: 'start.md' },
  up: { example: 'crux up --metrics 127.0.0.1:9464', page: 'operations.md' },
  down: { example: 'crux down --all', page: 'operations.md' },
  worker: { example: 'crux worker --roles agent', page: 'deployment.md' },
  deployment: { example: 'crux deployment crux --set-current 2026-12-01', page: 'deployment.md' },
  run: { example: 'crux run cso --env intercode-sql --sample 20 --set alternatives=3', page: 'methods.md' },
  evaluate: {
    example: 'crux evaluate --policy my-model-round-1 --trained-on cso-1,none --samples 4',
    page: 'evaluation.md',
  },
  improve: { example: 'crux improve --run-id cso-rounds --rounds 2', page: 'improve.md' },
  status: { example: 'crux status', page: 'cli.md' },
  watch: { example: 'crux watch cso-1', page: 'operations.md' },
  pause: { example: 'crux pause cso-1', page: 'operations.md' },
  resume: { example: 'crux resume cso-1', page: 'operations.md' },
  cancel: { example: 'crux cancel cso-1', page: 'operations.md' },
  budget: { example: 'crux budget cso-1 --max-calls 20000', page: 'operations.md' },
  providers: { example: 'crux providers --clear', page: 'operations.md' },
  show: { example: 'crux show cso-1 --task 17', page: 'cli.md' },
  audit: { example: 'crux audit cso-1 --sample 0.1', page: 'methods.md' },
  compare: { example: 'crux compare cso-1 rro-1 --out compared.html', page: 'methods.md' },
  calibrate: { example: 'crux calibrate cso-1 --out calibration.html', page: 'methods.md' },
  export: { example: 'crux export cso-1 --format trl --out pairs/ --tokenizer path/to/model', page: 'exports.md' },
  report: { example: 'crux report cso-1', page: 'cli.md' },
  'verify-pair': { example: 'crux verify-pair cso-1', page: 'methods.md' },
  import: { example: 'crux import intercode-sql --from path/to/intercode-sql', page: 'environments.md' },
  'check-env': { example: 'crux check-env ./my-env.ts', page: 'environments.md' },
  gc: { example: 'crux gc --older-than 30', page: 'operations.md' },
  doctor: { example: 'crux doctor', page: 'cli.md' },
  completion: { example: 'crux completion bash >> ~/.bashrc', page: 'cli.md' },
  'codec-server': { example: 'crux codec-server --token-env CODEC_TOKEN', page: 'observability.md' },
  'serve-sim': { example: 'crux serve-sim --env ./my-env.ts --mistakes 0.4', page: 'simulation.md' },
};

/** @throws Error for a command without a row: its help would be the only one without an example */
export function addHelp(program: Command): void {
  for (const command of program.commands) {
    const own = help[command.name()];
    if (own === undefined)
      throw new Error(`There is no example of crux ${command.name()} in src/cli/terminal/help.ts.`);
    const page = relative(process.cwd(), join(packageRoot, 'docs', own.page));
    command
      .addHelpText(
        'after',
        `\nExample:  ${own.example}\nMore:     ${page}\nOptions of all commands (--config, --home, --json, --verbose): crux --help`,
      )
      .showHelpAfterError(`(crux ${command.name()} --help shows how it is used)`);
  }
}
