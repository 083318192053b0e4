/** Puts a move into words: the thought and the action. Policy and expert share the phrases, so that words alone do not tell them apart. */
import type { Action } from '../../domain/action.ts';
import type { Dice } from '../random.ts';
import type { Proposal } from '../world.ts';
import type { Lesson } from './lesson.ts';
import type { Move, Visible } from './visible.ts';

export function putIntoWords(move: Move, visible: Visible, lesson: Lesson, dice: Dice): Proposal {
  const { action, phrases } = express(move, visible, lesson, dice);
  return { thought: dice.pick(phrases), action };
}

function express(move: Move, visible: Visible, lesson: Lesson, dice: Dice): { action: Action; phrases: string[] } {
  const subject = shorten(lesson.task.question);
  switch (move.kind) {
    case 'show-tables':
      return {
        action: sql('SHOW TABLES'),
        phrases: [
          'I should look at the tables of the database first.',
          `Before I write a query I need to know which tables there are in ${lesson.task.db}.`,
          'Let me see which tables are available.',
        ],
      };
    case 'describe':
      return {
        action: sql(`${dice.pick(['DESCRIBE', 'DESCRIBE', 'DESC'])} ${move.table}`),
        phrases: [
          `I need to know the columns of ${move.table}.`,
          `Let me look at how ${move.table} is built.`,
          `The table ${move.table} may hold what I need, so I check its columns.`,
        ],
      };
    case 'peek':
      return {
        action: sql(`SELECT * FROM ${move.table} LIMIT ${dice.pick([3, 5, 10])}`),
        phrases: [
          `A few rows of ${move.table} will show what its values look like.`,
          `Let me see some rows of ${move.table}.`,
        ],
      };
    case 'correct-query':
      return { action: sql(dice.pick(lesson.correct)), phrases: queryPhrases(visible, subject) };
    case 'mistaken-query':
      return { action: sql(lesson.mistakes[move.mistake]!.sql), phrases: queryPhrases(visible, subject) };
    case 'submit':
      return {
        action: { tool: 'submit', arguments: {} },
        phrases: [
          'The result answers the question, so I submit it.',
          'This looks like what was asked for. I submit.',
          `That is the answer to "${subject}".`,
        ],
      };
    case 'skip':
      return {
        action: { tool: 'skip', arguments: {} },
        phrases: [
          'I cannot find out how to answer this, so I skip it.',
          'This does not lead anywhere. I skip the question.',
        ],
      };
    case 'other-query':
    case 'malformed':
      throw new TypeError(`No agent chooses the move "${move.kind}".`);
  }
}

function queryPhrases({ last }: Visible, subject: string): string[] {
  switch (last) {
    case 'error':
      return [
        'The last action failed; I write the query in another way.',
        'That did not work. I try it with other names.',
      ];
    case 'empty':
      return ['Nothing came back, so the query must be different.', 'An empty result cannot be right. I try again.'];
    case 'correct':
    case 'wrong-rows':
      return [
        'I am not sure about this result and check it with another query.',
        `Does this really answer "${subject}"? I try it once more.`,
      ];
    case 'nothing':
    case 'explored':
      return [
        `I can write a query for "${subject}".`,
        'Now I know enough to write the query.',
        'This query should give the answer.',
        `The question asks: ${subject} I translate it into SQL.`,
      ];
  }
}

function sql(query: string): Action {
  return { tool: 'execute_sql', arguments: { query } };
}

function shorten(text: string): string {
  return text.length <= 80 ? text : `${text.slice(0, 77)}...`;
}
