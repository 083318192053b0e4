/** Finds out whether a model's server can do what runs ask of a role. It sends the very requests of a run. */

import { actionsOf } from '../domain/action.ts';
import type { SessionRole } from '../domain/ask.ts';
import { isMostlyForm } from '../domain/malformed.ts';
import { type AssistantMessage, messageText } from '../domain/message.ts';
import { NoSimulatedReply } from '../environments/session-context.ts';
import { CruxError, errorText } from '../errors.ts';
import type { Completion } from '../models/answers/completion.ts';
import { readFirstError } from '../models/answers/first-error.ts';
import { isServedAs } from '../models/answers/served-model.ts';
import { type ModelCall, stopOf } from '../models/model-call.ts';
import { promptVersions } from '../models/prompts.ts';
import type { Sent } from '../models/requests/wire-request.ts';
import { type Asking, seconds } from './asking.ts';
import { type Capability, capability, type Finding } from './finding.ts';
import { holdsScore, type Questions } from './questions.ts';
import { findRefused, isRefusal } from './refused-members.ts';

const shownCharacters = 240;

export type ProbeOptions = {
  /** How many messages of policy and expert are sampled. */
  samples: number;
  /** Temperatures at which some methods ask the policy, by method name. */
  temperatures: { [method: string]: number };
  /** Gets a line for each thing that is being done. */
  report: (line: string) => void;
};

/** What the probe of an agent gives the next probe: an action to ask the PRM about. */
export type Probed = { finding: Finding; action: AssistantMessage | null };

/** Of policy or expert: its real first request, the second one, and the share of messages that the run's format cannot read. */
export async function probeAgent(
  role: 'policy' | 'expert',
  asking: Asking,
  questions: Questions,
  { samples, temperatures, report }: ProbeOptions,
): Promise<Probed> {
  const found: Capability[] = await servedModels(asking, role, report);
  report(`model ${role}: asked for the first step of ${questions.task(0).id} …`);
  const startedAt = Date.now();
  const call = await questions.opening(role, 0);
  const first = await firstAnswer(asking, call, found);
  if (first === null) return { finding: findingOf(asking, role, found, null, startedAt), action: null };
  const answeredMs = Date.now() - startedAt;
  if (found.some(({ level }) => level === 'wrong'))
    return { finding: findingOf(asking, role, found, first, startedAt, answeredMs), action: null };
  found.push(...parametersOf(asking, call, first));
  report(`model ${role}: ${samples - 1} more first steps, and a second one …`);
  const drawn = await draw(asking, questions, role, samples - 1);
  const answers = [first, ...drawn.answers];
  found.push(
    ...drawn.faults,
    ...showing(asking, call, answers, found),
    await secondStep(asking, questions, call, first),
  );
  if (role === 'policy') found.push(...(await otherTemperatures(asking, call, temperatures)));
  const holdsAction = (message: AssistantMessage) => actionsOf(questions.format.parse(message)).length > 0;
  const unread = answers.filter(({ message }) => !holdsAction(message));
  const malformed = { of: answers.length, count: unread.length };
  found.push(formOf(questions, role, malformed, answers));
  const action = answers.map(({ message }) => message).find(holdsAction);
  const finding = findingOf(asking, role, found, first, startedAt, answeredMs);
  return { finding: { ...finding, malformed }, action: action ?? null };
}

/** Of the PRM: the score of an action, and, if a run would ask for it, the first wrong step. */
export async function probePrm(
  asking: Asking,
  questions: Questions,
  action: AssistantMessage,
  { judges, report }: { judges: boolean; report: (line: string) => void },
): Promise<Finding> {
  const found = await servedModels(asking, 'prm', report);
  report('model prm: asked for a score …');
  const startedAt = Date.now();
  const call = await questions.score(action, 0);
  const first = await firstAnswer(asking, call, found);
  if (first === null) return findingOf(asking, 'prm', found, null, startedAt);
  const answeredMs = Date.now() - startedAt;
  found.push(...parametersOf(asking, call, first), ...showing(asking, call, [first], found));
  found.push(jsonOf(asking, first, 'JSON', holdsScore(first.message)));
  if (judges) {
    report('model prm: asked for the first wrong step …');
    const judged = await firstAnswer(asking, await questions.firstError(action), found);
    if (judged) {
      const step = readFirstError(judged.message.content ?? '', 1, promptVersions.judge);
      found.push(jsonOf(asking, judged, 'JSON of the first wrong step', step !== undefined));
    }
  }
  return findingOf(asking, 'prm', found, first, startedAt, answeredMs);
}

