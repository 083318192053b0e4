/**
 * Enciphers texts of sealed tasks on their way into the database, and deciphers them on their way out (docs/decisions/0038-sealed-tasks.md). Both
 * engines use it, so nothing above the database knows of it.
 */
import {
  type ColumnUpdateNode,
  type KyselyPlugin,
  type OperationNode,
  type PluginTransformQueryArgs,
  type PluginTransformResultArgs,
  PrimitiveValueListNode,
  type QueryResult,
  type RootOperationNode,
  type UnknownRow,
  ValueListNode,
  ValueNode,
} from 'kysely';
import { isSealed, sealed, unsealed } from '../sealed-text.ts';
import { currentCanary } from '../sealing.ts';
import type { Schema } from './schema.ts';

/** Columns that may hold words of a task, of its environment, or of a model about it. Ids, keys, names, numbers and flags stay readable. */
const sealedColumns: { readonly [table in keyof Schema]?: readonly (keyof Schema[table])[] } = {
  run_tasks: ['title', 'result'],
  nodes: ['messages', 'tools', 'action', 'call_ids'],
  transitions: ['observation', 'tools', 'details'],
  snapshots: ['snapshot'],
  outcomes_so_far: ['details'],
  shared_results: ['name', 'observation', 'details'],
  answers: ['message', 'reasoning', 'call_ids', 'sent'],
  unusable_answers: ['words'],
  faults: ['last_message'],
  waits: ['words'],
  trajectories: ['details'],
  candidates: ['message', 'action', 'canonical'],
  branches: ['details'],
  pairs: ['certificate'],
};

export class SealingPlugin implements KyselyPlugin {
  transformQuery({ node }: PluginTransformQueryArgs): RootOperationNode {
    const canary = currentCanary();
    if (canary === null) return node;
    if (node.kind === 'InsertQueryNode' && node.into) {
      const columns = columnsOf(node.into.table.identifier.name);
      if (columns.size === 0) return node;
      const places = node.columns?.map(({ column }) => columns.has(column.name)) ?? [];
      return {
        ...node,
        ...(node.values && { values: sealedValues(node.values, places, canary) }),
        ...(node.onConflict?.updates && {
          onConflict: { ...node.onConflict, updates: sealedUpdates(node.onConflict.updates, columns, canary) },
        }),
      };
    }
    if (node.kind === 'UpdateQueryNode' && node.updates && node.table?.kind === 'TableNode') {
      const columns = columnsOf(
        (node.table as { table: { identifier: { name: string } } } & OperationNode).table.identifier.name,
      );
      return { ...node, updates: sealedUpdates(node.updates, columns, canary) };
    }
    return node;
  }

  async transformResult({ result }: PluginTransformResultArgs): Promise<QueryResult<UnknownRow>> {
    for (const row of result.rows)
      for (const [name, value] of Object.entries(row))
        if (typeof value === 'string' && isSealed(value)) row[name] = unsealed(value);
    return result;
  }
}

function columnsOf(table: string): ReadonlySet<string> {
  return new Set(Object.hasOwn(sealedColumns, table) ? sealedColumns[table as keyof Schema] : []);
}

function sealedValue(value: unknown, canary: string): unknown {
  return typeof value === 'string' ? sealed(value, canary) : value;
}

function sealedNode(node: OperationNode, canary: string): OperationNode {
  if (!ValueNode.is(node)) return node;
  return { ...node, value: sealedValue(node.value, canary) } as OperationNode;
}

/** @param places whether each column is sealed, in the order of the values */
function sealedValues(node: OperationNode, places: readonly boolean[], canary: string): OperationNode {
  if (node.kind !== 'ValuesNode') return node;
  const { values } = node as OperationNode & { values: readonly OperationNode[] };
  const sealedRows = values.map((row) => {
    if (PrimitiveValueListNode.is(row))
      return PrimitiveValueListNode.create(
        row.values.map((value, at) => (places[at] ? sealedValue(value, canary) : value)),
      );
    if (!ValueListNode.is(row)) return row;
    return ValueListNode.create(row.values.map((value, at) => (places[at] ? sealedNode(value, canary) : value)));
  });
  return { ...node, values: sealedRows } as OperationNode;
}

function sealedUpdates(
  updates: readonly ColumnUpdateNode[],
  columns: ReadonlySet<string>,
  canary: string,
): ColumnUpdateNode[] {
  return updates.map((update) => {
    const { column, value } = update;
    const name = (column as OperationNode & { column: { name: string } }).column.name;
    return columns.has(name) ? { ...update, value: sealedNode(value, canary) } : update;
  });
}
