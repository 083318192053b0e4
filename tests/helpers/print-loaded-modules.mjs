/** For `node --import`: when the process ends, its error stream gets one line `loaded <url>` for each module that it loaded. */
import { registerHooks } from 'node:module';

const loaded = [];
registerHooks({
  load(url, context, next) {
    loaded.push(url);
    return next(url, context);
  },
});
process.on('exit', () => process.stderr.write(loaded.map((url) => `loaded ${url}\n`).join('')));
