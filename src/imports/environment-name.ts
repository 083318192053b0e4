/**
 * The name of an environment, made of that of its data set, which may hold capitals and more. One that an environment may have stays as it is.
 * @param otherwise for a name of which nothing is left
 */
export function environmentName(dataName: string, otherwise: string): string {
  const plain = dataName
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^-+/, '')
    .slice(0, 41);
  return plain || otherwise;
}
