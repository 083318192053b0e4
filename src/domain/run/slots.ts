/** How the window of a run is divided into slots, whose places play one task after another. */
import { methods } from '../methods/index.ts';
import { isStepByStep, type RunConfig } from './run-config.ts';

/** So many that workers which start together, or later, all get some. */
const fewestSlots = 8;
/** Each slot costs heartbeats and history: a large window has larger slots. */
const mostPlaces = 50;

/** Whether slots play the tasks of a run. A task that is mined has a workflow: its whole life. */
export function isPlayedInSlots({ method, granularity }: Pick<RunConfig, 'method' | 'granularity'>): boolean {
  return methods[method].gives !== 'pairs' && !isStepByStep(granularity);
}

/** The largest window of a run whose tasks have workflows: a worker holds each in memory. */
export const mostWorkflows = 500;

/** @returns the places of each slot; together as many as the window has */
export function placesOfSlots(window: number): number[] {
  const slots = Math.min(window, Math.max(fewestSlots, Math.ceil(window / mostPlaces)));
  return Array.from({ length: slots }, (_, slot) => Math.floor((window + slot) / slots));
}

/** How many of a run's slots a worker plays when each plays its share. */
export function shareOfSlots(slots: number, workers: number): number {
  return Math.ceil(slots / Math.max(1, workers));
}
