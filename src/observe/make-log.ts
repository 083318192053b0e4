import pino from 'pino';
import { visibleJson, visibleText } from '../domain/visible-text.ts';
import { sealedHere } from '../sealing.ts';
import { currentPlace } from './current-place.ts';
import type { Log, LogFormat, LogLevel } from './log.ts';

export type LogOptions = {
  format: LogFormat;
  /** The least important level that is written. */
  level: LogLevel;
  /** Takes one line with its end. Default: the error stream. */
  write?: (line: string) => void;
};

export function makeLog({ format, level, write = toErrorStream }: LogOptions): Log {
  const logger = pino(
    {
      level,
      base: { pid: process.pid },
      messageKey: 'message',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    // They hold texts of servers and environments, which a terminal must not obey.
    {
      write: (line: string) =>
        write(format === 'json' ? visibleJson(line) : visibleText(pretty(JSON.parse(line) as PrettyLine))),
    },
  );
  return (eventLevel, event, fields = {}) => {
    if (!logger.isLevelEnabled(eventLevel)) return;
    const { error, ...others } = fields;
    logger[eventLevel](
      { ...currentPlace(), ...others, ...(error !== undefined && { error: errorFields(error) }) },
      event,
    );
  };
}

type ErrorFields = { kind: string; message: string; stack?: string; cause?: ErrorFields };

/** Named members only: libraries put requests with their headers into errors. */
function errorFields(error: unknown): ErrorFields {
  if (!(error instanceof Error)) return { kind: 'Unknown', message: sealedHere(String(error)) };
  const { kind, type } = error as { kind?: unknown; type?: unknown };
  const name = [kind, type].find((value) => typeof value === 'string') as string | undefined;
  return {
    kind: name ?? error.name,
    message: sealedHere(error.message),
    // A fault with a kind is understood; any other needs its stack.
    ...(name === undefined && error.stack !== undefined && { stack: sealedHere(error.stack) }),
    ...(error.cause instanceof Error && { cause: errorFields(error.cause) }),
  };
}

type PrettyLine = { time: string; level: string; message: string; pid: number; [name: string]: unknown };

function pretty({ time, level, message, pid: _pid, ...fields }: PrettyLine): string {
  const words = Object.entries(fields).map(([name, value]) =>
    name === 'error' ? `error=${errorWords(value as ErrorFields)}` : `${name}=${valueWords(value)}`,
  );
  return `${time.slice(11, 23)} ${level.padEnd(5)} ${[message, ...words].join('  ')}\n`;
}

function valueWords(value: unknown): string {
  return typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
}

function errorWords({ kind, message, stack, cause }: ErrorFields): string {
  return `${stack ?? `${kind}: ${message}`}${cause ? ` | caused by ${errorWords(cause)}` : ''}`;
}

function toErrorStream(line: string): void {
  process.stderr.write(line);
}
