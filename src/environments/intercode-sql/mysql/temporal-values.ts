/** Values of functions on dates and times, which are texts: `2018-03-01`, `2018-03-01 10:20:30`, `10:20:30`. */
import {
  allAsIntegers,
  type Given,
  type Implementation,
  number,
  string,
  type Value,
  ValueError,
  whole,
} from './values.ts';

const weekdays = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const months = 'January February March April May June July August September October November December'.split(' ');

/** The fixed moment that NOW() gives, so that equal queries have equal results. */
export const now = '2023-06-26 12:00:00';

type Moment = { year: number; month: number; day: number; hour: number; minute: number; second: number };

const twoDigitYear = (year: number) => (year < 70 ? 2000 : 1900) + year;

/**
 * Reads `2018-03-01[ 10:20:30]`, `20180301` or the number of that form; null for anything else, as MySQL does with a warning.
 * @param isPartial takes dates without a month or a day, of which some functions read the rest
 */
function moment(value: Given | undefined, isPartial = false): Moment | null {
  const given = string(value);
  const match =
    /^\s*(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[ T]+(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.\d*)?)?)?(?![\d:])/.exec(
      given,
    ) ??
    /^\s*(\d\d)[-/.](\d{1,2})[-/.](\d{1,2})(?:[ T]+(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.\d*)?)?)?(?![\d:])/.exec(
      given,
    ) ??
    /^\s*(\d{4}|\d\d)(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d))?(?:\.\d*)?\s*$/.exec(given);
  if (!match) return null;
  const [yearDigits = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1)
    .map((part) => Number(part ?? 0));
  const year = match[1]!.length === 2 ? twoDigitYear(yearDigits) : yearDigits;
  if (month > 12 || day > daysInMonth(year, month) || hour > 23 || minute > 59 || second > 59) return null;
  // NO_ZERO_DATE and NO_ZERO_IN_DATE: such a date is none for the functions that read it.
  return (month && day) || isPartial ? { year, month, day, hour, minute, second } : null;
}

