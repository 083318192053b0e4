/** A hall with rooms. Its tools belong to the place, and a session gives the opening: the agent enters a room, takes what is wished, or leaves again. */
import type { Action, AgentFormatName } from '../../src/domain/action.ts';
import type { Message, Tool } from '../../src/domain/message.ts';
import type { Task } from '../../src/domain/task.ts';
import { defineEnvironment } from '../../src/environments/define.ts';
import { agentFormat } from '../../src/environments/formats/agent-format.ts';
import { readOpening } from '../../src/environments/opening.ts';

const rooms: { [room: string]: string[] } = { cellar: ['cup', 'key', 'jug'], attic: ['book', 'cup'] };

const tool = (name: string, description: string, properties: Tool['function']['parameters'] = {}): Tool => ({
  type: 'function',
  function: { name, description, parameters: { type: 'object', properties, required: Object.keys(properties) } },
});
const inHall = [tool('enter', 'Enters a room.', { room: { enum: Object.keys(rooms) } })];
const toolsIn = (room: string) => [
  tool('take', 'Takes a thing.\nThat ends it.', { thing: { enum: rooms[room]! } }),
  tool('leave', 'Leaves.'),
];

const wishes: { [id: string]: [room: string, thing: string] } = { jug: ['cellar', 'jug'], book: ['attic', 'book'] };

const tasksOf = (): Task[] =>
  Object.keys(wishes).map((id) => ({ id, split: 'train', group: id, title: `Take the ${id}`, difficulty: null }));

const environment = defineEnvironment({
  name: 'halls',
  version: '1',
  stepLimit: 20,
  tasks: async () => tasksOf(),
  open: async ({ title, id }) => {
    let room: string | null = null;
    return {
      opening: [
        { role: 'user', content: 'Are you ready?' },
        { role: 'assistant', content: 'OK' },
        { role: 'user', content: title },
      ],
      tools: inHall,
      stateHash: async () => room ?? 'hall',
      async step({ tool, arguments: { room: entered, thing } }) {
        if (tool === 'take') return { observation: 'Taken.', done: true, reward: Number(thing === id) };
        room = tool === 'enter' ? String(entered) : null;
        return { observation: 'ok', done: false, tools: room === null ? inHall : toolsIn(room) };
      },
    };
  },
  script: async ({ id }) => {
    const [room, thing] = wishes[id]!;
    const actions: Action[] = [
      { tool: 'enter', arguments: { room } },
      { tool: 'take', arguments: { thing } },
    ];
    return actions.map((action) => ({ thought: 'As it should be.', action }));
  },
});

/** The conversation of the first task after an action in the hall that leads to a room. */
async function after(tool: string, given: { room: string }, name: AgentFormatName): Promise<Message[]> {
  const opening = await readOpening(environment, tasksOf()[0]!);
  const format = agentFormat(environment, name, opening);
  const message = format.render('I go there.', [{ tool, arguments: given }], 1);
  const observation = `ok\n\n${format.toolsNote(toolsIn(given.room))}`;
  return [...format.opening(opening.messages), message, ...format.observation(message, [observation])];
}

export const halls = { environment, tasksOf, after, inRoom: toolsIn('cellar') };
