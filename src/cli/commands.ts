/** All commands with their arguments. What they do is loaded when they are called, so that reading commands start fast. */

import { type Command, InvalidArgumentError, Option } from 'commander';
import { methodNames } from '../domain/methods/index.ts';
import { granularities } from '../domain/run/run-config.ts';
import { importers } from '../imports/importers.ts';
import { completionScript, type Shell, shells } from './commands/completion.ts';
import type { GlobalOptions } from './setting.ts';
import { addHelp } from './terminal/help.ts';
import { print } from './terminal/terminal.ts';

export function registerCommands(program: Command): void {
  const setting = () => program.opts<GlobalOptions>();

  program
    .command('init')
    .description('write a crux.config.ts to start from')
    .option('--env <file>', 'a file that exports your environment (default: the tasks of the demo)')
    .option('--simulated', 'use the models of `crux serve-sim`, which need no key')
    .action(async (options) => (await import('./commands/init.ts')).init(setting(), options));

  program
    .command('demo')
    .description('run a whole round on bundled tasks with simulated models: no key, no server, no GPU')
    .addOption(
      new Option('--env <tasks>', 'SQL tasks or a library to search, mined by CSO, or a shop, mined by RRO')
        .choices(['sql', 'shop', 'search'])
        .default('sql'),
    )
    .option('--fresh', 'start over instead of continuing the last demo')
    .option('--open-ui', 'keep running after the end, so that you can look at the Temporal UI')
    .action(async (options) => (await import('./commands/demo.ts')).demo(setting(), options));

  observable(program.command('up'))
    .description('keep the Temporal server and a worker running, until Ctrl-C')
    .action(async (options) => (await import('./commands/up.ts')).up(setting(), options));

  program
    .command('down')
    .description('end the Temporal server of the home folder, unless something uses it')
    .option('--all', 'also end those of all your other home folders')
    .option('--force', 'end it although workers or commands use it')
    .action(async (options) => (await import('./commands/down.ts')).down(setting(), options));

  observable(program.command('worker'))
    .description('start one more worker, on this or another machine')
    .option('--roles <roles>', 'of workflow, agent, train: all that it does', list, ['workflow', 'agent'])
    .addOption(
      new Option('--deployment <name>', 'worker deployment that it belongs to').env('TEMPORAL_DEPLOYMENT_NAME'),
    )
    .addOption(new Option('--build-id <id>', 'build of the code that it runs').env('TEMPORAL_WORKER_BUILD_ID'))
    .action(async (options) => (await import('./commands/up.ts')).worker(setting(), options));

  program
    .command('deployment')
    .argument('<name>')
    .description('list the builds of a worker deployment, and choose which of them gets new work')
    .option('--set-current <build>', 'route new work to this build')
    .option('--ramp <build>', 'route a share of new work to this build')
    .option('--percent <n>', 'the share for --ramp, in percent, 0 to 100', wholeNumber)
    .action(async (name, options) => (await import('./commands/deployment.ts')).deployment(setting(), name, options));

  choosingTasks(program.command('run'))
    .description('start a run or continue one, and show its progress')
    .addArgument(program.createArgument('<method>', 'method').choices(methodNames))
    .option('--run-id <id>', 'id of the run (default: method, environment and time)')
    .option('--env <name>', 'environment of the configuration')
    .addOption(new Option('--split <split>', 'tasks to take').choices(['train', 'test']).default('train'))
    .addOption(
      new Option('--trajectories <source>', 'where trajectories come from: made by the policy, or recorded ones')
        .choices(['policy', 'imported'])
        .default('policy'),
    )
    .option('--samples <n>', 'trajectories per task', wholeNumber)
    .addOption(new Option('--preset <preset>', 'published or sound').choices(['published', 'sound']))
    .option('--seed <n>', 'seed of everything that is drawn', wholeNumber)
    .option('--set <option=value...>', 'options of the method, as in the configuration, e.g. gammaLow=0.4')
    .addOption(
      new Option('--granularity <g>', 'trajectories and branches as one activity each, or step by step').choices(
        granularities,
      ),
    )
    .option('--max-calls <n>', 'ceiling on model calls', wholeNumber)
    .option('--max-tokens <n>', 'ceiling on tokens', wholeNumber)
    .option('--max-cost <dollars>', 'ceiling on cost in US dollars', positiveNumber)
    .option('--max-rollouts <n>', 'ceiling on rollouts', wholeNumber)
    .option(
      '--trained-on <runs>',
      'runs that the policy was trained on; `none` at the end says that these are all',
      list,
    )
    .option('--reuse <run...>', 'read answers that these runs have paid for')
    .option('--detach', 'start the run and return; a worker elsewhere does the work')
    .action(async (method, options) => (await import('./commands/run.ts')).run(setting(), method, options));

  choosingTasks(program.command('evaluate'))
    .description('measure how good the policy is on tasks that it has not seen: success, reward, pass@k, by difficulty')
    .option('--policy <model>', 'evaluate this model instead of the configured policy')
    .option('--endpoint <name>', 'endpoint of the configuration that serves it')
    .option('--temperature <t>', 'temperature of its sampling', temperature)
    .option('--trained-on <runs>', 'runs that it was trained on; `none` at the end says that these are all', list)
    .option('--allow-leak', 'also test on groups that it has seen or may have seen; the run is marked')
    .option('--env <name>', 'environment of the configuration')
    .addOption(new Option('--split <split>', 'tasks to take').choices(['train', 'test']).default('test'))
    .option('--samples <n>', 'trajectories per task', wholeNumber, 1)
    .option('--seed <n>', 'seed of everything that is drawn', wholeNumber)
    .option('--run-id <id>', 'id of the run (default: method, environment and time)')
    .option('--max-calls <n>', 'ceiling on model calls', wholeNumber)
    .option('--max-tokens <n>', 'ceiling on tokens', wholeNumber)
    .option('--max-cost <dollars>', 'ceiling on cost in US dollars', positiveNumber)
    .option('--max-rollouts <n>', 'ceiling on rollouts', wholeNumber)
    .option('--reuse <run...>', 'read answers that these evaluations have paid for')
    .option('--detach', 'start the run and return; a worker elsewhere does the work')
    .action(async (options) => (await import('./commands/evaluate.ts')).evaluate(setting(), options));

  program
    .command('improve')
    .description('train the policy in rounds: collect, train, serve, evaluate, decide; goes on after anything')
    .option('--run-id <id>', 'id of the improvement (default: method, environment and time)')
    .option('--env <name>', 'environment of the configuration')
    .option('--seed <n>', 'seed of everything that is drawn', wholeNumber)
    .option('--rounds <n>', 'rounds at most (default: as the configuration or the method says)', wholeNumber)
    .option('--detach', 'start it and return; workers elsewhere do the work')
    .action(async (options) => (await import('./commands/improve.ts')).improve(setting(), options));

  program
    .command('status')
    .argument('[run]', 'run (default: all)')
    .description('show the state of runs, what they wait for, the workers and the Temporal server')
    .action(async (run) => (await import('./commands/status.ts')).status(setting(), run));

  program
    .command('providers')
    .description('list the providers of models, and say which get no calls now, until when, and why')
    .option('--clear [provider]', 'end cool-downs now, of all providers or of this one')
    .action(async (options) => (await import('./commands/providers.ts')).providers(setting(), options));

  program
    .command('watch')
    .argument('<run>')
    .description('follow a run until it ends')
    .action(async (run) => (await import('./commands/status.ts')).watch(setting(), run));

  for (const [name, description] of [
    ['pause', 'start no more model calls; calls in progress finish'],
    ['resume', 'continue a run that is paused, at rest or blocked'],
    ['cancel', 'end a run with the pairs that it has'],
  ] as const) {
    program
      .command(name)
      .argument('<run>')
      .description(description)
      .action(async (run) => (await import('./commands/control.ts')).control(setting(), run, name));
  }

  program
    .command('budget')
    .argument('<run>')
    .description('replace the ceilings of a run or an improvement; a ceiling that you do not name is removed')
    .option('--max-calls <n>', 'model calls', wholeNumber)
    .option('--max-tokens <n>', 'tokens', wholeNumber)
    .option('--max-cost <dollars>', 'US dollars', positiveNumber)
    .option('--max-rollouts <n>', 'rollouts', wholeNumber)
    .action(async (run, options) => (await import('./commands/control.ts')).budget(setting(), run, options));

  program
    .command('show')
    .argument('<run>')
    .option('--task <id>', 'show the tree of this task instead')
    .option('--unseal', 'also show the texts of sealed tasks')
    .description('show the results of a run; with --task: steps, scores, branches, verdicts, cost')
    .action(async (run, options) => (await import('./commands/show.ts')).show(setting(), run, options));

  program
    .command('audit')
    .argument('<run>')
    .description('measure how many pairs of a run are right, by rolling out their actions again')
    .option('--rollouts <n>', 'reference rollouts of each action', wholeNumber, 64)
    .option('--sample <share or count>', 'only some of the pairs: a share below 1, or a number', positiveNumber)
    .option('--max-calls <n>', 'new ceiling on model calls of the run, including the audit', wholeNumber)
    .option('--max-tokens <n>', 'new ceiling on tokens', wholeNumber)
    .option('--max-cost <dollars>', 'new ceiling on cost in US dollars', positiveNumber)
    .option('--max-rollouts <n>', 'new ceiling on rollouts of the run, including the audit', wholeNumber)
    .action(async (run, options) => (await import('./commands/audit.ts')).audit(setting(), run, options));

  program
    .command('compare')
    .argument('<run...>', 'two or more runs; each is compared with the first')
    .description('show runs side by side, with intervals and the smallest difference that could have been seen')
    .option('--ledger-only', 'show only what pairs took (calls, tokens, cost); allows different environments or splits')
    .option('--out <file>', 'also write a static HTML page with bar charts')
    .option('--force', 'overwrite an existing file')
    .action(async (runs, options) => (await import('./commands/compare.ts')).compare(setting(), runs, options));

  program
    .command('calibrate')
    .argument('<run>')
    .description("show how far the scores of a run's PRM can be trusted, and which thresholds fit it")
    .option('--out <file>', 'also write a static HTML page with the reliability curve')
    .option('--force', 'overwrite an existing file')
    .action(async (run, options) => (await import('./commands/calibrate.ts')).calibrate(setting(), run, options));

  program
    .command('export')
    .argument('<run>')
    .description('write pairs, examples or actions in the form of a trainer, with their sources and a lint report')
    .requiredOption(
      '--format <format>',
      'pairs: trl, kto, llama-factory, openai, openrlhf, axolotl, crux-masked; examples: trl-sft, llama-factory-sft, openai-sft, openrlhf-sft, axolotl-sft, agentgym, crux-masked-sft; actions: trl-prm, prm, openai-prm',
    )
    .requiredOption('--out <folder>', 'folder to write to')
    .option('--tokenizer <folder>', "the target's tokenizer.json and tokenizer_config.json, for exact lengths")
    .option('--max-length <n>', "the target's limit in tokens", wholeNumber)
    .addOption(new Option('--thought <what>', 'keep or drop thoughts').choices(['keep', 'drop']).default('keep'))
    .addOption(new Option('--arguments-as <form>', 'form of tool arguments in TRL rows').choices(['object', 'text']))
    .addOption(
      new Option(
        '--system-role <what>',
        "keep the system message, or fold it into the first user message (default: as the run's policy was asked)",
      ).choices(['keep', 'fold']),
    )
    .option('--tools-as-text', 'write tool calls and results as text, for targets without tool turns')
    .option(
      '--train-on-observations',
      'export sides of several turns even to targets that then train on what the environment wrote',
    )
    .addOption(
      new Option('--ties <label>', 'the yes-or-no label of an outcome of exactly 0.5 (default: good)').choices([
        'good',
        'bad',
        'leave-out',
      ]),
    )
    .option('--without <flags>', 'leave out what has any of these flags, e.g. ungrounded,solves-alone', list)
    .addOption(
      new Option('--balance <what>', 'leave out pairs until no kind of action stands mostly on one side').choices([
        'action',
      ]),
    )
    .addOption(
      new Option(
        '--sides <how>',
        'draw which side of a pair is the chosen one, for a placebo training (default: as found)',
      ).choices(['coin']),
    )
    .option('--with-sealed', 'also export sealed tasks: texts of benchmarks that are not to be trained on')
    .option('--keep-special', "also export rows with the target's special tokens in their texts, and mark them")
    .option('--force', 'overwrite existing files')
    .action(async (run, options) => (await import('./commands/export.ts')).exportRun(setting(), run, options));

  program
    .command('report')
    .argument('<run>')
    .description('write a static HTML report')
    .option('--out <file>', 'file to write (default: <home>/reports/<run>.html)')
    .option('--force', 'overwrite an existing file even if it is not an earlier report of this run')
    .option('--unseal', 'also write the texts of sealed tasks into it')
    .action(async (run, options) => (await import('./commands/report.ts')).report(setting(), run, options));

  program
    .command('verify-pair')
    .argument('<pair...>', 'pair ids, or a run id for all of its pairs')
    .description('check certificates again by replaying their branches in the environment')
    .option('--unseal', 'also show what does not hold in sealed tasks')
    .action(async (pairs, options) =>
      (await import('./commands/verify-pair.ts')).verifyPairs(setting(), pairs, options),
    );

  program
    .command('import')
    .addArgument(
      program.createArgument('<what>', 'what to import').choices([...Object.keys(importers), 'trajectories']),
    )
    .description('import a data set with its recorded runs, or trajectories that were recorded for an environment')
    .requiredOption(
      '--from <path>',
      'folder of the data set; for deep-search also a file of questions; for trajectories a file of JSON lines',
    )
    .option('--env <environment>', 'for trajectories: name in the configuration, or a file that exports an environment')
    .option('--name <name>', 'name of the data set under <home>/data')
    .option('--runs <path...>', 'files and folders of recorded runs, besides those in the folder')
    .action(async (what, options) =>
      what === 'trajectories'
        ? (await import('./commands/import-trajectories.ts')).importConversations(setting(), options)
        : (await import('./commands/import.ts')).importData(setting(), what, options),
    );

  program
    .command('check-env')
    .argument('<environment>', 'name in the configuration, or a file that exports an environment')
    .description('test an environment: determinism, replay, state hash, reset, leaks of the gold answer, timing')
    .option('--tasks <n>', 'tasks to try', wholeNumber, 10)
    .option('--stress', 'also play tasks while processes are stopped for a while or killed')
    .option('--stall <seconds>', 'how long --stress stops processes', wholeNumber, 7)
    .action(async (environment, options) =>
      (await import('./commands/check-env.ts')).checkEnv(setting(), environment, options),
    );

  program
    .command('gc')
    .argument('[run...]', 'delete only these runs')
    .option('--older-than <days>', 'delete only runs that ended more than this many days ago', wholeNumber)
    .option('--keep-last <n>', 'keep the newest n runs', wholeNumber)
    .option('--force', 'also delete runs that other runs read from (--reuse)')
    .option('--yes', 'delete; without it, only list what would be deleted')
    .description('delete old runs from the store, with everything that only they need')
    .action(async (runs, options) => (await import('./commands/gc.ts')).gc(setting(), runs, options));

  program
    .command('doctor')
    .description('check this set-up, and what the models do with the requests that a run sends')
    .option('--env <name>', 'environment whose tasks the models are asked about (default: the first)')
    .option('--samples <n>', 'messages drawn from policy and expert, to see how many are malformed', wholeNumber, 8)
    .option(
      '--determinism',
      'check whether the policy gives the same answer to the same request: 16 requests one by one, twice, and all at once',
    )
    .action(async (options) => (await import('./commands/doctor.ts')).doctor(setting(), options));

  program
    .command('completion')
    .addArgument(program.createArgument('<shell>', 'your shell').choices(shells))
    .description('print a script that makes your shell complete commands and options')
    .action((shell: Shell) => print(completionScript(program, shell).trimEnd()));

  program
    .command('codec-server')
    .description('decrypt payloads for the Temporal UI in your browser')
    .option('--host <host>', 'address to listen at', '127.0.0.1')
    .option('--port <n>', 'port', portNumber, 8234)
    .option('--ui-origin <origin...>', 'address at which the Temporal UI is opened (default: that of the home folder)')
    .option('--token-env <name>', 'variable that holds a token; requests must carry it')
    .action(async (options) => (await import('./commands/codec-server.ts')).codecServer(setting(), options));

  program
    .command('serve-sim')
    .description('run the simulated model server, for trials, tests and load')
    .option('--data <folder...>', 'data sets whose tasks it knows (default: the bundled one)')
    .option(
      '--env <environment>',
      'environment whose tasks it knows by their scripts: name in the configuration, or a file that exports one',
    )
    .option(
      '--mistakes <share>',
      "share of the policy's steps in the tasks of --env that are mistakes (default: 0.4)",
      share,
    )
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <n>', 'port', portNumber, 8123)
    .option('--seed <n>', 'seed of all answers', wholeNumber, 1)
    .option('--latency <ms>', 'mean time of an answer', wholeNumber, 0)
    .option('--faults <rate>', 'share of requests that end in a fault', positiveNumber)
    .option('--requests-per-minute <n>', 'requests that it allows in a minute; more are answered with 429', wholeNumber)
    .action(async (options) => (await import('./commands/serve-sim.ts')).serveSim(setting(), options));
  addHelp(program);
}

