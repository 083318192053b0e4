/**
 * The store's tables, the same for SQLite and Postgres. Flags are 0 or 1, JSON is text, times are milliseconds since 1970: both databases hold these
 * alike. `null` always means unknown or not applicable, never zero.
 */

export type Schema = {
  meta: { key: string; value: string };
  runs: RunTable;
  run_tasks: RunTaskTable;
  nodes: NodeTable;
  transitions: TransitionTable;
  snapshots: SnapshotTable;
  outcomes_so_far: OutcomeSoFarTable;
  shared_results: SharedResultTable;
  answers: AnswerTable;
  unusable_answers: UnusableAnswerTable;
  served_models: ServedModelTable;
  faults: FaultTable;
  reservations: ReservationTable;
  environment_costs: EnvironmentCostTable;
  spending: SpendingTable;
  claims: ClaimTable;
  trajectories: TrajectoryTable;
  candidates: CandidateTable;
  scores: ScoreTable;
  steps: StepTable;
  proposals: ProposalTable;
  branches: BranchTable;
  pairs: PairTable;
  examples: ExampleTable;
  data_uses: DataUseTable;
  cut_observations: CutObservationTable;
  audits: AuditTable;
  rollouts: RolloutTable;
  providers: ProviderTable;
  shares: ShareTable;
  waits: WaitTable;
  endpoint_facts: EndpointFactTable;
  workers: WorkerTable;
  improvements: ImprovementTable;
  trainings: TrainingTable;
  improve_phases: PhaseTable;
};

/** A process that works, or worked, for the store. */
export type WorkerTable = {
  id: string;
  host: string;
  /** Lists as JSON. */
  roles: string;
  environments: string;
  endpoints: string;
  /** By the clock of the database's machine. */
  seen_at: number;
  /** Null in rows from earlier versions, like all that follows. */
  command: string | null;
  pid: number | null;
  /** The system's mark of the process's start, and the space in which process ids are unique. */
  start_mark: string | null;
  process_space: string | null;
  started_at: number | null;
};

/** One run that a user started. */
export type RunTable = {
  id: string;
  method: string;
  environment: string;
  /** Seed of all random draws. */
  seed: number;
  /** Resolved options of run and models, without secrets. */
  config: string;
  /** `RunState`. */
  state: string;
  /** Why it is blocked: a `Block` as JSON. Null if it is not. */
  block: string | null;
  /** `Ceilings` as JSON; older rows lack rollouts, task and step. */
  ceilings: string;
  /** Runs whose journal is read too (`--reuse`), as a JSON list. */
  reuse: string;
  created_at: number;
  finished_at: number | null;
};

/** One trajectory to be made in a run: its task and its result. */
export type RunTaskTable = {
  run_id: string;
  /** From 0, the order in which the campaign takes them. */
  position: number;
  task_id: string;
  sample: number;
  /** As the environment said when the run was made. Null in runs from earlier versions; the difficulty is also null if the task has none. */
  task_group: string | null;
  difficulty: string | null;
  /** As the environment called it when the run was made. Null in runs from earlier versions. */
  title: string | null;
  /** Recorded trajectory to start from; null if the policy makes its own. */
  imported_id: string | null;
  /** `waiting`, `done`. */
  state: string;
  /** `TrajectoryResult` as JSON, once done. */
  result: string | null;
  /** The slot that has taken it, from 0; null if none has. */
  slot: number | null;
};

/** A conversation state. Content-addressed: the id is the hash of parent, assistant message and observation. */
export type NodeTable = {
  id: string;
  /** Null for a task's first state. */
  parent_id: string | null;
  root_id: string;
  environment: string;
  task_id: string;
  /** Steps taken so far; 0 at the root. */
  step: number;
  /** Root: opening messages. Otherwise the assistant message and the observation's messages. */
  messages: string;
  /** Tools, as JSON: of the root, and of a state in which they changed. */
  tools: string | null;
  /** Root only: agent format. */
  format: string | null;
  /** The action that was executed, or a list of several; null at the root and for a malformed message. */
  action: string | null;
  /** State keys after each of several actions, as a JSON list; null for at most one. */
  action_keys: string | null;
  /** 1 if the observation's messages stand in place of the whole conversation; else null. */
  is_rewritten: number | null;
  /** The server's own ids of the message's tool calls, as a JSON list; null if it gave none. Part of no hash: the first record stays. */
  call_ids: string | null;
  /** Key of the environment's own state after the step. */
  state_key: string;
  created_at: number;
};

