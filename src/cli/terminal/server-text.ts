/** Embedded Temporal servers as a person reads them, and as `--json` gives them. */
import type { OtherServer, ServerView } from '../../temporal/server-view.ts';
import { clock, plural } from './text.ts';

/** @param server null if none runs */
export function serverText(home: string, server: ServerView | null): string {
  if (server === null) return `No embedded Temporal server runs for ${home}.`;
  const { process, address, uiAddress, since, users } = server;
  const runs = `The Temporal server at ${address} (process ${process}, UI ${uiAddress}) runs${sinceText(since)}`;
  return users.length > 0 ? `${runs}, used by ${usersText(users)}.` : `${runs}. ${unusedText(server)}`;
}

function unusedText({ unusedSince, endsAt, openWorkflows, isKept }: ServerView): string {
  const unused = unusedSince === null ? 'No process uses it' : `No process has used it${sinceText(unusedSince)}`;
  if (!isKept) return `${unused}, and it does not end by itself, because its keeper is gone. To end it: crux down`;
  if (openWorkflows)
    return `${unused}, but ${plural(openWorkflows, 'workflow')} ${openWorkflows === 1 ? 'is' : 'are'} open: it stays for a worker. To end it: crux down`;
  return endsAt === null ? `${unused}.` : `${unused}; it ends at ${clock(endsAt)}, unless a workflow is open then.`;
}

export function usersText(users: ServerView['users']): string {
  return users.map(({ command, process }) => `${command ?? 'a program'} (process ${process})`).join(', ');
}

/** Lines about servers of other homes. */
export function otherServersText(others: OtherServer[]): string[] {
  const lines = others.map(({ home, server, address, isHomeGone }) =>
    isHomeGone
      ? `A Temporal server at ${address} (process ${server.pid}) still runs for ${home}, which is gone.`
      : `Another embedded Temporal server runs for ${home} (${address}, process ${server.pid}). To end it: crux down --home ${home}`,
  );
  return others.length > 1 ? [...lines, 'To end all that nobody uses: crux down --all'] : lines;
}

export function otherServersJson(others: OtherServer[]) {
  return others.map(({ home, server, address, isHomeGone }) => ({ home, process: server.pid, address, isHomeGone }));
}

/** @param server null if none runs */
export function serverJson(server: ServerView | null) {
  if (server === null) return null;
  const { since, users, unusedSince, endsAt, ...rest } = server;
  return {
    ...rest,
    since: iso(since),
    users: usersJson(users),
    unusedSince: iso(unusedSince),
    endsAt: iso(endsAt),
  };
}

export function usersJson(users: ServerView['users']) {
  return users.map((user) => ({ ...user, since: iso(user.since) }));
}

function sinceText(since: number | null): string {
  return since === null ? '' : ` since ${clock(since)}`;
}

function iso(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}
