/** The kinds as the tables of docs/endpoints.md. */
import { groups } from './kinds.ts';

export function tableOfKinds(): string {
  return Object.entries(groups)
    .map(([title, kinds]) => {
      const rows = kinds.map(
        ({ name, source, does, holds }) => `| \`${name}\` | ${cell(source)} | ${cell(does)} | ${cell(holds)} |`,
      );
      return [`### ${title}`, '', '| kind | seen in | the server | what holds |', '|---|---|---|---|', ...rows].join(
        '\n',
      );
    })
    .join('\n\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
