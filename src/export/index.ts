export {
  type ExportOptions,
  type ExportResult,
  exportExamples,
  exportPairs,
  exportProcessExamples,
} from './export-items.ts';
export type { Effect, Finding } from './finding.ts';
export type { ExportFormat } from './format.ts';
export { exportFormats } from './formats.ts';
export type { ExportItem, KindName } from './item.ts';
export type { LintReport } from './lint-report.ts';
