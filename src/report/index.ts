export { renderCalibration } from './render-calibration.ts';
export { renderComparison } from './render-comparison.ts';
export { defaultReportBytes, renderReport } from './render-report.ts';
export type * from './run-view.ts';
