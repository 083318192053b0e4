/** The requests that a run makes, on real states of an environment: the same as the activities make. */
import { readScore, scoreQuestion } from '../activities/roles/score-call.ts';
import { askPurposes, rolesAsked, type SessionRole } from '../domain/ask.ts';
import type { AssistantMessage, Message } from '../domain/message.ts';
import { observationText } from '../domain/observation.ts';
import { readObservation } from '../domain/observation-limit.ts';
import type { Purpose } from '../domain/purpose.ts';
import { alternativeOptionsOf, type Role, type RunConfig } from '../domain/run/run-config.ts';
import type { Task } from '../domain/task.ts';
import { openAnswered } from '../environments/answered-session.ts';
import type { Environment } from '../environments/contract.ts';
import { type AgentFormat, agentFormat } from '../environments/formats/agent-format.ts';
import { type Opening, readOpening } from '../environments/opening.ts';
import { simulatedAnswers } from '../environments/session-context.ts';
import { CruxError } from '../errors.ts';
import type { ModelCall } from '../models/model-call.ts';
import { expertMessages, firstErrorRequest, promptVersions } from '../models/prompts.ts';
import type { Run } from '../store/runs.ts';

/** The most tasks to ask about. */
const mostTasks = 16;

export class Questions {
  readonly environment: Environment;
  readonly format: AgentFormat;
  readonly tasks: readonly Task[];
  readonly #run: Run;

  private constructor(environment: Environment, config: RunConfig, tasks: readonly Task[], { tools }: Opening) {
    this.environment = environment;
    this.format = agentFormat(environment, config.format, { tools, calls: environment.oneCall ? 'first' : 'all' });
    this.tasks = tasks;
    this.#run = { id: 'doctor', method: config.method, environment: environment.name, seed: 1, config } as Run;
  }

  /** @throws CruxError `User.NotFound` if the environment has no task to ask about */
  static async of(environment: Environment, config: RunConfig): Promise<Questions> {
    const tasks = await environment.tasks();
    if (tasks.length === 0) throw new CruxError('User.NotFound', `The environment ${environment.name} has no tasks.`);
    return new Questions(environment, config, tasks.slice(0, mostTasks), await readOpening(environment, tasks[0]!));
  }

  task(number: number): Task {
    return this.tasks[number % this.tasks.length]!;
  }

  /** The request to policy or expert in the first state of a task. @param sample number of the draw, from 0 */
  async opening(role: 'policy' | 'expert', sample: number): Promise<ModelCall> {
    const task = this.task(sample);
    const messages = await this.#openingOf(task);
    if (role === 'policy') return this.#call('policy', 'explore', task, messages, { sample });
    const { expertHints } = alternativeOptionsOf(this.#run.config);
    const hints = expertHints && this.environment.hints ? await this.environment.hints(task) : null;
    return this.#call('expert', 'propose', task, expertMessages(messages, hints), { sample });
  }

  /** The request after a message: the conversation holds the environment's real answer to it. */
  async second(first: ModelCall, message: AssistantMessage, callIds: (string | null)[] | null): Promise<ModelCall> {
    const observation = await this.#observation(first, message);
    const ids = (message.tool_calls ?? []).flatMap(({ id }, index): [string, string][] => {
      const own = callIds?.[index] ?? null;
      return own === null ? [] : [[id, own]];
    });
    const messages = [...first.messages, message, ...observation];
    return { ...first, messages, callIds: Object.fromEntries(ids), step: first.step + 1 };
  }

  /** The request to the PRM about an action in a task's first state. */
  async score(action: AssistantMessage, sample: number): Promise<ModelCall> {
    const task = this.task(sample);
    const opening = await this.#openingOf(task);
    const state = { messages: opening, tools: this.format.tools };
    return {
      ...this.#call('prm', 'score', task, opening, { sample }),
      ...scoreQuestion(this.#run.config, state, action, false),
    };
  }

  /** The request to the judge about a trajectory of one step. */
  async firstError(action: AssistantMessage): Promise<ModelCall> {
    const task = this.task(0);
    const opening = await this.#openingOf(task);
    const step = { messages: [action, ...this.#answered(action, 'Nothing happened.')] };
    const { messages, responseFormat } = firstErrorRequest(opening, this.format.tools, [step], {
      version: promptVersions.judge,
    });
    return { ...this.#call('prm', 'locate', task, messages, { sample: 0 }), tools: [], responseFormat };
  }

  /** A question to a model that sessions ask. What they ask is the environment's own, so only the model itself is tried. */
  async asked(role: SessionRole): Promise<ModelCall> {
    const messages: Message[] = [
      { role: 'user', content: 'This is a test of the connection. Answer with one word: ready' },
    ];
    const purpose = askPurposes.find((name) => rolesAsked[name] === role)!;
    return { ...this.#call(role, purpose, this.task(0), messages, { sample: 0 }), tools: [] };
  }

  /** An action of the first task, for when no model gave one: the first of its script, otherwise the end of the work. */
  async anyAction(): Promise<AssistantMessage> {
    const [first] = (await this.environment.script?.(this.task(0))) ?? [];
    return first ? this.format.render(first.thought, [first.action], 1) : { role: 'assistant', content: 'I give up.' };
  }

  async #openingOf(task: Task): Promise<Message[]> {
    return this.format.opening((await readOpening(this.environment, task)).messages);
  }

  /** What the environment says to the first action of a message. */
  async #observation({ taskId }: ModelCall, message: AssistantMessage): Promise<Message[]> {
    const [first] = this.format.parse(message).calls;
    if (first!.kind === 'malformed') return this.#answered(message, first!.hint);
    const { environment } = this;
    const task = this.tasks.find(({ id }) => id === taskId)!;
    const session = await openAnswered(environment, task, simulatedAnswers(environment));
    try {
      const { observation } = await session.step(first!.action, AbortSignal.timeout(60_000));
      return this.#answered(
        message,
        readObservation(observationText(observation), this.#run.config.observationLimit).text,
      );
    } finally {
      await session.close?.();
    }
  }

  /** Every call of a message must be answered. */
  #answered(message: AssistantMessage, text: string): Message[] {
    return this.format.observation(
      message,
      this.format.parse(message).calls.map(() => text),
    );
  }

  #call(role: Role, purpose: Purpose, task: Task, messages: Message[], { sample }: { sample: number }): ModelCall {
    return {
      run: this.#run,
      taskId: task.id,
      address: { nodeId: `doctor-${task.id}`, role, purpose, stream: '', sample, ask: 0 },
      messages,
      tools: this.format.tools,
      step: 1,
    };
  }
}

/** Whether a PRM's answer holds a score. */
export function holdsScore({ content }: AssistantMessage): boolean {
  return readScore(content ?? '', promptVersions.score) !== null;
}