/** What the environment returned for one action in one of its states. */
export type TransitionTable = {
  /** State key after the action: hash of environment, version, task and parsed actions so far. */
  key: string;
  parent_key: string;
  /** `Observation` as JSON. */
  observation: string;
  /** Tools from here on, as JSON; null if they are those from before. */
  tools: string | null;
  done: number;
  reward: number | null;
  success: number | null;
  details: string | null;
  /** `StateMark` of the state after it. Null if the environment has none or the action ended the task, and in transitions from earlier versions. */
  state_hash: string | null;
  /** `environment`, `snapshot`. */
  state_hash_by: string | null;
  state_changed: number | null;
  /**
   * What took the recorded step: `recorderOf` a run, or the scope of an import; with `told` before it if the session was told a result that the
   * run shares. Null in transitions from earlier versions.
   */
  recorded_by: string | null;
  created_at: number;
};

/** A state whose observation a run's models read only in part. */
export type CutObservationTable = { run_id: string; node_id: string; left_out: number };

/** An environment's own image of one of its states, for when replay is impossible or too expensive. */
export type SnapshotTable = { state_key: string; snapshot: string };

/** What an environment said that a trajectory is worth which a limit ends in one of its states. */
export type OutcomeSoFarTable = {
  /** Of the outcome: `outcomeKey`. */
  state_key: string;
  /** Key of the state, if that is another; null if it is the same, and in rows from earlier versions. */
  of_state: string | null;
  reward: number;
  success: number;
  details: string | null;
};

/** What a step of a run read from the world outside, by the name that the environment gives it. */
export type SharedResultTable = {
  /** The run whose transitions the step belongs to, and when that run was prepared. */
  run_id: string;
  since: number;
  name_hash: string;
  /** As JSON, like the observation. */
  name: string;
  observation: string;
  details: string | null;
  created_at: number;
};

/** The journal: one complete, paid answer. The first write under a key wins. */
export type AnswerTable = {
  run_id: string;
  key: string;
  /** Task whose ceilings the call counts for. Null in answers of schema version 1. */
  task_id: string | null;
  /** State whose step it was made for; null for a call that explores. */
  step_id: string | null;
  /** Of a session's question: the key of the step, or of the first state while a session opens. */
  node_id: string;
  role: string;
  purpose: string;
  stream: string;
  sample: number;
  ask: number;
  /** Of a session's question: the state in which the step is taken. Null for all other calls. */
  asked_in: string | null;
  /** Of a session's question: the purpose of the step. Null for all other calls. */
  asked_for: string | null;
  model: string;
  seed: number;
  message: string;
  finish_reason: string;
  /** From `usage`; null if the provider gave none. */
  prompt_tokens: number | null;
  completion_tokens: number | null;
  /** Null if price or usage is unknown. */
  cost_micro_usd: number | null;
  /** Whole call, without waits for the limiter. */
  latency_ms: number;
  /** How long the call waited for limiter, rate and cool-down. Null in answers of schema version 1. */
  throttled_ms: number | null;
  /** How long our own limits on places and rate kept it waiting. Null in answers from earlier versions: `throttled_ms` then holds both. */
  queued_ms: number | null;
  /** Log-probability of the whole answer; null if it was not requested or not reported. */
  logprob: number | null;
  /** The model's thoughts apart from its message; null if there were none, or the server reported none. */
  reasoning: string | null;
  /** The server's name for the model that answered; null if it gave none, and in answers from earlier versions. */
  served_model: string | null;
  /** The server's own ids of the tool calls, as a JSON list; null if it gave none. */
  call_ids: string | null;
  /** What was really sent, as JSON: members of the request, and changes to its messages. Null in answers from earlier versions. */
  sent: string | null;
  /** 1 if the answer was read from another run's journal instead of being paid for. */
  reused: number;
  created_at: number;
};

