/**
 * The shop of `examples/shop` as a stage for `DirectLab`. `shop` has the simulated models that `crux serve-sim --env` makes of it; in `brisk-shop` the
 * same models write what is left of the script into one message once they choose an option rightly.
 */
import shop from '../../../examples/shop/environment.ts';
import { canonicalJson } from '../../../src/domain/canonical-json.ts';
import type { Environment, Session } from '../../../src/environments/contract.ts';
import { scriptedWorld } from '../../../src/simulation/scripted-world.ts';
import type { SimulatedWorld } from '../../../src/simulation/world.ts';

/** In another voice, so that the models of both shops can be told apart. */
const brisk: Environment = {
  ...shop,
  name: 'brisk-shop',
  open: async (task, snapshot, context): Promise<Session> => {
    const session = await shop.open(task, snapshot, context);
    const [system, ...rest] = session.opening!;
    return { ...session, opening: [{ ...system!, content: `${system!.content} Be brisk.` }, ...rest] };
  },
};

const [usual, slow] = [await scriptedWorld(shop, { mistakes: 0.5 }), await scriptedWorld(brisk, { mistakes: 0.5 })];
const scripts = new Map(
  await Promise.all((await shop.tasks()).map(async (task) => [task.id, (await shop.script!(task))!] as const)),
);

const quick: SimulatedWorld = {
  ...slow,
  match(...conversation) {
    const scene = slow.match(...conversation);
    if (!scene || !conversation[1]) return scene;
    return {
      ...scene,
      write(proposal) {
        const message = scene.write(proposal);
        const script = scripts.get(scene.task)!;
        const now = script.findIndex(({ action }) => canonicalJson(action) === canonicalJson(proposal.action));
        if (proposal.action.tool !== 'choose' || now < 0) return message;
        const rest = script
          .slice(now + 1)
          .flatMap(({ thought, action }) => scene.write({ thought, action }).tool_calls!);
        return { ...message, tool_calls: [...message.tool_calls!, ...rest] };
      },
    };
  },
};

export const environments = [shop, brisk];

// The more particular one first.
export const worlds = [quick, usual];
