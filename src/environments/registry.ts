import type { Task } from '../domain/task.ts';
import { CruxError } from '../errors.ts';
import { type Environment, replays } from './contract.ts';

/** The environments that this process knows, by name. */
export class EnvironmentRegistry {
  readonly #environments: ReadonlyMap<string, Environment>;
  readonly #tasks = new Map<string, Promise<Map<string, Task>>>();

  /** @throws CruxError `User.Config` when two environments have the same name, or one was not made by `defineEnvironment` */
  constructor(environments: readonly Environment[]) {
    const names = environments.map((environment) => environment.name);
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (twice) {
      throw new CruxError('User.Config', `Two environments are named "${twice}".`, {
        remedy: 'Give one of them another name.',
      });
    }
    for (const environment of environments) requireDefined(environment);
    this.#environments = new Map(environments.map((environment) => [environment.name, environment]));
  }

  get names(): string[] {
    return [...this.#environments.keys()];
  }

  /** @throws CruxError `User.NotFound` */
  get(name: string): Environment {
    const environment = this.#environments.get(name);
    if (environment) return environment;
    throw new CruxError('User.NotFound', `There is no environment "${name}" in the configuration.`, {
      remedy: this.names.length ? `Known: ${this.names.join(', ')}.` : 'Add it to `environments` of crux.config.ts.',
    });
  }

  async tasks(name: string): Promise<Task[]> {
    return [...(await this.#index(name)).values()];
  }

  /** @throws CruxError `User.NotFound` */
  async task(name: string, taskId: string): Promise<Task> {
    const task = (await this.#index(name)).get(taskId);
    if (task) return task;
    throw new CruxError('User.NotFound', `The environment "${name}" has no task "${taskId}".`);
  }

  async close(): Promise<void> {
    for (const environment of this.#environments.values()) await environment.close?.();
  }

  #index(name: string): Promise<Map<string, Task>> {
    let index = this.#tasks.get(name);
    if (!index) {
      index = this.get(name)
        .tasks()
        .then((tasks) => new Map(tasks.map((task) => [task.id, task])));
      // A data set that could not be read now may be readable later.
      index.catch(() => this.#tasks.delete(name));
      this.#tasks.set(name, index);
    }
    return index;
  }
}

/** An object that was put together without `defineEnvironment` may say `deterministic`, which is read only there. */
function requireDefined({ name, capabilities }: Environment): void {
  if (replays.includes(capabilities?.replay) && !('deterministic' in capabilities)) return;
  throw new CruxError(
    'User.Config',
    `The capabilities of the environment "${name}" are not those that defineEnvironment makes.`,
    {
      remedy: 'Give the changed environment to defineEnvironment, with `replay` in place of `deterministic`.',
    },
  );
}