/** Of a model that sessions ask: one question. */
export async function probeSessionModel(
  role: SessionRole,
  asking: Asking,
  questions: Questions,
  report: (line: string) => void,
): Promise<Finding> {
  const found = await servedModels(asking, role, report);
  report(`model ${role}: asked a question …`);
  const startedAt = Date.now();
  const call = await questions.asked(role);
  const first = await firstAnswer(asking, call, found);
  if (first === null) return findingOf(asking, role, found, null, startedAt);
  const answeredMs = Date.now() - startedAt;
  found.push(...parametersOf(asking, call, first), ...showing(asking, call, [first], found));
  return findingOf(asking, role, found, first, startedAt, answeredMs);
}

/** Whether the server has the model under its name. A server of one model may answer to any name. */
export async function servedModels(
  asking: Asking,
  role: string,
  report: (line: string) => void,
): Promise<Capability[]> {
  const { model } = asking.settings;
  const { listMs } = asking.pace;
  const limit = AbortSignal.timeout(listMs);
  let names: string[];
  try {
    names = (await asking.endpoint.models(limit)).map(({ id }) => id);
  } catch (error) {
    if (limit.aborted) {
      asking.hurry();
      const most = seconds(asking.endpoint.config.timeoutMs);
      report(`model ${role}: no list of models within ${seconds(listMs)}; an answer is given ${most} …`);
      return [capability('list of models', 'refused', `Not given within ${seconds(listMs)}.`)];
    }
    return [capability('list of models', 'refused', `Not given: ${errorText(error)}`)];
  }
  if (names.some((name) => isServedAs(model, name, asking.servedAs)))
    return [capability('model name', 'works', `${model} is one of ${names.length} models`)];
  const [bare] = model.split('@');
  if (names.includes(bare!))
    return [capability('model name', 'works', `${bare} is one of ${names.length} models, and its name holds settings`)];
  if (names.length === 0) return [capability('list of models', 'ignored', 'The list is empty.')];
  const some = names.slice(0, 5).join(', ') + (names.length > 5 ? `, … (${names.length})` : '');
  return [
    capability('model name', 'ignored', `The server lists ${some}, and not ${model}.`, {
      level: 'warning',
      remedy: `If it still answers, it may be with another model: set models.${role}.model to the name that it lists.`,
    }),
  ];
}

/** The answer to the real request. If that is refused: which members the server refuses, and the answer without them. Null without an answer. */
async function firstAnswer(asking: Asking, call: ModelCall, found: Capability[]): Promise<Completion | null> {
  try {
    return await asking.ask(call);
  } catch (error) {
    if (!isRefusal(error)) {
      found.push(brokenOff(asking, error));
      return null;
    }
    const { completion, refused } = await findRefused(asking, call, error);
    found.push(...refused);
    if (completion === null) found.push(brokenOff(asking, error));
    return completion;
  }
}

export function brokenOff({ endpoint, usualTimeoutMs }: Asking, error: unknown): Capability {
  const isHurried = endpoint.config.timeoutMs < usualTimeoutMs;
  const silence = `Nor did its list of models come: see whether anybody serves there. A run waits up to ${seconds(usualTimeoutMs)} for an answer.`;
  const remedy = (error instanceof CruxError ? error.remedy : undefined) ?? (isHurried ? silence : null);
  return capability('request', 'refused', errorText(error), { level: 'wrong', remedy });
}

/** The parameters that were really sent, without those whose effect shows in the answer. */
export function parametersOf({ settings, servedAs }: Asking, call: ModelCall, first: Completion): Capability[] {
  const { parameters, messages } = first.sent as unknown as Sent;
  const sent = Object.entries(parameters).filter(([name]) => !shownElsewhere.has(name));
  const words = sent.map(([name, value]) => `${name} ${JSON.stringify(value)}`).join(', ');
  const found = [capability('parameters', 'taken', words)];
  if (messages.includes('system-folded'))
    found.push(capability('system role', 'taken', 'folded into the first user message'));
  const served = first.servedModel;
  if (served !== null && !isServedAs(settings.model, served, servedAs)) {
    found.push(
      capability('answering model', 'ignored', `Asked for ${settings.model}, and ${served} answered.`, {
        level: 'wrong',
        remedy: `A run would be blocked: set models.${call.address.role}.model to the model that is meant, or declare the name in models.${call.address.role}.servedAs.`,
      }),
    );
  }
  return found;
}

const shownElsewhere = new Set(['tools', 'response_format', 'logprobs', 'top_logprobs', 'stop']);

