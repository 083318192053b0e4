import { doors } from '../activities/doors.ts';

export default doors().environment;
