/** Queue of the workers that train and serve models. @param queue that all workers of the store share */
export function trainingQueue(queue: string): string {
  return `${queue}-train`;
}
