import { DefaultFailureConverter } from '@temporalio/common';

/** Writes messages and stacks of failures as payloads, so that the codec encrypts them too. Temporal looks for this name. */
export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
