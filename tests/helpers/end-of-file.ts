import { afterAll, vi } from 'vitest';

// Files of one worker share its process. What the last test of a file set would be there when the next file is loaded and prepared.
afterAll(() => {
  vi.unstubAllEnvs();
});
