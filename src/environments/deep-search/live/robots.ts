/** What a site allows programs to read (RFC 9309). */
import robotsParser from 'robots-parser';

export type Robots = { allows(address: string): boolean };

/** Its types speak of a module that it is not. */
const parse = robotsParser as unknown as (
  url: string,
  text: string,
) => { isAllowed(url: string, program: string): boolean | undefined };

/** Our name in such files. */
const program = 'crux';

/** @param status of the answer to `/robots.txt`: a site that has none allows everything */
export function robotsOf(origin: string, status: number, text: string): Robots {
  if (status >= 400) return { allows: () => true };
  const robots = parse(`${origin}/robots.txt`, text);
  return { allows: (address) => robots.isAllowed(address, program) ?? true };
}
