export type * from '../views/run-view-types.ts';
export { renderCalibration } from './render-calibration.ts';
export { renderComparison } from './render-comparison.ts';
export { renderImprovement } from './render-improvement.ts';
export { defaultReportBytes, renderReport } from './render-report.ts';
