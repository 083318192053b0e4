/**
 * `crux-rl/testing`: for trying an environment before paying for a model. Simulated models for its tasks, the server that serves them, and mazes
 * whose true values are known.
 */

import './required-node.ts';

export type { Turn } from './simulation/conversation.ts';
export type { FaultOptions as SimulatedFaults } from './simulation/faults.ts';
export { simulationFromDataset } from './simulation/from-dataset.ts';
export {
  type AgentConversation,
  type FunctionWorldDefinition,
  functionWorld,
  type SimulatedConversation,
} from './simulation/function-world.ts';
export type { LatencyOptions as SimulatedLatency } from './simulation/latency.ts';
export { mazeEnvironment } from './simulation/maze-environment.ts';
export {
  exactValues,
  type MazeRoom,
  mazePolicy,
  mazeWorld,
  type PolicyProbabilities,
  type SimulatedMaze,
} from './simulation/maze-world.ts';
export { createMazes, type Maze, type MazeOptions, type Room } from './simulation/mazes.ts';
export type { SimulationStats } from './simulation/request-log.ts';
export type { RequestRate } from './simulation/request-rate.ts';
export { type ScriptedWorld, type ScriptedWorldOptions, scriptedWorld } from './simulation/scripted-world.ts';
export { type Simulation, type SimulationOptions, startSimulation } from './simulation/server.ts';
export type { Agent, Judgement, Proposal, Scene, SimulatedWorld } from './simulation/world.ts';