/** A response that may have been paid for but is of no use: it counts for ledger and ceilings, and is never read as an answer. */
export type UnusableAnswerTable = {
  run_id: string;
  /** Key of the call. */
  key: string;
  /** From 1, in the order of the call's such answers. */
  number: number;
  task_id: string | null;
  step_id: string | null;
  role: string;
  purpose: string;
  model: string;
  served_model: string | null;
  /** `UnusableReason`. */
  reason: string;
  /** The response in the server's words, cut and without secrets. */
  words: string;
  /** 1 if it was, or may have been, paid for: it has usage, or the form of an answer. */
  billed: number;
  /** Null if the provider gave none. */
  prompt_tokens: number | null;
  completion_tokens: number | null;
  cost_micro_usd: number | null;
  created_at: number;
};

/** The server's name for the model of a role when it first answered in a run. */
export type ServedModelTable = { run_id: string; role: string; served_model: string };

/** Faults per call; never read as answers. */
export type FaultTable = {
  run_id: string;
  key: string;
  role: string;
  kind: string;
  count: number;
  last_message: string;
};

/** The worst case of a call in progress, or of a step of an environment, held against the run's ceilings. */
export type ReservationTable = {
  run_id: string;
  key: string;
  task_id: string | null;
  step_id: string | null;
  tokens: number;
  cost_micro_usd: number | null;
  /** 0 for a step of an environment. Null in rows from earlier versions: 1. */
  calls: number | null;
  /** After this the holder is dead and the reservation void. */
  expires_at: number;
};

/** A step of an environment whose steps cost, each time that it was really taken. */
export type EnvironmentCostTable = {
  run_id: string;
  /** Key of the reservation that was held for it. */
  id: string;
  /** Task and state whose ceilings it counts for; null for none, as of calls. */
  task_id: string | null;
  step_id: string | null;
  environment: string;
  /** Task in which it was taken. */
  of_task: string;
  /** State in which it was taken; in a replay, the state that was restored. */
  node_id: string;
  purpose: string;
  stream: string;
  /** Null if it failed or reported none. */
  cost_micro_usd: number | null;
  /** Null if the environment says nothing of the most that a step may cost. */
  most_micro_usd: number | null;
  created_at: number;
};

/**
 * What a run has used so far, kept by triggers on answers, rollouts and costs of steps. The ceilings are checked before each call, and must not add up all answers
 * each time.
 */
export type SpendingTable = {
  run_id: string;
  /** Answers that were paid for. */
  calls: number;
  /** Answers that were read from another run. */
  reused: number;
  /** Of paid answers whose usage the provider reported. */
  tokens: number;
  /** Of paid answers whose price is known, and of the environment's steps. */
  cost_micro_usd: number;
  rollouts: number;
};

/** A rollout that was started, for the ceilings on rollouts. */
export type RolloutTable = {
  run_id: string;
  /** Id of the branch. */
  id: string;
  /** Null for one of an audit. */
  task_id: string | null;
  /** Null for one that belongs to no step, such as a whole trajectory of the policy under RFT. */
  step_id: string | null;
};

/** What all workers know of a provider. */
export type ProviderTable = {
  /** Host, and the hash of the address and of the key's variable. */
  name: string;
  /** Until then it refuses calls; 0 if it takes them now. */
  cool_down_until: number;
  /** Words of the outage that it cools down for; null if it asked for the time itself. */
  cool_down_reason: string | null;
  /** When the next lease of requests and of tokens begins, in microseconds since 1970 by the clock of the database's machine. */
  next_request_us: number;
  next_token_us: number;
};

/** How many places among the calls to a provider a process needs. */
export type ShareTable = {
  provider: string;
  /** One for each process, drawn when it starts. */
  holder: string;
  /** Calls in progress or waiting. */
  demand: number;
  /** After this the process is dead or needs nothing. */
  expires_at: number;
};

