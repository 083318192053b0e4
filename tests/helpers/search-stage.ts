/** The small library with models that search and read: a stage for labs. */
import { deepSearch } from '../../src/environments/deep-search/environment.ts';
import { loadSearchWorld } from '../../src/simulation/search/search-world.ts';
import { smallLibrary } from './small-library.ts';

export const data = await smallLibrary();
export const environments = [deepSearch({ data, name: 'library' })];
export const worlds = [loadSearchWorld(data)];
