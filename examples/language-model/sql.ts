/**
 * The tasks: Spider's training questions to learn from, InterCode-SQL's test tasks at the end. They share no database. Both were imported into the folder `data`
 * of CRUX_HOME (run.sh).
 */
import { join } from 'node:path';
import { defineEnvironment, interCodeSql, type Task } from 'crux-rl';

const data = join(process.env.CRUX_HOME ?? '.crux', 'data');
/** Prompts stay short: a result of many rows is cut, as in IPR. */
const options = { observationLimit: 350, stepLimit: 8 };
const parts = {
  spider: interCodeSql({ ...options, data: join(data, 'spider-train') }),
  intercode: interCodeSql({ ...options, data: join(data, 'intercode-sql') }),
};

type Name = keyof typeof parts;

/** Both data sets count their tasks from 0. */
function own(task: Task): [(typeof parts)[Name], Task] {
  const [name, id] = task.id.split('/') as [Name, string];
  return [parts[name], { ...task, id }];
}

async function tasksOf(name: Name, split: Task['split']): Promise<Task[]> {
  const tasks = await parts[name].tasks();
  return tasks.filter((task) => task.split === split).map((task) => ({ ...task, id: `${name}/${task.id}` }));
}

/** Asks the part that a task belongs to. */
function both<Member extends 'briefing' | 'open' | 'gold' | 'script' | 'hints' | 'confirm'>(member: Member) {
  return (task: Task, ...rest: unknown[]) => {
    const [part, its] = own(task);
    return (part[member] as (task: Task, ...rest: unknown[]) => never)(its, ...rest);
  };
}

const { spider, intercode } = parts;
const { tools, textFormat, canonicalAction, languageWords, stepLimit, successAt } = spider;

export default defineEnvironment({
  name: 'sql',
  version: `${spider.version}-${intercode.version}`,
  ...{ tools, textFormat, canonicalAction, languageWords, stepLimit, successAt },
  verifier: { spider: spider.verifier, intercode: intercode.verifier },
  tasks: async () => [...(await tasksOf('spider', 'train')), ...(await tasksOf('intercode', 'test'))],
  briefing: both('briefing'),
  open: both('open'),
  gold: both('gold'),
  script: both('script'),
  hints: both('hints'),
  confirm: both('confirm'),
  close: async () => {
    await Promise.all(Object.values(parts).map((part) => part.close?.()));
  },
});
