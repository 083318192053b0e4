/** What a method that mines nothing does with one task. A workflow does it by activities, a slot within one. */
export type Sampling = {
  /** Makes the policy's own trajectory. */
  explore(): Promise<unknown>;
  /** Makes more trajectories of the policy. */
  sampleAgain(count: number): Promise<unknown>;
  /** Makes the expert's trajectory, if there is one. */
  demonstrate(): Promise<unknown>;
  /** Stores the trajectories to imitate, by the method's rule. */
  keepExamples(): Promise<unknown>;
};
