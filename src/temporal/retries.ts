/**
 * How a call to Temporal is tried again: as the client does it, but for a call whose connection is closed while it waits. The client then throws in a timer
 * that belongs to nobody, which ends the process, and its caller never hears of it (grpc-retry.js of @temporalio/client). Here the call fails.
 */
import { type ConnectionOptions, defaultGrpcRetryOptions, makeGrpcRetryInterceptor } from '@temporalio/client';
import { errorText } from '../errors.ts';

type Interceptor = NonNullable<ConnectionOptions['interceptors']>[number];
type NextCall = Parameters<Interceptor>[1];
type Call = ReturnType<NextCall>;

/** For `Connection.connect`. */
export function retries(): Interceptor[] {
  return [makeGrpcRetryInterceptor(defaultGrpcRetryOptions()), unlessClosed as Interceptor];
}

function unlessClosed(options: Parameters<Interceptor>[0], nextCall: NextCall): Call {
  try {
    return nextCall(options);
  } catch (error) {
    return failed(error);
  }
}

const cancelled = 1;

/** A call that ends as soon as it begins. */
function failed(error: unknown): Call {
  const nothing = () => {};
  return {
    start: (metadata, listener) =>
      listener?.onReceiveStatus?.({ code: cancelled, details: errorText(error), metadata }),
    ...{ cancelWithStatus: nothing, sendMessage: nothing, sendMessageWithContext: nothing },
    ...{ halfClose: nothing, startRead: nothing, getPeer: () => '', getAuthContext: () => null },
  };
}
