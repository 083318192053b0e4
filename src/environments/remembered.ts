/**
 * A value that is made once and kept. What was asked for least recently is forgotten first.
 * @param most values that are kept
 */
export function remembered<Value>(values: Map<string, Value>, name: string, most: number, make: () => Value): Value {
  const value = values.get(name) ?? make();
  values.delete(name);
  values.set(name, value);
  if (values.size > most) values.delete(values.keys().next().value!);
  return value;
}
