/** What other files than the catalogue say about its products: attributes, instructions, nouns. On disk, because these files are large too. */
import { z } from 'zod';
import { inForm, type Member, membersOf } from '../../imports/json-members.ts';
import { DatabaseSync } from '../../node-sqlite.ts';
import type { Instruction } from './goals.ts';

const byAsin = z.string({ error: 'a member of the file has no ASIN for its name' });
const attributesSchema = z.object({
  attributes: z.array(z.string()).nullish(),
  instruction: z.string().nullish(),
  instruction_attributes: z.array(z.string()).nullish(),
});
const humanSchema = z.array(
  z.object({
    instruction: z.string(),
    instruction_attributes: z.array(z.string()),
    instruction_options: z.array(z.string()),
  }),
);
const nounsSchema = z.object({ asin: z.string(), nouns: z.array(z.string()) });

type Kind = 'attributes' | 'human' | 'nouns';

export class Notes {
  readonly #database: DatabaseSync;

  /** @param path of a file that the caller removes afterwards */
  constructor(path: string) {
    this.#database = new DatabaseSync(path);
    this.#database.exec(
      `PRAGMA synchronous = OFF;
       CREATE TABLE note (kind TEXT, asin TEXT, content TEXT, PRIMARY KEY (kind, asin)) STRICT, WITHOUT ROWID; BEGIN`,
    );
  }

  /** Reads a file of the benchmark. @throws CruxError `User.Config` for one that is not in its form */
  async read(kind: Kind, path: string): Promise<void> {
    const insert = this.#database.prepare('INSERT OR REPLACE INTO note VALUES (?, ?, ?)');
    for await (const member of membersOf(path)) {
      const [asin, content] = inForm(path, member, contentOf[kind]);
      insert.run(kind, asin, JSON.stringify(content));
    }
  }

  attributes(asin: string): string[] {
    return this.#get<z.infer<typeof attributesSchema>>('attributes', asin)?.attributes ?? [];
  }

  /** Null if no file names them. */
  nouns(asin: string): string[] | null {
    return this.#get<string[]>('nouns', asin);
  }

  synthetic(asin: string): Instruction[] {
    const { instruction, instruction_attributes: attributes } =
      this.#get<z.infer<typeof attributesSchema>>('attributes', asin) ?? {};
    return instruction ? [{ text: instruction, attributes: attributes ?? [], options: null }] : [];
  }

  human(asin: string): Instruction[] {
    const written = this.#get<z.infer<typeof humanSchema>>('human', asin) ?? [];
    return written.map(({ instruction: text, instruction_attributes: attributes, instruction_options: options }) => {
      return { text, attributes, options };
    });
  }

  close(): void {
    this.#database.close();
  }

  #get<Content>(kind: Kind, asin: string): Content | null {
    const row = this.#database.prepare('SELECT content FROM note WHERE kind = ? AND asin = ?').get(kind, asin);
    return row ? (JSON.parse(String(row.content)) as Content) : null;
  }
}

const contentOf: { [kind in Kind]: (member: Member) => [asin: string, content: unknown] } = {
  attributes: ({ name, value }) => [byAsin.parse(name), attributesSchema.parse(value)],
  human: ({ name, value }) => [byAsin.parse(name), humanSchema.parse(value)],
  nouns: ({ value }) => {
    const { asin, nouns } = nounsSchema.parse(value);
    return [asin, nouns];
  },
};
