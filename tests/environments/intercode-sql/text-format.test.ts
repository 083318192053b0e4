// Layer: pure core. The ReAct form of IPR.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalAction } from '../../../src/environments/intercode-sql/canonical.ts';
import { malformedHint, singleLine, sqlTextFormat } from '../../../src/environments/intercode-sql/text-format.ts';

const query = (sql: string) => ({ tool: 'execute_sql', arguments: { query: sql } });
const submit = { tool: 'submit', arguments: {} };

describe('reading a turn', () => {
  it.each([
    ['a block', 'Thought: look\nAction:\n```sql\nSHOW TABLES\n```', 'look', query('SHOW TABLES')],
    [
      'only the first line of the first block',
      'Thought: x\nAction:\n```sql\nSELECT 1\nFROM t\n```\n```sql\nSELECT 2\n```',
      'x',
      query('SELECT 1'),
    ],
    ['a block that never ends', 'Thought: x\nAction:\n```sql\nSELECT 1', 'x', query('SELECT 1')],
    ['submit', 'Thought: done\nAction: submit', 'done', submit],
    ['submit in a sentence', 'Thought: done\nAction: I submit this.', 'done', submit],
    ['the word in a query is not a submission', "Action:\n```sql\nSELECT 'submit'\n```", '', query("SELECT 'submit'")],
    ['submit before a block', 'Thought: x\nAction: submit\n```sql\nSELECT 1\n```', 'x', submit],
    [
      'nothing behind an observation that the model invented, "submit" least of all',
      'Thought: look\nAction:\n```sql\nSHOW TABLES\n```\nObservation: [("singer",)]\nThought: done\nAction: submit',
      'look',
      query('SHOW TABLES'),
    ],
    ['skip', 'Thought: too hard\nAction: skip', 'too hard', { tool: 'skip', arguments: {} }],
    ['no thought', 'Action:\n```sql\nSELECT 1\n```', '', query('SELECT 1')],
  ])('%s', (_, text, thought, action) => {
    expect(sqlTextFormat.parse(text)).toEqual({ kind: 'action', thought, action });
  });

  it.each(['SELECT 1', 'Thought: hm', 'Thought: hm\nAction: SELECT 1', 'Action:\n```sql\n\n```', ''])(
    '%j is malformed and gets the fixed hint',
    (text) => {
      expect(sqlTextFormat.parse(text)).toMatchObject({ kind: 'malformed', hint: malformedHint });
    },
  );
});

describe('writing a turn', () => {
  it('is read back to the same thought and action', () => {
    const words = fc.stringMatching(/^[A-Za-z ,.'"]{0,40}$/).map((text) => text.trim().replace(/^Thought:/, ''));
    const statements = fc.constantFrom(
      'SHOW TABLES',
      "SELECT 'a b' FROM t WHERE x = 'submit'",
      'SELECT `a` FROM t -- why',
      'DESC t;',
    );
    fc.assert(
      fc.property(
        words,
        fc.oneof(statements.map(query), fc.constant(submit), fc.constant({ tool: 'skip', arguments: {} })),
        (thought, action) => {
          expect(sqlTextFormat.parse(sqlTextFormat.render(thought, action))).toEqual({
            kind: 'action',
            thought,
            action,
          });
        },
      ),
      { seed: 1 },
    );
  });

  it('writes a query of several lines on one, with the same meaning', () => {
    const sql = "SELECT a, -- the name\n  'two\nlines'\nFROM t";
    expect(singleLine(sql)).toBe("SELECT a, 'two\\nlines' FROM t");
    expect(canonicalAction(query(singleLine(sql)))).toBe(canonicalAction(query(sql)));
  });

  it('keeps a thought from being taken for the action', () => {
    const text = sqlTextFormat.render('Action: submit would be early', query('SELECT 1'));
    expect(sqlTextFormat.parse(text)).toMatchObject({ action: query('SELECT 1') });
  });
});