/** Members whose effect shows in the answers. */
function showing(
  { endpoint, settings }: Asking,
  call: ModelCall,
  answers: Completion[],
  known: readonly Capability[],
): Capability[] {
  const { role } = call.address;
  const found: Capability[] = [];
  const { parameters } = answers[0]!.sent as unknown as Sent;
  if (endpoint.config.logprobs && !known.some(({ name }) => name === 'logprobs')) {
    const told = answers.filter(({ logprob }) => logprob !== null).length;
    found.push(
      'logprobs' in parameters
        ? capability('logprobs', told > 0 ? 'works' : 'ignored', `given for ${told} of ${answers.length} answers`, {
            level: told > 0 ? 'ok' : 'warning',
            remedy: told > 0 ? null : `Set endpoints.${endpoint.name}.logprobs: false; certificates then lack them.`,
          })
        : capability('logprobs', 'ignored', `The dialect ${settings.dialect} leaves them out.`, { level: 'warning' }),
    );
  }
  const stops = stopOf(call);
  if (stops.length > 0) {
    const over = answers.filter(({ message }) => stops.some((stop) => message.content?.includes(stop))).length;
    const isSent = 'stop' in parameters;
    const detail = isSent ? `${over} of ${answers.length} answers go on behind it` : 'not sent';
    found.push(capability('stop', over === 0 ? 'taken' : 'ignored', detail, { level: over === 0 ? 'ok' : 'warning' }));
  }
  const tokens = answers.map(({ completionTokens }) => completionTokens).filter((count) => count !== null);
  const longest = Math.max(0, ...tokens);
  if (tokens.length === 0) {
    const remedy = 'Costs and ceilings on tokens cannot be known with it.';
    found.push(capability('usage', 'ignored', 'No answer says how many tokens it took.', { level: 'warning', remedy }));
  } else if (longest > settings.maxTokens) {
    const detail = `An answer has ${longest} tokens, and ${settings.maxTokens} were allowed.`;
    const remedy = 'Ceilings do not hold: find the name under which the server takes it (request.rename).';
    found.push(capability('length', 'ignored', detail, { level: 'wrong', remedy }));
  }
  const wordless = answers.filter(({ message }) => messageText(message).trim() === '');
  if (wordless.length > 0) {
    const thought = wordless.some(({ reasoning }) => reasoning !== null) ? ', only what the model thought' : '';
    const remedy = `Raise models.${role}.maxTokens (${settings.maxTokens}), or turn the model's thinking off.`;
    const detail = `${wordless.length} of ${answers.length} answers have no words${thought}.`;
    found.push(capability('words', 'ignored', detail, { level: 'wrong', remedy }));
  }
  const cut = answers.filter(({ finishReason }) => finishReason === 'length').length;
  if (cut > 0) {
    const remedy = `Raise models.${role}.maxTokens (${settings.maxTokens}).`;
    found.push(
      capability('room', 'works', `${cut} of ${answers.length} answers were cut at their length.`, {
        level: cut * 2 > answers.length ? 'warning' : 'ok',
        remedy: cut * 2 > answers.length ? remedy : null,
      }),
    );
  }
  return found;
}

async function draw(
  asking: Asking,
  questions: Questions,
  role: 'policy' | 'expert',
  count: number,
): Promise<{ answers: Completion[]; faults: Capability[] }> {
  const asked = await inTurns(count, asking.endpoint.config.concurrency, async (index) =>
    asking.ask(await questions.opening(role, index + 1)),
  );
  const answers = asked.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const failed = asked.filter((result) => result.status === 'rejected');
  if (failed.length === 0) return { answers, faults: [] };
  const detail = `${failed.length} of ${count} more requests failed: ${errorText(failed[0]!.reason)}`;
  return { answers, faults: [capability('further requests', 'refused', detail, { level: 'wrong' })] };
}

/** As many at once as the endpoint allows. */
async function inTurns<T>(
  count: number,
  atOnce: number,
  work: (index: number) => Promise<T>,
): Promise<PromiseSettledResult<T>[]> {
  const results: PromiseSettledResult<T>[] = [];
  for (let start = 0; start < count; start += atOnce) {
    const block = Array.from({ length: Math.min(atOnce, count - start) }, (_, index) => work(start + index));
    results.push(...(await Promise.allSettled(block)));
  }
  return results;
}