/** What was found out about a model at a provider, by `crux doctor` or at the first refusal. */
export type EndpointFactTable = {
  provider: string;
  model: string;
  /** `json-form`: the best form of JSON answers that it accepts. */
  fact: string;
  value: string;
  /** The server's words when it refused a better one; null if it did not. */
  words: string | null;
  found_at: number;
};

/** A call that waits for its provider longer than a worker would hold a slot for it. */
export type WaitTable = {
  run_id: string;
  key: string;
  role: string;
  /** Endpoint, by its name in the configuration. */
  endpoint: string;
  /** When it is tried again. */
  until: number;
  /** How long the provider keeps it waiting: so far, plus the time until then. In rows without `queued_ms` it includes our own limits. */
  throttled_ms: number;
  /** How long our own limits on places and rate kept it waiting. Null in rows from earlier versions. */
  queued_ms: number | null;
  /** A `WaitReason` of waits.ts; null in rows from earlier versions. */
  reason: string | null;
  /** The words of the server or of the connection to it; null if there are none. */
  words: string | null;
};

/** A call that a process is making, or whose answer it could not write yet. */
export type ClaimTable = {
  run_id: string;
  key: string;
  /** Drawn by the process when it started. */
  holder: string;
  /** After this, unless it is renewed, other processes may take it. */
  expires_at: number;
  /** 1 while another process waits for the holder, which seems dead, to object. */
  taken_over: number;
};

export type TrajectoryTable = {
  run_id: string;
  id: string;
  task_id: string;
  sample: number;
  /** A `TrajectoryOrigin`. */
  origin: string;
  /** Name of the model that made it. */
  model: string;
  root_id: string;
  leaf_id: string;
  steps: number;
  /** Actions in it that the environment took; a message may hold several, or none. Null in trajectories from earlier versions. */
  environment_steps: number | null;
  /** Messages without an action. Null in rows from earlier versions. */
  malformed: number | null;
  ending: string;
  reward: number | null;
  success: number | null;
  /** Whether a success held on variants of the data; null if that was not tried. */
  confirmed: number | null;
  /** What the environment's audit says about a success: flags as JSON, an empty list for none. Null if it was not asked, and in rows from earlier versions. */
  audit_flags: string | null;
  /** Facts of the environment about the outcome, or of the fault. */
  details: string | null;
};

/** One proposed action in a state. */
export type CandidateTable = {
  run_id: string;
  /** Hash of state and message. */
  id: string;
  node_id: string;
  source: string;
  model: string;
  /** Order in which it was drawn in its state, from 0; the policy's own action is -1. */
  position: number;
  message: string;
  action: string | null;
  canonical: string | null;
};

export type ScoreTable = {
  run_id: string;
  candidate_id: string;
  /** A `ScorePurpose`, or `unknown`. */
  purpose: string;
  score: number | null;
  /** Single scores, as JSON. */
  samples: string;
};

/** A `Step`. The columns for its actions up to 0.1.0 still exist, for workers of that version only (migrations.ts). */
export type StepTable = {
  run_id: string;
  trajectory_id: string;
  step: number;
  node_id: string;
  verdict: string;
  /** Ids of candidates; null for none. */
  own_id: string | null;
  chosen_id: string | null;
  rejected_id: string | null;
  /** JSON list of candidate ids. */
  branched: string;
  placebo: number;
  /** `UnpairedCounts` as JSON. */
  ruled_out: string | null;
  /** JSON list of candidate ids. Null if no candidate was looked at. */
  looked_at: string | null;
  /** `SettledStep` as JSON. */
  settled: string | null;
};

/** Counts of a step's draws that gave no candidate. */
export type ProposalTable = {
  run_id: string;
  trajectory_id: string;
  /** From 1. */
  step: number;
  /** Draws that repeat the trajectory's own action. */
  same_action: number;
  /** Draws that repeat an earlier alternative. */
  duplicates: number;
  /** Draws that lead to the same state as the trajectory's own action. */
  same_state: number;
  /** Draws that held no action. */
  unreadable: number;
  /** JSON list of candidates that were taken once, to see whether they lead to the same state. Null if there are none. */
  looked_at: string | null;
};

