/**
 * What a worker says about its work: events with fields. Prompts, answers and keys are never among them. The library is silent; the
 * command decides.
 */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFormat = 'pretty' | 'json';
export type LogFields = { [name: string]: unknown };

/** Takes one event. Run, task and sample are added where the event happens inside of an activity. */
export type Log = (level: LogLevel, event: string, fields?: LogFields) => void;

export const silent: Log = () => {};
