/** One agent at work on one question. Its state is the text that it has open. */
import { createHash } from 'node:crypto';
import type { Action } from '../../domain/action.ts';
import type { Json } from '../../domain/canonical-json.ts';
import { CruxError } from '../../errors.ts';
import type { Session, SessionContext, StepResult } from '../contract.ts';
import type { Document, Library, Refusable } from './library.ts';
import { foundText, hasPage, hitsText, noSuchPage, pageText, tooLong } from './observations.ts';
import type { Question } from './question.ts';
import { type Scorer, scoreAnswer } from './scorers/scorer.ts';
import { readSearchAction } from './tools.ts';

export type SessionSetting = {
  question: Question;
  library: Library;
  scorer: Scorer;
  /** Whether what the library gives may change: texts are then recorded with the steps that open them. */
  isLive: boolean;
  /** Whether searches have a price: every other step then costs nothing. */
  isPriced: boolean;
};

export class SearchSession implements Session {
  readonly #setting: SessionSetting;
  #open: Document | null = null;
  #isOver = false;

  constructor(setting: SessionSetting) {
    this.#setting = setting;
  }

  async step(action: Action, signal: AbortSignal, context?: SessionContext): Promise<StepResult> {
    const result = await this.#take(action, signal, context);
    return this.#setting.isPriced ? { cost: 0, ...result } : result;
  }

  async #take(action: Action, signal: AbortSignal, context?: SessionContext): Promise<StepResult> {
    const { question, library } = this.#setting;
    if (this.#isOver)
      throw new CruxError('Environment.Fault', `Task ${question.id} is over: it takes no more actions.`);
    const read = readSearchAction(action);
    if (typeof read === 'string') return goesOn(read);
    switch (read.tool) {
      case 'search': {
        const tooMuch = tooLong(read.query, library.queryLimit);
        if (tooMuch !== null) return goesOn(tooMuch);
        const found = await library.search(read.query, signal);
        const text = 'value' in found ? hitsText(read.query, found.value) : found.refused;
        return { ...goesOn(text), ...(found.cost !== undefined && { cost: found.cost }) };
      }
      case 'open': {
        // The pages of a text that is open are those of the text as it was opened.
        const held = this.#open?.id === read.id ? this.#open : null;
        const opened: Refusable<Document> = held ? { value: held } : await library.open(read.id, signal);
        if ('refused' in opened) return goesOn(opened.refused);
        if (!hasPage(opened.value, read.page)) return goesOn(noSuchPage(opened.value));
        this.#open = opened.value;
        return { ...goesOn(pageText(opened.value, read.page)), ...this.#recording(opened.value) };
      }
      case 'find':
        return goesOn(foundText(this.#open, read.text));
      case 'answer':
        return await this.#answer(read.text, context);
    }
  }

  async recall(action: Action, { details }: StepResult): Promise<void> {
    const read = readSearchAction(action);
    if (typeof read === 'string' || read.tool !== 'open') return;
    if (this.#setting.isLive) {
      if (details?.opened) this.#open = details.opened as Document;
      return;
    }
    const opened = await this.#setting.library.open(read.id, new AbortController().signal);
    if ('value' in opened && hasPage(opened.value, read.page)) this.#open = opened.value;
  }

  async stateHash(): Promise<string> {
    // Not the canary: an import may draw it, and two imports of the same questions are one dataset.
    const content = JSON.stringify([this.#setting.question.id, this.#open]);
    return createHash('sha256').update(content).digest('hex').slice(0, 32);
  }

  #recording(opened: Document): Pick<StepResult, 'details'> {
    return this.#setting.isLive ? { details: { opened: opened as Json } } : {};
  }

  async #answer(text: string, context?: SessionContext): Promise<StepResult> {
    const { question, scorer } = this.#setting;
    const ask =
      context?.ask ??
      (() => Promise.reject(new CruxError('Environment.Fault', 'The judge cannot be asked without a run.')));
    const { reward, success, details } = await scoreAnswer(scorer, question, text, { ask });
    this.#isOver = true;
    return { observation: 'The answer was taken.', done: true, reward, success, details: { answer: text, ...details } };
  }
}

function goesOn(observation: string): StepResult {
  return { observation, done: false };
}
