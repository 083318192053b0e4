/** A stand-in for Azure OpenAI: its key, its files that are read for a while, its names, and models that answer once they are deployed. */
import type { IncomingMessage } from 'node:http';
import { JobsStandIn, type Stored } from './jobs-stand-in.ts';

export class AzureStandIn extends JobsStandIn {
  protected override readonly root = '/openai/v1';
  /** Models by the names under which they are deployed. */
  readonly deployments = new Map<string, string>();

  /** Called with a name that is asked for, and that no deployment has. */
  whenMissing: (name: string) => void = () => {};

  protected override keyIn(headers: IncomingMessage['headers']): string | undefined {
    return headers['api-key'] as string | undefined;
  }

  protected override named({ id, mark, body }: Stored): string {
    return `${body.model}.ft-${id.padEnd(32, '0')}-${mark}`;
  }

  protected override weightsOf(name: string): string | null {
    return this.deployments.get(name) ?? null;
  }

  protected override notThere(name: string): object {
    this.whenMissing(name);
    const message =
      'The API deployment for this resource does not exist. If you created it within the last 5 minutes, please wait.';
    return { code: 'DeploymentNotFound', message };
  }
}
