/** Names of files that say which process made them, so that others can tell whether it has ended. */
import { createHash, randomUUID } from 'node:crypto';
import { ownPlace, placeOf } from './process-identity.ts';

/** A new mark of this process: letters, digits and hyphens. */
export function ownMark(): string {
  const place = ownPlace();
  const unique = randomUUID().slice(0, 8);
  return place === null ? unique : `${place.pid}-${short(place.space)}-${short(place.startMark)}-${unique}`;
}

/** Whether the process that made a mark is known to have ended; false for one that cannot be seen from here. */
export function hasMarkerEnded(mark: string): boolean {
  const [, pid, space, startMark] = /^(\d+)-(\w{8})-(\w{8})-\w{8}$/.exec(mark) ?? [];
  if (pid === undefined || space !== ownSpace()) return false;
  const place = placeOf(Number(pid));
  return place === null || short(place.startMark) !== startMark;
}

function ownSpace(): string | null {
  const place = ownPlace();
  return place && short(place.space);
}

function short(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}
