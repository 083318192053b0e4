/** Entry of the thread that reads pages: HTML in, readable text out. */
import { parentPort } from 'node:worker_threads';
import { readableText } from './readable.ts';

parentPort!.on('message', (html: string) => parentPort!.postMessage(readableText(html)));
parentPort!.postMessage('ready');
