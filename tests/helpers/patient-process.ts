import { echoing } from './process-environment.ts';

/** It waits longer for its process than a busy machine needs. */
export default echoing(true, 60_000);
