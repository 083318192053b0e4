import { vi } from 'vitest';

/** What a command writes to its output. */
export async function capturedOutput(command: () => Promise<void>): Promise<string> {
  const written: string[] = [];
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
  try {
    await command();
  } finally {
    write.mockRestore();
  }
  return written.join('');
}
