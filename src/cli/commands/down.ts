import { CruxError } from '../../errors.ts';
import { stopEmbeddedServer } from '../../temporal/embedded-server.ts';
import { endStray } from '../../temporal/end-server.ts';
import { countOpenWorkflows } from '../../temporal/open-workflows.ts';
import { otherServers, type ServerView, viewServer } from '../../temporal/server-view.ts';
import { type GlobalOptions, homeOf, printResult } from '../setting.ts';
import { CommandFailed } from '../terminal/errors.ts';
import { usersJson, usersText } from '../terminal/server-text.ts';
import { plural } from '../terminal/text.ts';

type Given = { all?: boolean; force?: boolean };

/** What became of one server. */
type End = {
  home: string;
  process: number;
  address: string;
  /** Null if it did not answer, or if its home is gone. */
  openWorkflows: number | null;
  users: ServerView['users'];
  isEnded: boolean;
};

/**
 * Ends the embedded server of the home folder, or those of all homes of this user.
 * @throws CruxError `User.Config` if the server is in use; CommandFailed with exit code 2 if one of all is
 */
export async function down(options: GlobalOptions, { all = false, force = false }: Given): Promise<void> {
  const home = homeOf(options);
  const others = otherServers(home);
  const homes = all
    ? new Set([home, ...others.filter(({ isHomeGone }) => !isHomeGone).map((one) => one.home)])
    : [home];
  const ends: End[] = [];
  for (const stray of others.filter((one) => one.isHomeGone && (all || one.home === home))) {
    await endStray(stray);
    const { home, server, address } = stray;
    ends.push({ home, process: server.pid, address, openWorkflows: null, users: [], isEnded: true });
  }
  for (const one of homes) {
    const end = await endServerOf(one, force);
    if (end !== null) ends.push(end);
  }
  const inUse = ends.filter(({ isEnded }) => !isEnded);
  if (!all && inUse[0] !== undefined) {
    throw new CruxError('User.Config', inUseText(inUse[0]), { remedy: `${remedy}.` });
  }
  const ended = ends.filter(({ isEnded }) => isEnded);
  const result = {
    ended: ended.map(({ home, process, address, openWorkflows }) => ({ home, process, address, openWorkflows })),
    inUse: inUse.map(({ home, process, address, users }) => ({ home, process, address, users: usersJson(users) })),
  };
  const left = all ? 0 : others.filter((one) => one.home !== home).length;
  printResult(options, result, () =>
    [
      ...ended.map(endedText),
      ...inUse.map(inUseText),
      ...(ends.length > 0
        ? []
        : [`No embedded Temporal server runs${all ? '' : ` for ${home}`}: there is nothing to end.`]),
      ...(left === 0
        ? []
        : [`Of other homes: ${plural(left, 'server')}. \`crux status\` names them, \`crux down --all\` ends them.`]),
    ].join('\n'),
  );
  if (inUse.length > 0) throw new CommandFailed(`${plural(inUse.length, 'server')} in use. ${remedy}.`, 2);
}

const remedy =
  'First end what uses it (Ctrl-C or SIGTERM), or give --force: what is in progress then stands still until it is started again';

/** @returns null if none runs */
async function endServerOf(home: string, force: boolean): Promise<End | null> {
  const server = viewServer(home);
  const openWorkflows = server === null ? null : await countOpenWorkflows(server.uiAddress).catch(() => null);
  const stopped = await stopEmbeddedServer(home, force ? 'force' : 'unless-used');
  if (stopped === null) return null;
  const { pid, address, isEnded } = stopped;
  const users = stopped.users.map(({ command, process, since }) => ({ command, process: process.pid, since }));
  return { home, process: pid, address, openWorkflows, users, isEnded };
}

function endedText({ home, process, address, openWorkflows, users }: End): string {
  return [
    `Ended the Temporal server at ${address} (process ${process}) of ${home}.`,
    ...(users.length > 0 ? [`It was used by ${usersText(users)}.`] : []),
    ...(openWorkflows
      ? [`Workflows that stay open: ${openWorkflows}; the next server of this home continues them.`]
      : []),
  ].join(' ');
}

function inUseText({ home, process, address, users }: End): string {
  return `The Temporal server at ${address} (process ${process}) of ${home} is used by ${usersText(users)}.`;
}
