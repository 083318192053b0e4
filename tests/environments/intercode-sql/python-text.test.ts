// Layer: pure core. The form in which Python prints rows of mysql-connector.
import { describe, expect, it } from 'vitest';
import { encoded, toDecimal } from '../../../src/environments/intercode-sql/mysql/decimal.ts';
import { decimal, declaredType, double, integer, text } from '../../../src/environments/intercode-sql/mysql/types.ts';
import { listText, stringText, tupleText } from '../../../src/environments/intercode-sql/python-text.ts';

describe('rows', () => {
  it('prints tuples, a single value with a comma', () => {
    expect(tupleText(['a', 1n, null], [text, integer, text])).toBe("('a', 1, None)");
    expect(tupleText([2.5], [double])).toBe('(2.5,)');
    expect(listText([])).toBe('[]');
    expect(listText(['(1,)', '(2,)'])).toBe('[(1,), (2,)]');
  });

  it.each([
    ['3', 4, "Decimal('3.0000')"],
    // Half away from zero.
    ['1.00005', 4, "Decimal('1.0001')"],
    ['-1.00005', 4, "Decimal('-1.0001')"],
    ['-0.5', 4, "Decimal('-0.5000')"],
    ['-0.00001', 4, "Decimal('0.0000')"],
    ['12345678901234567890123.25', 2, "Decimal('12345678901234567890123.25')"],
    // Python writes numbers below a millionth with an exponent.
    ['0', 6, "Decimal('0.000000')"],
    ['0', 7, "Decimal('0E-7')"],
    ['0.00000012', 8, "Decimal('1.2E-7')"],
  ])('prints the decimal %s with %i digits after the point', (value, scale, expected) => {
    expect(tupleText([encoded(toDecimal(value))], [decimal(scale)])).toBe(`(${expected},)`);
  });

  it('refuses an integer that SQLite has made a double, because it does not fit', () => {
    expect(() => tupleText([9.3e18], [integer])).toThrow('BIGINT value is out of range');
  });

  it.each([
    [5, '5.0'],
    [0.1, '0.1'],
    [1e16, '1e+16'],
    [1.5e-7, '1.5e-07'],
    [123456789012345.6, '123456789012345.6'],
  ])('prints the float %s as Python does', (value, expected) => {
    expect(tupleText([value], [double])).toBe(`(${expected},)`);
  });

  it('shows single precision with six digits', () => {
    expect(tupleText([Math.fround(76.7)], [declaredType('float')])).toBe('(76.7,)');
    expect(tupleText([Math.fround(828)], [declaredType('float(10,2)')])).toBe('(828.0,)');
  });

  it.each([
    ['2018-03-01', 'date', 'datetime.date(2018, 3, 1)'],
    ['2018-03-01 10:20:00', 'datetime', 'datetime.datetime(2018, 3, 1, 10, 20)'],
    ['2018-03-01 00:00:07', 'datetime', 'datetime.datetime(2018, 3, 1, 0, 0, 7)'],
    ['0000-00-00', 'date', 'None'],
    ['01:00:05', 'time', 'datetime.timedelta(seconds=3605)'],
  ])('prints %s of type %s', (value, type, expected) => {
    expect(tupleText([value], [declaredType(type)])).toBe(`(${expected},)`);
  });
});

describe('strings', () => {
  it.each([
    ['plain', "'plain'"],
    ["it's", `"it's"`],
    [`it's "so"`, `'it\\'s "so"'`],
    ['a\nb\\c\td\u0001é', "'a\\nb\\\\c\\td\\x01é'"],
  ])('%j', (value, expected) => {
    expect(stringText(value)).toBe(expected);
  });
});
