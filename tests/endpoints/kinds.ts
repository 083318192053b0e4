/** All kinds of servers that Crux has met, as data: the tests and the table of docs/endpoints.md are made of it. */
import type { Kind } from './kind.ts';
import { answerKinds } from './kinds/answers.ts';
import { blameKinds } from './kinds/blame.ts';
import { foundKinds } from './kinds/found.ts';
import { requestKinds } from './kinds/requests.ts';

export { type Kind, submitted } from './kind.ts';

export const groups: { [title: string]: Kind[] } = {
  'What is an answer, what is a fault': answerKinds,
  'Requests that only their own form satisfies': requestKinds,
  'Whose failure it is': blameKinds,
  'Found in reports beside': foundKinds,
};

export const kinds: Kind[] = Object.values(groups).flat();