/** Options of commands that take tasks of an environment. Each option narrows the selection of the options before it. */
function choosingTasks(command: Command): Command {
  return command
    .option('--task <id...>', 'only these tasks')
    .option(
      '--tasks-from <file>',
      'only the tasks that a file names: one id per line, or JSON lines with `id` or `task_id`',
    )
    .option('--difficulty <name...>', 'only tasks of these difficulties')
    .option('--exclude <id...>', 'all tasks except these')
    .option('--sample <n>', 'this many tasks, drawn by the seed', wholeNumber)
    .option('--limit <n>', 'at most this many tasks, the first in their order', wholeNumber);
}

/** Options of commands that keep a worker running. */
function observable(command: Command): Command {
  return command
    .option('--metrics <host:port>', 'address at which to serve metrics for Prometheus')
    .addOption(new Option('--log-format <format>', 'how log lines look').choices(['pretty', 'json']))
    .addOption(
      new Option('--log-level <level>', 'lowest level of lines that are written').choices([
        'debug',
        'info',
        'warn',
        'error',
      ]),
    );
}

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('expected a whole number.');
  return Number(text);
}

function portNumber(text: string): number {
  const port = wholeNumber(text);
  if (port > 65_535) throw new InvalidArgumentError('expected a port, 0 to 65535.');
  return port;
}

function share(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 1))
    throw new InvalidArgumentError('expected a number from 0 to 1.');
  return value;
}

function positiveNumber(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('expected a number above 0.');
  return value;
}

function temperature(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < 0)
    throw new InvalidArgumentError('expected a number from 0.');
  return value;
}

function list(text: string): string[] {
  return text.split(',').map((part) => part.trim());
}
