import type { Importer } from './importer.ts';

/** Importers by the name of the benchmark; each is loaded on demand. */
export const importers: { readonly [what: string]: () => Promise<Importer> } = {
  'intercode-sql': async () => (await import('../environments/intercode-sql/importer.ts')).importInterCodeSql,
  'deep-search': async () => (await import('../environments/deep-search/importer.ts')).importDeepSearch,
  webshop: async () => (await import('../environments/webshop/importer.ts')).importWebShop,
};