/** ETO and IPR sample the policy's trajectories at temperatures of their own. A server that takes the configured temperature may refuse these. */
async function otherTemperatures(
  asking: Asking,
  call: ModelCall,
  temperatures: ProbeOptions['temperatures'],
): Promise<Capability[]> {
  const found: Capability[] = [];
  for (const [temperature, of] of Map.groupBy(Object.entries(temperatures), ([, value]) => value)) {
    if (temperature === asking.settings.temperature) continue;
    const name = `temperature ${temperature} (${of.map(([method]) => method).join(', ')})`;
    try {
      await asking.ask(call, (settings) => ({ ...settings, temperature }));
      found.push(capability(name, 'taken', 'not refused'));
    } catch (error) {
      const remedy = 'Runs of these methods would be refused: set their temperature, or a dialect that leaves it out.';
      found.push(capability(name, 'refused', errorText(error), { level: 'warning', remedy }));
    }
  }
  return found;
}

/** The conversation after the first step. A server may refuse tool calls and results, or alternating roles, only here. */
async function secondStep(
  asking: Asking,
  questions: Questions,
  call: ModelCall,
  first: Completion,
): Promise<Capability> {
  try {
    await asking.ask(await questions.second(call, first.message, first.callIds));
    return capability('second step', 'works', 'taken with the first message and its observation');
  } catch (error) {
    if (error instanceof NoSimulatedReply)
      return capability('second step', 'taken', `not tried: ${errorText(error)}`, { level: 'ok' });
    const isRoles = /alternat|system/i.test(errorText(error));
    const remedy = isRoles ? `Set models.${call.address.role}.systemRole: 'fold'.` : null;
    return capability('second step', 'refused', errorText(error), { level: 'wrong', remedy });
  }
}

function formOf(
  questions: Questions,
  role: string,
  { of, count }: { of: number; count: number },
  answers: Completion[],
): Capability {
  const isTools = questions.format.tools.length > 0;
  const name = isTools ? 'tools' : 'format';
  const share = `${count} of ${of} messages are malformed (${Math.round((100 * count) / of)} %)`;
  if (count === 0) return capability(name, 'works', share);
  const prose = isTools && answers.some(({ message }) => !message.tool_calls?.length);
  const remedy = prose
    ? "The model answers with prose: start its server with a parser for tool calls, or set run.format: 'react'."
    : `Look at the answer: a model that keeps to the form, a larger models.${role}.maxTokens, or some training (crux run sft) helps.`;
  if (count === of) return capability(name, 'ignored', share, { level: 'wrong', remedy });
  const isMany = isMostlyForm({ count, of });
  return capability(name, 'works', share, { level: isMany ? 'warning' : 'ok', remedy: isMany ? remedy : null });
}

function jsonOf({ settings }: Asking, answer: Completion, name: string, isRead: boolean): Capability {
  const { parameters } = answer.sent as unknown as Sent;
  const form = (parameters.response_format as string | undefined) ?? 'the prompt alone';
  const text = answer.message.content ?? '';
  if (!isRead) {
    const remedy = `Its answer holds none: another model, or a larger models.prm.maxTokens (${settings.maxTokens}).`;
    return capability(name, 'ignored', `asked for by ${form}: ${cut(text)}`, { level: 'wrong', remedy });
  }
  if (form === 'the prompt alone' || isJson(text)) return capability(name, 'works', `asked for by ${form}`);
  // A cut answer is no whole JSON, however well the server follows the form.
  if (answer.finishReason === 'length' && text.trimStart().startsWith('{'))
    return capability(name, 'works', `asked for by ${form}, cut behind what was asked for`);
  const remedy = 'The server takes response_format and does not go by it; scores are read from the text.';
  return capability(name, 'ignored', `asked for by ${form}, came within other text`, { level: 'warning', remedy });
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

export function findingOf(
  { endpoint, settings, calls, tokens }: Asking,
  role: string,
  found: Capability[],
  first: Completion | null,
  startedAt: number,
  answeredMs = Date.now() - startedAt,
): Finding {
  const wrong = found.filter(({ level }) => level === 'wrong');
  const where = `${settings.model} at ${endpoint.config.baseUrl}`;
  const detail =
    first === null
      ? `${where}: ${wrong.at(-1)?.detail ?? 'no answer'}`
      : `${where} answers after ${answeredMs} ms${wrong.length > 0 ? `, but ${wrong.map(({ name, verdict }) => `${name} ${verdict}`).join(', ')}` : ''}`;
  return {
    what: `model ${role}`,
    ok: wrong.length === 0,
    detail,
    remedy: wrong[0]?.remedy ?? null,
    answer: first && cut(messageText(first.message)),
    capabilities: found,
    used: { calls, tokens },
  };
}

function cut(text: string): string {
  return text.length > shownCharacters ? `${text.slice(0, shownCharacters)}…` : text;
}