const daysInMonth = (year: number, month: number) =>
  month === 2 ? (isLeap(year) ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31;
const isLeap = (year: number) => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;

const pad = (value: number, length = 2) => String(value).padStart(length, '0');
const dateText = ({ year, month, day }: Moment) => `${pad(year, 4)}-${pad(month)}-${pad(day)}`;
const timeText = ({ hour, minute, second }: Moment) => `${pad(hour)}:${pad(minute)}:${pad(second)}`;
const fullText = (at: Moment) => `${dateText(at)} ${timeText(at)}`;
/** Milliseconds of a moment in UTC. `Date.UTC` takes years below 100 for those of the last century. */
const utc = (at: Moment) =>
  new Date(Date.UTC(2000, at.month - 1, at.day, at.hour, at.minute, at.second)).setUTCFullYear(
    at.year,
    at.month - 1,
    at.day,
  );
const fromUtc = (milliseconds: number): Moment => {
  const at = new Date(milliseconds);
  return {
    year: at.getUTCFullYear(),
    month: at.getUTCMonth() + 1,
    day: at.getUTCDate(),
    hour: at.getUTCHours(),
    minute: at.getUTCMinutes(),
    second: at.getUTCSeconds(),
  };
};
const dayMs = 86_400_000;
/** Days since the year 0, as TO_DAYS counts them. */
const dayNumber = (at: Moment) => Math.floor(utc(at) / dayMs) + 719_528;
const firstOfYear = (year: number): Moment => ({ year, month: 1, day: 1, hour: 0, minute: 0, second: 0 });
const weekday = (at: Moment) => (dayNumber(at) + 6) % 7;
const dayOfYear = (at: Moment) => dayNumber(at) - dayNumber(firstOfYear(at.year)) + 1;

/**
 * Number of a week, and the year that it belongs to.
 * @param isMondayFirst weeks begin on Monday, else on Sunday
 * @param isWholeYear days before the first week belong to the last one of the year before, else to week 0
 * @param isFullFirst the first week is the first one that begins in the year, else the first one with four days in it
 * Source: MySQL 8.0, mysys/my_time.cc, `calc_week`.
 */
function weekOf(
  at: Moment,
  isMondayFirst: boolean,
  isWholeYear: boolean,
  isFullFirst: boolean,
): { year: number; week: number } {
  const dayOfWeek = (year: number) => (dayNumber(firstOfYear(year)) + (isMondayFirst ? 5 : 6)) % 7;
  const isLate = (first: number) => (isFullFirst ? first !== 0 : first >= 4);
  const daysIn = (year: number) => (isLeap(year) ? 366 : 365);
  let { year } = at;
  let first = dayOfWeek(year);
  if (at.month === 1 && at.day <= 7 - first && isLate(first)) {
    if (!isWholeYear) return { year, week: 0 };
    year -= 1;
    first = dayOfWeek(year);
  }
  const start = dayNumber(firstOfYear(year)) + (isLate(first) ? 7 - first : -first);
  const days = dayNumber(at) - start;
  if (isWholeYear && days >= 52 * 7 && !isLate((first + daysIn(year)) % 7)) return { year: year + 1, week: 1 };
  return { year, week: Math.floor(days / 7) + 1 };
}

/** WEEK and YEARWEEK by their mode, 0 to 7. Source: MySQL 8.0 reference manual, WEEK. */
function weekByMode(at: Moment, mode: number, isWholeYear: boolean): { year: number; week: number } {
  const isMondayFirst = (mode & 1) === 1;
  return weekOf(at, isMondayFirst, isWholeYear || (mode & 2) === 2, isMondayFirst === ((mode & 4) === 4));
}

/** A function of one moment; NULL when its argument is no moment. */
const ofMoment =
  <Result>(read: (at: Moment, ...rest: Given[]) => Result, isPartial = false) =>
  (value: Given | undefined, ...rest: Given[]): Result | null => {
    const at = moment(value, isPartial);
    return at && read(at, ...rest);
  };
const ofPartial = <Result>(read: (at: Moment, ...rest: Given[]) => Result) => ofMoment(read, true);

/** Parts that a unit is made of, the largest first. */
export const unitParts: { [unit: string]: (keyof Moment)[] } = {
  YEAR: ['year'],
  MONTH: ['month'],
  DAY: ['day'],
  HOUR: ['hour'],
  MINUTE: ['minute'],
  SECOND: ['second'],
  YEAR_MONTH: ['year', 'month'],
  DAY_HOUR: ['day', 'hour'],
  DAY_MINUTE: ['day', 'hour', 'minute'],
  DAY_SECOND: ['day', 'hour', 'minute', 'second'],
  HOUR_MINUTE: ['hour', 'minute'],
  HOUR_SECOND: ['hour', 'minute', 'second'],
  MINUTE_SECOND: ['minute', 'second'],
};

/** Units that are a number of others. */
const multiples: { [unit: string]: [count: number, of: keyof Moment] } = { WEEK: [7, 'day'], QUARTER: [3, 'month'] };

export const isUnit = (unit: string) => unit in unitParts || unit in multiples || unit.endsWith('MICROSECOND');

/** Whether a date stays a date when it is added. */
export const isUnitOfDays = (unit: string) =>
  unit in multiples || (unitParts[unit] ?? []).every((part) => part === 'year' || part === 'month' || part === 'day');

/** Counts of a unit's parts: `1:30` is 1 hour and 30 minutes, or 1 minute and 30 seconds. Fewer numbers than parts are the smaller ones. */
function amounts(amount: Given, unit: string): Partial<Moment> {
  const multiple = multiples[unit];
  if (multiple) return { [multiple[1]]: whole(amount) * multiple[0] };
  const parts = unitParts[unit]!;
  if (parts.length === 1) {
    if (unit === 'SECOND' && !Number.isInteger(number(amount))) {
      throw new ValueError('Parts of a second are not available in this environment');
    }
    return { [parts[0]!]: whole(amount) };
  }
  const [, sign] = /^\s*(-?)/.exec(string(amount))!;
  const numbers = (string(amount).match(/\d+/g) ?? [])
    .slice(0, parts.length)
    .map((digits) => Number(`${sign}${digits}`));
  return Object.fromEntries(numbers.map((each, index) => [parts[index + parts.length - numbers.length]!, each]));
}

/** Adds an amount of a unit. Months stop at their last day, as in 31 January + 1 month. A date stays a date unless hours are added. */
function addInterval(value: Given, amount: Given, unit: Given, sign: Given): string | null {
  const at = moment(value);
  if (!at) return null;
  const added = amounts(amount, string(unit));
  const of = (part: keyof Moment) => (added[part] ?? 0) * number(sign);
  const total = (at.year + of('year')) * 12 + at.month - 1 + of('month');
  const [year, month] = [Math.floor(total / 12), (((total % 12) + 12) % 12) + 1];
  const shifted = { ...at, year, month, day: Math.min(at.day, daysInMonth(year, month)) };
  const milliseconds = of('day') * dayMs + of('hour') * 3_600_000 + of('minute') * 60_000 + of('second') * 1000;
  const result = fromUtc(utc(shifted) + milliseconds);
  if (!(result.year > 0 && result.year < 10_000)) return null;
  const isDate = string(value).trim().length <= 10 && isUnitOfDays(string(unit));
  return isDate ? dateText(result) : fullText(result);
}

const unitMs: { [unit: string]: number } = {
  MICROSECOND: 1 / 1000,
  SECOND: 1000,
  MINUTE: 60_000,
  HOUR: 3_600_000,
  DAY: dayMs,
  WEEK: 7 * dayMs,
};
const unitMonths: { [unit: string]: number } = { MONTH: 1, QUARTER: 3, YEAR: 12 };

/** TIMESTAMPDIFF: how many whole units lie between two moments. */
function difference(unit: Given | undefined, from: Given | undefined, to: Given | undefined): number | null {
  const [start, end] = [moment(from), moment(to)];
  if (!start || !end) return null;
  const milliseconds = utc(end) - utc(start);
  const perUnit = unitMs[string(unit)];
  if (perUnit !== undefined) return Math.trunc(milliseconds / perUnit);
  const sign = milliseconds < 0 ? -1 : 1;
  const [early, late] = sign > 0 ? [start, end] : [end, start];
  let count = (late.year - early.year) * 12 + late.month - early.month;
  const rest = (at: Moment) => at.day * dayMs + at.hour * 3_600_000 + at.minute * 60_000 + at.second * 1000;
  if (rest(late) < rest(early)) count--;
  return sign * Math.trunc(count / unitMonths[string(unit)]!);
}

/** EXTRACT: parts of a unit, two digits for each after the first. */
function extracted(unit: Given | undefined, value: Given | undefined): number | null {
  const name = string(unit);
  const parts = unitParts[name.replace(/_MICROSECOND$/, '_SECOND')];
  const isTime = parts?.every((part) => part === 'hour' || part === 'minute' || part === 'second') ?? false;
  const clock = isTime || name === 'MICROSECOND' ? timeOf(value) : null;
  const at = clock ?? moment(value);
  if (!at) return null;
  if (name === 'MICROSECOND') return 0;
  if (name === 'QUARTER') return Math.ceil(at.month / 3);
  if (name === 'WEEK') return weekByMode(at, 0, false).week;
  const joined = parts!.reduce((sum, part) => sum * 100 + at[part], 0);
  return name.endsWith('_MICROSECOND') ? joined * 1_000_000 : joined;
}

/** A time of day, given alone or after a date. Digits alone are those of hours, minutes and seconds, the last ones first. */
function timeOf(value: Given | undefined): Moment | null {
  const given = string(value);
  const of = (hour: number, minute: number, second: number): Moment | null =>
    minute > 59 || second > 59 ? null : { year: 0, month: 0, day: 0, hour, minute, second };
  const match = /^\s*-?(\d{1,3}):(\d{1,2})(?::(\d{1,2}))?/.exec(given);
  if (match) return of(Number(match[1]), Number(match[2]), Number(match[3] ?? 0));
  if (given.trim().length >= 12) return moment(given);
  const digits = /^\s*-?(\d+)/.exec(given)?.[1];
  if (digits === undefined || digits.length > 7) return digits === undefined ? null : moment(given);
  return of(Math.trunc(Number(digits) / 10_000), Math.trunc(Number(digits) / 100) % 100, Number(digits) % 100);
}

function formatted(at: Moment, format: string): string {
  const hour12 = at.hour % 12 || 12;
  const half = at.hour < 12 ? 'AM' : 'PM';
  const parts: { [letter: string]: () => string } = {
    Y: () => pad(at.year, 4),
    y: () => pad(at.year % 100),
    m: () => pad(at.month),
    c: () => String(at.month),
    M: () => months[at.month - 1]!,
    b: () => months[at.month - 1]!.slice(0, 3),
    d: () => pad(at.day),
    e: () => String(at.day),
    D: () => `${at.day}${ordinal(at.day)}`,
    H: () => pad(at.hour),
    k: () => String(at.hour),
    h: () => pad(hour12),
    I: () => pad(hour12),
    l: () => String(hour12),
    i: () => pad(at.minute),
    s: () => pad(at.second),
    S: () => pad(at.second),
    p: () => half,
    T: () => timeText(at),
    r: () => `${pad(hour12)}:${pad(at.minute)}:${pad(at.second)} ${half}`,
    W: () => weekdays[weekday(at)]!,
    a: () => weekdays[weekday(at)]!.slice(0, 3),
    w: () => String(weekday(at)),
    j: () => pad(dayOfYear(at), 3),
    U: () => pad(weekOf(at, false, false, true).week),
    u: () => pad(weekOf(at, true, false, false).week),
    V: () => pad(weekOf(at, false, true, true).week),
    v: () => pad(weekOf(at, true, true, false).week),
    X: () => pad(weekOf(at, false, true, true).year, 4),
    x: () => pad(weekOf(at, true, true, false).year, 4),
    f: () => '000000',
  };
  return format.replace(/%([\s\S])/g, (_, letter: string) => parts[letter]?.() ?? letter);
}

function ordinal(day: number): string {
  if (day > 10 && day < 14) return 'th';
  return ['th', 'st', 'nd', 'rd'][day % 10] ?? 'th';
}

/** Letters of a format that stand for a time of day. */
export const hasTime = (format: string) => /%[HkhIlisSTrfp]/.test(format);
export const hasDate = (format: string) => /%[YymcMbdeDjUuVvXxWaw]/.test(format);

/** Reads text by a format of `%Y %m %d %H %i %s %M %b %e …`; NULL when it does not fit. */
function parsedDate(value: string, format: string): string | null {
  if (/%[jUuVvXxw#@.]/.test(format))
    throw new ValueError('This format of STR_TO_DATE is not available in this environment');
  const letters: string[] = [];
  const patterns: { [letter: string]: string } = {
    Y: '(\\d{1,4})',
    y: '(\\d{1,2})',
    M: `(${months.join('|')})`,
    b: `(${months.map((name) => name.slice(0, 3)).join('|')})`,
    W: `(${weekdays.join('|')})`,
    a: `(${weekdays.map((name) => name.slice(0, 3)).join('|')})`,
    p: '([AP]M)',
    D: '(\\d{1,2})(?:st|nd|rd|th)',
    f: '(\\d{1,6})',
  };
  const whole_ = format.replaceAll('%T', '%H:%i:%s').replaceAll('%r', '%h:%i:%s %p');
  const pattern = whole_.replace(/%([\s\S])|\s+|[\s\S]/g, (part, letter: string | undefined) => {
    if (letter === undefined) return /\s/.test(part) ? '\\s*' : `\\s*${RegExp.escape(part)}`;
    letters.push(letter);
    return `\\s*${patterns[letter] ?? '(\\d{1,2})'}`;
  });
  // Text after the format is left out, with a warning.
  const match = new RegExp(`^${pattern}`, 'i').exec(value);
  if (!match) return null;
  const read: { [letter: string]: string } = {};
  letters.forEach((letter, index) => {
    read[letter] = match[index + 1] ?? '';
  });
  const named = (read.M ?? read.b)?.slice(0, 3).toLowerCase();
  const month = named
    ? months.findIndex((name) => name.slice(0, 3).toLowerCase() === named) + 1
    : Number(read.m ?? read.c ?? 0);
  const year = read.Y !== undefined ? Number(read.Y) : twoDigitYear(Number(read.y ?? 0));
  const hour = Number(read.H ?? read.k ?? read.h ?? read.l ?? read.I ?? 0);
  const isTwelve = read.h !== undefined || read.I !== undefined || read.l !== undefined;
  if (isTwelve && (hour < 1 || hour > 12)) return null;
  const full = {
    year,
    month,
    day: Number(read.d ?? read.e ?? read.D ?? 0),
    hour: isTwelve ? (hour % 12) + (/p/i.test(read.p ?? '') ? 12 : 0) : hour,
    minute: Number(read.i ?? 0),
    second: Number(read.s ?? read.S ?? 0),
  };
  if (full.hour > 23 || full.minute > 59 || full.second > 59) return null;
  if (!hasDate(format)) return timeText(full);
  if (!moment(dateText(full))) return null;
  return hasTime(format) ? fullText(full) : dateText(full);
}

/** FROM_UNIXTIME; the server's clock is UTC. */
function fromUnixTime(value: Given | undefined): Moment | null {
  const seconds = number(value);
  if (!Number.isInteger(seconds)) throw new ValueError('Parts of a second are not available in this environment');
  // Source: MySQL 8.0 reference manual, FROM_UNIXTIME: later moments are NULL.
  return seconds < 0 || seconds > 32_536_771_199 ? null : fromUtc(seconds * 1000);
}

/** The digits of a date or time as a number. */
const temporalNumber = (value: Given | undefined): Value => {
  const text = string(value).replace(/\.\d*$/, '');
  const number_ = BigInt(text.replace(/\D/g, '') || '0');
  return text.startsWith('-') ? -number_ : number_;
};

export const temporalValues: { [name: string]: Implementation } = {
  ...allAsIntegers({
    year: ofPartial(({ year }) => year),
    month: ofPartial(({ month }) => month),
    day: ofPartial(({ day }) => day),
    quarter: ofPartial(({ month }) => Math.ceil(month / 3)),
    week: ofMoment((at, mode) => weekByMode(at, whole(mode), false).week),
    yearweek: ofMoment((at, mode) => {
      const { year, week } = weekByMode(at, whole(mode), true);
      return year * 100 + week;
    }),
    hour: (value) => timeOf(value)?.hour ?? null,
    minute: (value) => timeOf(value)?.minute ?? null,
    second: (value) => timeOf(value)?.second ?? null,
    dayofweek: ofMoment((at) => weekday(at) + 1),
    weekday: ofMoment((at) => (weekday(at) + 6) % 7),
    dayofyear: ofMoment(dayOfYear),
    to_days: ofMoment(dayNumber),
    datediff: (left, right) => {
      const [a, b] = [moment(left), moment(right)];
      return a && b && dayNumber(a) - dayNumber(b);
    },
    time_to_sec: (value) => {
      const at = timeOf(value);
      return at && at.hour * 3600 + at.minute * 60 + at.second;
    },
    timestampdiff: difference,
    extract: extracted,
    unix_timestamp: (value) => {
      const at = moment(value);
      const seconds = at ? utc(at) / 1000 : 0;
      return seconds < 0 || seconds > 32_536_771_199 ? 0 : seconds;
    },
  }),
  date: ofMoment(dateText),
  time: (value) => {
    const at = timeOf(value);
    return at && timeText(at);
  },
  timestamp: ofMoment(fullText),
  last_day: ofMoment((at) => dateText({ ...at, day: daysInMonth(at.year, at.month) })),
  dayname: ofMoment((at) => weekdays[weekday(at)]!),
  monthname: ofMoment((at) => months[at.month - 1]!),
  date_format: ofMoment((at, format) => formatted(at, string(format))),
  str_to_date: (value, format) => parsedDate(string(value), string(format)),
  add_interval: (value, amount, unit, sign) => addInterval(value!, amount!, unit!, sign!),
  makedate: (year, day) => {
    if (whole(day) < 1 || whole(year) < 0 || whole(year) > 9999) return null;
    const first = firstOfYear(whole(year) < 100 ? twoDigitYear(whole(year)) : whole(year));
    return dateText(fromUtc(utc(first) + (whole(day) - 1) * dayMs));
  },
  from_days: (days) => (whole(days) < 366 ? null : dateText(fromUtc((whole(days) - 719_528) * dayMs))),
  sec_to_time: (seconds) => {
    const all = Math.min(Math.abs(whole(seconds)), 838 * 3600 + 59 * 60 + 59);
    const parts = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60].map((part) => pad(part));
    return (whole(seconds) < 0 ? '-' : '') + parts.join(':');
  },
  from_unixtime: (value) => {
    const at = fromUnixTime(value);
    return at && fullText(at);
  },
  from_unixtime_format: (value, format) => {
    const at = fromUnixTime(value);
    return at && formatted(at, string(format));
  },
  temporal_number: temporalNumber,
};
