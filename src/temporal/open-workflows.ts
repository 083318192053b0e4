/**
 * Counts the open workflows of an embedded server by the HTTP interface of its UI. The keeper asks, which must stay small: Temporal's client alone
 * takes more memory than the rest of it.
 */
import { get } from 'node:http';

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

function ask<Answer>(uiAddress: string, path: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = get(`${uiAddress}${path}`, { agent: false, timeout: answerTimeoutMs }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('error', reject);
      response.on('end', () => {
        if (response.statusCode !== 200) return reject(new Error(`${path} was answered with ${response.statusCode}`));
        try {
          resolve(JSON.parse(text) as Answer);
        } catch (error) {
          reject(error);
        }
      });
    });
    request.on('timeout', () => request.destroy(new Error(`no answer within ${answerTimeoutMs} ms`)));
    request.on('error', reject);
  });
}
