/** A request that the server refuses, as an OpenAI-compatible endpoint would. */
export class RequestError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.name = 'RequestError';
    this.status = status;
    this.code = code;
  }

  /** The error body in OpenAI's form. */
  body(): string {
    return JSON.stringify({
      error: { message: this.message, type: 'invalid_request_error', param: null, code: this.code },
    });
  }
}
