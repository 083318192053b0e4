/** Asks a model for `crux doctor` as the gateway does, but without journal, ceilings and claims. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { RoleSettings } from '../domain/run/run-config.ts';
import { CruxError, errorText } from '../errors.ts';
import type { Completion } from '../models/answers/completion.ts';
import { UnusableAnswer } from '../models/answers/unusable-answer.ts';
import type { Endpoint } from '../models/endpoint.ts';
import { callKey } from '../models/gateway.ts';
import { type ModelCall, ownCallIds, requestBody, settingsOf, stopOf, understood } from '../models/model-call.ts';
import type { JsonLadder } from '../models/requests/json-ladder.ts';
import { sendShaped } from '../models/requests/shaped-call.ts';
import { seedOf } from '../models/seed.ts';

/** How a check treats a server that keeps it waiting. */
export type Pace = {
  /** When the check first reports that it waits for an answer, and how often after that. */
  tellAfterMs: number;
  tellEveryMs: number;
  /** How long to wait for the list of models. */
  listMs: number;
  /** How long to wait for an answer if not even the list arrived: the server seems to be down. */
  silentMs: number;
};

export const usualPace: Pace = { tellAfterMs: 5_000, tellEveryMs: 15_000, listMs: 10_000, silentMs: 30_000 };

/** Pauses before a busy or failing server is asked again. */
const pausesMs = [1_000, 5_000];

export class Asking {
  /** With the present time limit. */
  endpoint: Endpoint;
  readonly settings: RoleSettings;
  /** Other names under which the model may answer. */
  readonly servedAs: readonly string[];
  readonly pace: Pace;
  readonly #ladder: JsonLadder;
  readonly #tell: (line: string) => void;
  readonly #usualEndpoint: Endpoint;
  /** Answers in progress, the oldest first. */
  readonly #waiting = new Set<Promise<unknown>>();
  /** Services may cache answers by this key, so it differs from the last check's. */
  readonly #keyOfCheck = `doctor-${Date.now()}`;
  calls = 0;
  tokens = 0;

  constructor(
    endpoint: Endpoint,
    settings: RoleSettings,
    servedAs: readonly string[],
    { ladder, pace, tell }: { ladder: JsonLadder; pace: Pace; tell: (line: string) => void },
  ) {
    this.endpoint = endpoint;
    this.#usualEndpoint = endpoint;
    this.settings = settings;
    this.servedAs = servedAs;
    this.pace = pace;
    this.#ladder = ladder;
    this.#tell = tell;
  }

  /** The server is given little time until it has answered once. */
  hurry(): void {
    this.endpoint = this.#usualEndpoint.within(Math.min(this.pace.silentMs, this.usualTimeoutMs));
  }

  /** How long a run waits for an answer. */
  get usualTimeoutMs(): number {
    return this.#usualEndpoint.config.timeoutMs;
  }

  /**
   * @param shape changes to the role's settings, to find out what is refused
   * @throws CruxError `Model.*`
   */
  async ask(
    call: ModelCall,
    shape: (settings: RoleSettings) => RoleSettings = (settings) => settings,
  ): Promise<Completion> {
    const { role } = call.address;
    const settings = shape(settingsOf(call));
    const body = requestBody(call, settings);
    const seed = seedOf(call.run.seed, callKey(call));
    const wanted = { body, settings, seed, stop: stopOf(call), serverIds: ownCallIds(call), step: call.step };
    for (let attempt = 0; ; attempt++) {
      this.calls++;
      const key = `${this.#keyOfCheck}-${role}-${this.calls}`;
      try {
        const completion = await this.#told(
          role,
          sendShaped(this.endpoint, this.#ladder, { ...wanted, key }, new AbortController().signal),
        );
        this.endpoint = this.#usualEndpoint;
        this.tokens += (completion.promptTokens ?? 0) + (completion.completionTokens ?? 0);
        return { ...completion, ...understood(completion, call.messages, settings) };
      } catch (error) {
        const pauseMs = pausesMs[attempt];
        const isPassing = error instanceof CruxError && passing.has(error.kind) && !(error instanceof UnusableAnswer);
        // A server that did not answer once is not waited for again.
        const isSilent = / connection failed |: there was none within /.test(errorText(error));
        if (!isPassing || pauseMs === undefined || isSilent) throw error;
        await sleep(Math.min(pausesMs.at(-1)!, error.retryAfterMs ?? pauseMs));
      }
    }
  }

  /** Reports now and then that it waits for an answer, and how long that may take. */
  async #told<T>(role: string, answer: Promise<T>): Promise<T> {
    const { tellAfterMs, tellEveryMs } = this.pace;
    const limit = seconds(this.endpoint.config.timeoutMs);
    const startedAt = Date.now();
    const tell = () => {
      // Of several waits, only the oldest reports.
      const [oldest] = this.#waiting;
      if (oldest === answer)
        this.#tell(`model ${role}: no answer for ${seconds(Date.now() - startedAt)}, of at most ${limit} …`);
      timer = setTimeout(tell, tellEveryMs);
    };
    let timer = setTimeout(tell, tellAfterMs);
    this.#waiting.add(answer);
    try {
      return await answer;
    } finally {
      this.#waiting.delete(answer);
      clearTimeout(timer);
    }
  }
}

export function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}

const passing: ReadonlySet<string> = new Set(['Model.RateLimit', 'Model.Transport']);
