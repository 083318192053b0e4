/** The public API of Crux. */

import './required-node.ts';

export { type CruxConfig, type CruxConfigInput, defineConfig } from './config/config.ts';
export type { Action, ParsedAction } from './domain/action.ts';
export type { Ending, Outcome } from './domain/ending.ts';
export type { Example, ProcessExample, TrajectoryOrigin } from './domain/example.ts';
export type { AssistantMessage, Message, OpeningMessage, Tool, UserMessage } from './domain/message.ts';
export type {
  AnchorOptions,
  CsoOptions,
  EtoOptions,
  EvaluateOptions,
  IprOptions,
  RftOptions,
  RroOptions,
  SftOptions,
  StepDpoOptions,
} from './domain/methods/index.ts';
export type { Observation } from './domain/observation.ts';
export type { Certificate, Pair, PairFlag } from './domain/pairs/pair.ts';
export type { Ceiling, CeilingChanges, Ceilings } from './domain/run/ceilings.ts';
export type { EvaluationFigures } from './domain/run/evaluation.ts';
export type { FigureName } from './domain/run/figures.ts';
export type { DataUse, LeakedGroup } from './domain/run/lineage.ts';
export type { RunConfig, RunState } from './domain/run/run-config.ts';
export type { Split, Task } from './domain/task.ts';
export type { AuditResult } from './domain/wire/audit.ts';
export type { CampaignInput, CampaignProgress, CampaignResult } from './domain/wire/campaign.ts';
export type { ImproveInput, ImproveProgress, ImproveResult } from './domain/wire/improve.ts';
export type { TrajectoryInput, TrajectoryResult } from './domain/wire/trajectory.ts';
export type {
  AskPurpose,
  AskRequest,
  AuditedTrajectory,
  Briefing,
  Capabilities,
  Confirmation,
  Environment,
  EnvironmentDefinition,
  Replay,
  ScriptedStep,
  Session,
  SessionContext,
  StepResult,
  TakenAction,
  TextFormat,
} from './environments/contract.ts';
export { type DeepSearchOptions, deepSearch } from './environments/deep-search/environment.ts';
export type { LiveOptions } from './environments/deep-search/live/options.ts';
export type { SearchTemplate } from './environments/deep-search/live/providers.ts';
export { defineEnvironment } from './environments/define.ts';
export { interCodeSql } from './environments/intercode-sql/environment.ts';
export { type WebShopOptions, webshop } from './environments/webshop/environment.ts';
export { CruxError, type FaultKind } from './errors.ts';
export {
  type ExportOptions,
  type ExportResult,
  exportExamples,
  exportPairs,
  exportProcessExamples,
} from './export/index.ts';
export { type RunView, renderCalibration, renderComparison, renderImprovement, renderReport } from './report/index.ts';
export { simulationFromDataset } from './simulation/from-dataset.ts';
export { type Simulation, type SimulationOptions, startSimulation } from './simulation/server.ts';
export type { SimulatedWorld } from './simulation/world.ts';
export type { AuditRequest } from './start/audits.ts';
export {
  type ConnectOptions,
  type Crux,
  connect,
  type ResultOptions,
  type StartedImprovement,
  type StartedRun,
} from './start/connect.ts';
export type { ImproveRequest } from './start/improvements.ts';
export { anchor, cso, eto, evaluate, ipr, rft, rro, sft, stepDpo } from './start/methods.ts';
export type { RunRequest } from './start/request.ts';
export { recordUse } from './store/data-uses.ts';
export { taskQueue, type WorkerRole } from './temporal/task-queues.ts';
export {
  commandServer,
  cruxServer,
  deployed,
  fireworks,
  hosted,
  llamaCpp,
  sglang,
  vllm,
} from './training/servers/settings.ts';
export { command, fineTuningJobs, llamaFactory, trl } from './training/trainers/settings.ts';
export { type AuditView, auditView } from './views/audit.ts';
export { type CompareOptions, compareRuns } from './views/comparison.ts';
export type { ComparedFigure, ComparedRun, Comparison, Difference } from './views/comparison-types.ts';
export { type Evaluation, evaluationOf } from './views/evaluation.ts';
export { type ImprovementView, improvementView } from './views/improvement.ts';
export { loadPairs } from './views/pairs.ts';
export { type RunSummary, runSummary } from './views/run-summary.ts';
export { runView } from './views/run-view.ts';
