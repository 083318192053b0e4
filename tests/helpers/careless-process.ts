import { echoing } from './process-environment.ts';

export default echoing(false);
