/** WebShop: buy what an instruction describes, in a shop of real products. Source: WebShop (arXiv 2207.01206). */
import { createHash } from 'node:crypto';
import { canonicalJson, type Json } from '../../domain/canonical-json.ts';
import type { Tool } from '../../domain/message.ts';
import type { Task } from '../../domain/task.ts';
import { CruxError } from '../../errors.ts';
import type { Environment, Session, StepResult } from '../contract.ts';
import { defineEnvironment } from '../define.ts';
import { functionTool, textParameter } from '../function-tool.ts';
import { StoredCatalogue } from './catalogue.ts';
import { readDataset } from './dataset.ts';
import type { Goal } from './goals.ts';
import { type ObservationMode, pageText } from './pages.ts';
import { rewardOf } from './reward.ts';
import { shopScript } from './script.ts';
import { firstState, move, pageOf, type ShopState } from './shop.ts';
import { readShopAction, shopActionFrom, shopTextFormat } from './text-format.ts';

export type WebShopOptions = {
  /** Dataset folder, made by `crux import webshop`. */
  data: string;
  /** Name of the environment. Default `webshop`. */
  name?: string;
  /** How pages are written. `text`: as ETO, IPR and RRO use them; `text_rich`: one text a line, with marks. Default `text`. */
  observations?: ObservationMode;
  /** Default 10, as in ETO and IPR. */
  stepLimit?: number;
};

/** Part of the version: change it whenever the same actions may give other pages or rewards. */
const shopVersion = '1';

const tools: Tool[] = [
  functionTool(
    'search',
    'Searches the whole shop, from any page.',
    { keywords: textParameter('Words that describe the product.') },
    ['keywords'],
  ),
  functionTool(
    'click',
    'Clicks something on the page.',
    { target: textParameter('Text of a button, id of a product, or value of an option, as the page shows it.') },
    ['target'],
  ),
];

const system = `You shop on a web site for somebody who tells you in an instruction what to buy.
Search for it, open a product by clicking its id (such as B07XYZ1234), and read its page. Choose every option that the instruction asks for by clicking its value; the page does not show what you have chosen. "Description", "Features" and "Reviews" say more, "< Prev" leads back. When product, options and price fit, click "Buy Now": this ends the task, and only what you have bought then counts.
What a page does not offer cannot be clicked: such a click changes nothing.`;

/** Says nothing about a single task. */
const hints = `Reward is shared evenly among the wanted attributes, the wanted options and the price limit, and is lost almost wholly if the product is of another kind.
Choose a value for every option that the instruction names before you buy. Attributes stand in title, description or features. A search for the kind of product and its attributes, without the price, finds more than the whole instruction.`;

/**
 * @throws CruxError `User.NotFound` when the dataset is missing or broken
 */
export function webshop(options: WebShopOptions): Environment & Required<Pick<Environment, 'briefing' | 'tools'>> {
  const { observations = 'text', stepLimit = 10 } = options;
  const dataset = readDataset(options.data);
  const catalogue = new StoredCatalogue(options.data);
  let tasks: Task[] | null = null;

  const goalOf = ({ id }: Pick<Task, 'id'>): Goal => {
    const goal = catalogue.goal(Number(id));
    if (goal) return goal;
    throw new CruxError('User.NotFound', `The dataset ${dataset.name} at ${options.data} has no goal ${id}.`);
  };

  function openSession(task: Task): Session {
    const goal = goalOf(task);
    let state = firstState;
    let isOver = false;
    const observation = () => pageText(pageOf(catalogue, goal, state), observations);
    return {
      async step(action): Promise<StepResult> {
        if (isOver) throw new CruxError('Environment.Fault', `Task ${task.id} is over: it takes no further action.`);
        const page = pageOf(catalogue, goal, state);
        const moved = move(catalogue, state, page, shopActionFrom(action));
        if (moved.kind === 'moved') {
          state = moved.state;
          return { observation: observation(), done: false };
        }
        isOver = true;
        const purchase = {
          product: catalogue.product(moved.asin),
          price: catalogue.price(moved.asin),
          options: moved.chosen,
        };
        const { reward, parts } = rewardOf(goal, catalogue.product(goal.asin), purchase);
        const { asin, chosen } = moved;
        // The shop's own last page shows the reward, which no policy may read.
        return {
          observation: 'Thank you for shopping with us!',
          done: true,
          reward,
          success: reward === 1,
          details: { asin, options: chosen, price: purchase.price, ...parts },
        };
      },
      stateHash: async () => hashOf({ goal: task.id, ...contentOf(catalogue, state, observations) }),
    };
  }

  return defineEnvironment({
    name: options.name ?? 'webshop',
    version: `${shopVersion}-${dataset.digest}-${observations}`,
    stepLimit,
    // A session is a few words, and all share the catalogue.
    capabilities: { maxSessions: 10_000 },
    successAt: 1,
    tools,
    textFormat: shopTextFormat,
    // A page and the options chosen on it are all that later steps depend on.
    stateHoldsAll: true,
    canonicalAction(action) {
      const read = readShopAction(action);
      return canonicalJson(read ? [read.tool, read.argument.toLowerCase()] : [action.tool, action.arguments]);
    },
    verifier: {
      shop: shopVersion,
      goals: dataset.goalKind,
      nouns: dataset.nouns,
      dataset: dataset.name,
      digest: dataset.digest,
    },
    tasks: async () => (tasks ??= [...catalogue.goals()].map(({ place, split, goal }) => taskOf(place, split, goal))),
    briefing: async (task) => ({ system, user: pageText(pageOf(catalogue, goalOf(task), firstState), observations) }),
    open: async (task) => openSession(task),
    gold: async (task) => goalOf(task).asin,
    hints: async () => hints,
    script: async (task) => shopScript(catalogue, goalOf(task), stepLimit),
    close: async () => catalogue.close(),
  });
}

function taskOf(place: number, split: Task['split'], { asin, instruction }: Goal): Task {
  const title = instruction.length <= 80 ? instruction : `${instruction.slice(0, 79)}…`;
  return { id: String(place), split, group: asin, title, difficulty: null };
}

/** What decides the rest of a session. Not the words of a search: only what it found. */
function contentOf(
  catalogue: StoredCatalogue,
  { place, seen }: ShopState,
  observations: ObservationMode,
): { [name: string]: Json } {
  // Only rich text marks what was looked at.
  const marks: { [name: string]: Json } = observations === 'text_rich' ? { seen: [...seen].sort() } : {};
  if (place.at === 'search') return { at: place.at, ...marks };
  const { results, ...rest } = place;
  return { ...rest, found: catalogue.search(results.query), number: results.number, ...marks };
}

function hashOf(content: Json): string {
  return createHash('sha256').update(canonicalJson(content)).digest('hex').slice(0, 32);
}
