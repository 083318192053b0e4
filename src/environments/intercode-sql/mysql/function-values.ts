/** The functions that SQLite lacks, registered on each connection under `mysql_` names. NULL in, NULL out, as in MySQL. */
import type { DatabaseSync } from '../../../node-sqlite.ts';
import { randomNumbers } from '../random.ts';
import { comparedForm } from './fold.ts';
import { exactSum, numberValues, plainSum } from './number-values.ts';
import { temporalValues } from './temporal-values.ts';
import { extremeText, textValues } from './text-values.ts';
import { type Given, string, type Value, ValueError } from './values.ts';

const implementations = { ...textValues, ...numberValues, ...temporalValues };

/** Deviation or variance of numbers, over all (`population`) or as of a sample. Welford's method: count, mean, sum of squares. */
function spread(root: boolean, population: boolean) {
  return {
    start: () => new Float64Array(3),
    step: (state: Float64Array, value: Value): Float64Array => {
      if (value === null) return state;
      const [count = 0, mean = 0, squares = 0] = state;
      const delta = Number(value) - mean;
      const next = mean + delta / (count + 1);
      return Float64Array.of(count + 1, next, squares + delta * (Number(value) - next));
    },
    result: ([count = 0, , squares = 0]: Float64Array) => {
      const divisor = population ? count : count - 1;
      if (divisor <= 0) return null;
      return root ? Math.sqrt(squares / divisor) : squares / divisor;
    },
  };
}

export type StatementFunctions = {
  /** Must be called before each statement. */
  startStatement(): void;
  /** The error that a function of the statement raised: SQLite's own message does not always say it. */
  raised(): string | null;
};

/** Registers everything on a connection. `mysql_rand` draws the same numbers in every statement: equal queries have equal results. */
export function registerFunctions(database: DatabaseSync): StatementFunctions {
  let raised: string | null = null;
  const raise = (message: string): never => {
    raised = message;
    throw new Error(message);
  };
  const options = { deterministic: true, varargs: true, useBigIntArguments: true };
  for (const [name, implementation] of Object.entries(implementations)) {
    database.function(`mysql_${name}`, options, (...values: Value[]) => {
      if (values.includes(null)) return null;
      try {
        return implementation(...values.map(given));
      } catch (error) {
        if (error instanceof ValueError) return raise(error.message);
        throw error;
      }
    });
  }
  database.function('mysql_fitting', options, (value: Value) => {
    return typeof value === 'number' ? raise('BIGINT value is out of range') : value;
  });
  database.function('mysql_fitting_unsigned', options, (value: Value) => {
    const isOutside = typeof value === 'number' || (typeof value === 'bigint' && value < 0n);
    return isOutside ? raise('BIGINT UNSIGNED value is out of range') : value;
  });
  database.function('mysql_concat_ws', options, (separator: Value, ...values: Value[]) => {
    return separator === null ? null : values.filter((value) => value !== null).join(String(separator));
  });
  // The texts of a group; of equal ones the first, if they are compared in some form.
  database.function('mysql_join', options, (list: Value, separator: Value, form: Value) => {
    if (list === null) return null;
    const texts = JSON.parse(String(list)) as string[];
    const formOf = (text: string) => (form === 'letters' ? comparedForm(text) : text);
    const forms = new Set<string>();
    const kept = form === '' ? texts : texts.filter((text) => forms.size < forms.add(formOf(text)).size);
    return cutText(kept.join(String(separator)));
  });
  database.function('mysql_tuple', options, (...values: Value[]) => {
    return values.includes(null) ? null : JSON.stringify(values.map((value) => comparedForm(string(given(value)))));
  });
  // NULL counts among the values: it is equal to none.
  database.function('mysql_field', options, (value: Value, ...list: Value[]) => {
    const form = (each: Value) => comparedForm(string(given(each)));
    return BigInt(value === null ? 0 : list.findIndex((each) => each !== null && form(each) === form(value)) + 1);
  });
  let random = randomNumbers(0);
  database.function('mysql_rand', () => random());
  const firstRows = new Map<string, Value[]>();
  // Of rows with equal keys all get the values of the first: name of the place, index of the column, key, values.
  database.function(
    'mysql_first',
    { ...options, deterministic: false },
    (place: Value, index: Value, key: Value, ...row: Value[]) => {
      const name = `${place} ${key}`;
      const first = firstRows.get(name) ?? row;
      firstRows.set(name, first);
      return first[Number(index)]!;
    },
  );
  database.function('mysql_key', options, (...values: Value[]) => {
    return JSON.stringify(values, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value));
  });
  aggregate(database, 'mysql_sum', exactSum);
  aggregate(database, 'mysql_plain_sum', plainSum);
  aggregate(database, 'mysql_max_text', extremeText(1));
  aggregate(database, 'mysql_min_text', extremeText(-1));
  aggregate(database, 'mysql_stddev_pop', spread(true, true));
  aggregate(database, 'mysql_stddev_samp', spread(true, false));
  aggregate(database, 'mysql_var_pop', spread(false, true));
  aggregate(database, 'mysql_var_samp', spread(false, false));
  aggregate(database, 'mysql_single', {
    useBigIntArguments: true,
    start: (): { value: Value; isSet: boolean } => ({ value: null, isSet: false }),
    step: ({ isSet }, value) => (isSet ? raise('Subquery returns more than 1 row') : { value, isSet: true }),
    result: ({ value }) => value,
  });
  return {
    startStatement: () => {
      random = randomNumbers(0);
      firstRows.clear();
      raised = null;
    },
    raised: () => raised,
  };
}

type Aggregate<State> = {
  useBigIntArguments?: boolean;
  start: () => State;
  step: (state: State, value: Value) => State;
  /** Takes a value out again: for the frames of windows. */
  inverse?: (state: State, value: Value) => State;
  result: (state: State) => Value;
};

/** The types of `node:sqlite` have a state be what SQLite can store. It may be anything. */
function aggregate<State>(database: DatabaseSync, name: string, options: Aggregate<State>): void {
  database.aggregate(name, options as unknown as Parameters<DatabaseSync['aggregate']>[1]);
}

/** Bytes of GROUP_CONCAT that MySQL keeps. Source: MySQL 8.0, `group_concat_max_len`. */
const longestConcatenation = 1024;

function cutText(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= longestConcatenation) return text;
  // A character of which a part is left goes whole.
  return new TextDecoder().decode(bytes.subarray(0, longestConcatenation), { stream: true });
}

/** Bytes do not reach the functions: the compiler refuses them. */
function given(value: Value): Given {
  if (typeof value === 'bigint')
    return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
  return value instanceof Uint8Array ? Buffer.from(value).toString() : (value ?? '');
}
