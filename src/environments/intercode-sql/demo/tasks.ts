import type { SqlTask } from '../dataset.ts';

type Difficulty = 'easy' | 'medium' | 'hard';
type Row = [difficulty: Difficulty, question: string, gold: string];

const ferryLine: Row[] = [
  ['easy', 'How many vessels were built before the year 2000?', 'SELECT COUNT(*) FROM vessel WHERE built_year < 2000'],
  ['easy', 'List the names of all ports in Ostmark.', "SELECT name FROM port WHERE country = 'Ostmark'"],
  ['easy', 'Which vessels have no home port?', 'SELECT name FROM vessel WHERE home_port_id IS NULL'],
  [
    'medium',
    'What is the average delay in minutes of each vessel? Give the vessel name and the average.',
    'SELECT v.name, AVG(s.delay_minutes) FROM vessel v JOIN sailing s ON s.vessel_id = v.vessel_id GROUP BY v.vessel_id, v.name',
  ],
  ['medium', 'How many ports does each country have?', 'SELECT country, COUNT(*) FROM port GROUP BY country'],
  [
    'medium',
    'What are the name and capacity of the largest vessel whose home port is in Norvane?',
    "SELECT v.name, v.capacity FROM vessel v JOIN port p ON v.home_port_id = p.port_id WHERE p.country = 'Norvane' ORDER BY v.capacity DESC LIMIT 1",
  ],
  [
    'hard',
    'Which vessels have never sailed?',
    'SELECT name FROM vessel WHERE vessel_id NOT IN (SELECT vessel_id FROM sailing)',
  ],
  [
    'hard',
    'For routes that leave from Aldermouth, show the name of the destination port and the total number of passengers carried there.',
    "SELECT d.name, SUM(s.passengers) FROM route r JOIN port o ON r.from_port_id = o.port_id JOIN port d ON r.to_port_id = d.port_id JOIN sailing s ON s.route_id = r.route_id WHERE o.name = 'Aldermouth' GROUP BY d.port_id, d.name",
  ],
];

const observatory: Row[] = [
  ['easy', 'How many telescopes are of the radio kind?', "SELECT COUNT(*) FROM telescope WHERE kind = 'radio'"],
  ['easy', 'Give the names of all galaxies among the targets.', "SELECT name FROM target WHERE class = 'galaxy'"],
  [
    'easy',
    'What is the largest aperture of any reflector?',
    "SELECT MAX(aperture_m) FROM telescope WHERE kind = 'reflector'",
  ],
  [
    'medium',
    'How many observations of poor quality did each telescope make? Show telescope name and count, only for telescopes that made any.',
    "SELECT t.name, COUNT(*) FROM telescope t JOIN observation o ON o.telescope_id = t.telescope_id WHERE o.quality = 'poor' GROUP BY t.telescope_id, t.name",
  ],
  [
    'medium',
    'How many observations were started in the year 2023?',
    'SELECT COUNT(*) FROM observation WHERE YEAR(started_at) = 2023',
  ],
  [
    'medium',
    'Which institutes have at least two astronomers who joined after 2005?',
    'SELECT institute FROM astronomer WHERE joined_year > 2005 AND institute IS NOT NULL GROUP BY institute HAVING COUNT(*) >= 2',
  ],
  [
    'hard',
    'What is the name of the astronomer with the longest total exposure time?',
    'SELECT a.name FROM astronomer a JOIN observation o ON o.astronomer_id = a.astronomer_id GROUP BY a.astronomer_id, a.name ORDER BY SUM(o.exposure_minutes) DESC LIMIT 1',
  ],
  [
    'hard',
    'List the targets that were observed by astronomers of both Vantor Institute and Harrow College.',
    "SELECT name FROM target WHERE target_id IN (SELECT o.target_id FROM observation o JOIN astronomer a ON o.astronomer_id = a.astronomer_id WHERE a.institute = 'Vantor Institute') AND target_id IN (SELECT o.target_id FROM observation o JOIN astronomer a ON o.astronomer_id = a.astronomer_id WHERE a.institute = 'Harrow College')",
  ],
];

const bakery: Row[] = [
  ['easy', 'How many shops are in Aldermouth?', "SELECT COUNT(*) FROM shop WHERE city = 'Aldermouth'"],
  ['easy', 'List name and price of all cakes.', "SELECT name, price FROM product WHERE category = 'cake'"],
  ['easy', 'What is the average monthly pay of bakers?', "SELECT AVG(monthly_pay) FROM employee WHERE role = 'baker'"],
  [
    'medium',
    'How many employees does each shop have? Give shop name and number, without shops that have none.',
    'SELECT s.name, COUNT(*) FROM shop s JOIN employee e ON e.shop_id = s.shop_id GROUP BY s.shop_id, s.name',
  ],
  [
    'medium',
    'Which shops opened between 2010 and 2016? Order them from the oldest to the newest.',
    "SELECT name FROM shop WHERE opened_on BETWEEN '2010-01-01' AND '2016-12-31' ORDER BY opened_on",
  ],
  [
    'medium',
    'What is the total quantity sold of each product category?',
    'SELECT p.category, SUM(s.quantity) FROM product p JOIN sale s ON s.product_id = p.product_id GROUP BY p.category',
  ],
  [
    'hard',
    'Which products were never sold?',
    'SELECT name FROM product WHERE product_id NOT IN (SELECT product_id FROM sale)',
  ],
  [
    'hard',
    'Show the names of shops whose staff earns more on average than the staff of the whole chain.',
    'SELECT s.name FROM shop s JOIN employee e ON e.shop_id = s.shop_id GROUP BY s.shop_id, s.name HAVING AVG(e.monthly_pay) > (SELECT AVG(monthly_pay) FROM employee)',
  ],
];

/** 24 questions, a third of them on each database; the bakery is held out as the test split. */
export const demoTasks: SqlTask[] = [
  ...tasksOf('ferry_line', 'train', ferryLine),
  ...tasksOf('observatory', 'train', observatory),
  ...tasksOf('bakery', 'test', bakery),
];

function tasksOf(db: string, split: SqlTask['split'], rows: Row[]): SqlTask[] {
  return rows.map(([difficulty, question, gold], index) => {
    return { id: `${db}-${index + 1}`, db, question, gold, difficulty, split, emptyGold: false };
  });
}
