/** All kinds of servers that Crux has met, as data: the tests and the table of docs/endpoints.md are made of it. */
import type { Kind } from './kind.ts';
import { answerKinds } from './kinds/answers.ts';
import { blameKinds } from './kinds/blame.ts';
import { foundKinds } from './kinds/found.ts';
import { requestKinds } from './kinds/requests.ts';

export { type Kind, submitted } from './kind.ts';

export const groups: { [title: string]: Kind[] } = {
  'What is an answer, and what is a fault': answerKinds,
  'Servers that accept only requests of their own form': requestKinds,
  'Whose failure it is': blameKinds,
  'Found in issue reports of other projects': foundKinds,
};

export const kinds: Kind[] = Object.values(groups).flat();