export type BranchTable = {
  run_id: string;
  id: string;
  trajectory_id: string;
  node_id: string;
  candidate_id: string;
  purpose: string;
  rollout: number;
  leaf_id: string;
  steps: number;
  /** Actions from the branch point on that the environment took. Null in branches from earlier versions. */
  environment_steps: number | null;
  /** Messages without an action. Null in rows from earlier versions. */
  malformed: number | null;
  seed: number | null;
  ending: string;
  reward: number | null;
  success: number | null;
  /** Whether a success held on variants of the data; null if that was not tried. */
  confirmed: number | null;
  /** What the environment's audit says about a success: flags as JSON, an empty list for none. Null if it was not asked, and in rows from earlier versions. */
  audit_flags: string | null;
  details: string | null;
  /** Observations of the prefix that were compared before branching. */
  compared: number;
};

export type PairTable = {
  run_id: string;
  id: string;
  trajectory_id: string;
  task_id: string;
  task_group: string;
  node_id: string;
  step: number;
  chosen_id: string;
  rejected_id: string;
  /** State in which each side ends; null if a side is its single action. */
  chosen_leaf: string | null;
  rejected_leaf: string | null;
  flags: string;
  certificate: string;
};

/** A trajectory to imitate (SFT, RFT). */
export type ExampleTable = {
  run_id: string;
  /** Hash of the state that it ends in. */
  id: string;
  /** The run's trajectory that it was kept for. */
  trajectory_id: string;
  task_id: string;
  task_group: string;
  leaf_id: string;
  /** Whose trajectory it is: a `TrajectoryOrigin`. */
  origin: string;
  model: string;
  reward: number | null;
  success: number | null;
  /** Whether its success held on variants of the data; null if that was not tried. */
  confirmed: number | null;
};

/** A record that a run gave out data on tasks of a group. */
export type DataUseTable = {
  run_id: string;
  /** `DataUse`. */
  use: string;
  environment: string;
  task_group: string;
  given_at: number;
};

/** The actions that an audit of a run rolls out: its `AuditSettings`, the last ones given. */
export type AuditTable = { run_id: string; rollouts: number; sample: number | null };

/** Rounds of collecting, training and evaluating. */
export type ImprovementTable = {
  id: string;
  /** `ImproveSettings` as JSON. */
  settings: string;
  /** `ImproveState`. */
  state: string;
  /** Kind and words, as JSON; null if nothing stopped it. */
  fault: string | null;
  created_at: number;
  finished_at: number | null;
};

/** A phase of an improvement that began. */
export type PhaseTable = {
  improvement_id: string;
  round: number;
  phase: string;
  /** What it left behind, as JSON; null while it is in progress. */
  result: string | null;
  started_at: number;
  finished_at: number | null;
  /** `HostedJob` of a training at a service, as JSON; null before anything is sent there, and for all other phases. */
  job: string | null;
};

/** Who trains, or trained last, in a folder. */
export type TrainingTable = {
  folder: string;
  /** Drawn by the supervisor of the training when it started. */
  holder: string;
  host: string;
  /** The supervisor's process; null if the system does not tell. */
  pid: number | null;
  start_mark: string | null;
  process_space: string | null;
  /** `TrainingState`. */
  state: string;
  /** When the supervisor began, and when it was last heard of, by the clock of the database's machine. */
  started_at: number;
  seen_at: number;
  /** How often the trainer was started in this folder for this training. */
  starts: number;
  /** How long it ran before this start. */
  ran_ms: number;
  /** The newest step that was reached before this start. */
  reached_before: number;
  /** Deaths in a row for the same reason without a new step, and the reason of the last one. */
  deaths: number;
  death: string | null;
  /** `TrainingProgress` as JSON; null before the first line of metrics. */
  progress: string | null;
  /** Why it is told to end: a `StopReason`; null if it is not. */
  stop: string | null;
  /** `TrainingExit` as JSON; null while it is at work. */
  exit: string | null;
};
