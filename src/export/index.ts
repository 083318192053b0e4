export { type ExportOptions, type ExportResult, exportPairs } from './export-pairs.ts';
export type { Effect, Finding } from './finding.ts';
export type { ExportFormat } from './format.ts';
export { exportFormats } from './formats.ts';
export type { LintReport } from './lint-report.ts';
