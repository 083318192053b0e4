/**
 * Counts the open workflows of an embedded server by the HTTP interface of its UI. The keeper asks, which must stay small: Temporal's client alone
 * takes more memory than the rest of it.
 */
import { get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const answerTimeoutMs = 5_000;
const systemNamespace = 'temporal-system';

/** @returns the number in all namespaces of users @throws Error if the server does not answer, or not in the expected form */
export async function countOpenWorkflows(uiAddress: string): Promise<number> {
  let open = 0;
  for (const namespace of await namespacesOf(uiAddress)) {
    const query = encodeURIComponent("ExecutionStatus = 'Running'");
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/workflow-count?query=${query}`;
    // Zero is left out of the answer.
    const { count = '0' } = await ask<{ count?: string }>(uiAddress, path);
    open += Number(count);
  }
  return open;
}

type Page = { namespaces: { namespaceInfo: { name: string } }[]; nextPageToken?: string };

async function namespacesOf(uiAddress: string): Promise<string[]> {
  const names: string[] = [];
  let token: string | undefined = '';
  do {
    const page: Page = await ask(uiAddress, `/api/v1/namespaces?nextPageToken=${encodeURIComponent(token)}`);
    names.push(...page.namespaces.map(({ namespaceInfo }) => namespaceInfo.name));
    token = page.nextPageToken;
  } while (token);
  return names.filter((name) => name !== systemNamespace);
}

/** For some moments after its start the UI has not found its own server, and answers 503. */
async function ask<Answer>(uiAddress: string, path: string): Promise<Answer> {
  for (const giveUpAt = Date.now() + answerTimeoutMs; ; await sleep(100)) {
    const { status, text } = await fetchText(`${uiAddress}${path}`);
    if (status === 200) return JSON.parse(text) as Answer;
    if (status !== 503 || Date.now() >= giveUpAt) throw new Error(`${path} was answered with ${status}`);
  }
}

function fetchText(url: string): Promise<{ status: number | undefined; text: string }> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false, timeout: answerTimeoutMs }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode, text }));
    });
    request.on('timeout', () => request.destroy(new Error(`no answer within ${answerTimeoutMs} ms`)));
    request.on('error', reject);
  });
}
