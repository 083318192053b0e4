/** A small invented world: texts about it, and questions that take several of them. */

export const demoTexts: readonly (readonly [title: string, text: string])[] = [
  ['Marlow Quay', 'Marlow Quay is a harbour on the island of Tresk. Its lighthouse was built by Edda Lund in 1874.'],
  [
    'Edda Lund',
    'Edda Lund was an engineer. She was born in the town of Orrefell, and built lighthouses and bridges all her life.',
  ],
  ['Edda Lunde', 'Edda Lunde is a singer from Tresk. Her songs are about harbours, lighthouses and the sea.'],
  ['Orrefell', 'Orrefell is a town of 4,120 people on the river Sill. Its mayor is Jon Aske.'],
  ['Jon Aske', 'Jon Aske is a politician. Before he became mayor he was a teacher of music.'],
  ['Tresk', 'Tresk is an island in the Grey Sea. Its council is led by Mira Holt, and its largest town is Stone Bay.'],
  ['Mira Holt', 'Mira Holt is a politician. She studied law at the University of Kesten.'],
  ['University of Kesten', 'The University of Kesten was founded in 1611 by Queen Ilse.'],
  ['Queen Ilse', 'Queen Ilse reigned from 1598 to 1640. Her son was King Matis, who lost the battle of Greyford.'],
  ['King Matis', 'King Matis reigned from 1640 to 1662. He kept bees, and wrote a book about them.'],
  ['Stone Bay', 'Stone Bay is a harbour town. Its museum was founded by the painter Piet Varga.'],
  ['Piet Varga', 'Piet Varga was a painter. He was born in the city of Kesten, and taught the painter Lena Orlo.'],
  [
    'Kesten',
    'Kesten is a city on the river Dray. It is known for its glass, and for its football club, Kesten Rovers.',
  ],
  ['Lena Orlo', 'Lena Orlo is a painter. Her best known picture is The Long Winter.'],
  ['The Long Winter (painting)', 'The Long Winter is a picture by Lena Orlo. It hangs in Hallin Castle.'],
  ['The Long Winter (novel)', 'The Long Winter is a novel by Tomas Reed about a village in the Orre Hills.'],
  ['Tomas Reed', 'Tomas Reed is a writer. He was born on the island of Tresk and lives in Hallin.'],
  ['Hallin Castle', 'Hallin Castle was built in 1412 for Oskar, Duke of Merle. Its tower is 61 metres high.'],
  ['Oskar, Duke of Merle', 'Oskar, Duke of Merle, was a general. He died in the battle of Varn Pass.'],
  ['Oskar Merle', 'Oskar Merle is a footballer. He plays for Kesten Rovers.'],
  ['Battle of Varn Pass', 'The battle of Varn Pass was fought in 1431 in the Orre Hills.'],
  ['Battle of Greyford', 'The battle of Greyford was fought in 1659 on the river Sill. It was won by Count Brandt.'],
  ['Count Brandt', 'Count Brandt was a general. He is buried in the church of Ansel.'],
  ['Sill', 'The Sill is a river. It rises in the Orre Hills and flows into Lake Amber.'],
  ['Dray', 'The Dray is a river. It flows into the Grey Sea near the town of Port Ansel.'],
  ['Lake Amber', 'Lake Amber is 140 metres deep. Its only island is called Goose Holm.'],
  ['Orre Hills', 'The Orre Hills are low mountains. Their highest peak is Mount Varn.'],
  ['Mount Varn', 'Mount Varn is 1,204 metres high. It was first climbed by Anna Sorel.'],
];

type DemoHop = readonly [question: string, answer: string, title: string];

/** In the hops `#1` stands for the answer of the first, and so on. */
export const demoQuestions: readonly { question: string; hops: readonly DemoHop[]; aliases?: readonly string[] }[] = [
  {
    question: 'In which town was the builder of the lighthouse of Marlow Quay born?',
    hops: [
      ['Who built the lighthouse of Marlow Quay?', 'Edda Lund', 'Marlow Quay'],
      ['In which town was #1 born?', 'Orrefell', 'Edda Lund'],
    ],
  },
  {
    question: 'Who is the mayor of the town in which the builder of the lighthouse of Marlow Quay was born?',
    hops: [
      ['Who built the lighthouse of Marlow Quay?', 'Edda Lund', 'Marlow Quay'],
      ['In which town was #1 born?', 'Orrefell', 'Edda Lund'],
      ['Who is the mayor of #2 ?', 'Jon Aske', 'Orrefell'],
    ],
  },
  {
    question: 'What did the mayor of Orrefell teach?',
    hops: [
      ['Who is the mayor of Orrefell?', 'Jon Aske', 'Orrefell'],
      ['What did #1 teach?', 'music', 'Jon Aske'],
    ],
  },
  {
    question: 'Into which lake does the river of Orrefell flow?',
    hops: [
      ['On which river is Orrefell?', 'Sill', 'Orrefell'],
      ['Into which lake does the #1 flow?', 'Lake Amber', 'Sill'],
    ],
  },
  {
    question: 'What is the island in the lake called into which the Sill flows?',
    hops: [
      ['Into which lake does the Sill flow?', 'Lake Amber', 'Sill'],
      ['What is the island in #1 called?', 'Goose Holm', 'Lake Amber'],
    ],
  },
  {
    question: 'Who first climbed the highest peak of the hills in which the Sill rises?',
    hops: [
      ['In which hills does the Sill rise?', 'Orre Hills', 'Sill'],
      ['What is the highest peak of the #1 ?', 'Mount Varn', 'Orre Hills'],
      ['Who first climbed #2 ?', 'Anna Sorel', 'Mount Varn'],
    ],
  },
  {
    question: 'At which university did the leader of the council of Tresk study?',
    aliases: ['Kesten', 'the University of Kesten'],
    hops: [
      ['Who leads the council of Tresk?', 'Mira Holt', 'Tresk'],
      ['At which university did #1 study?', 'University of Kesten', 'Mira Holt'],
    ],
  },
  {
    question: 'Who founded the university at which the leader of the council of Tresk studied?',
    hops: [
      ['Who leads the council of Tresk?', 'Mira Holt', 'Tresk'],
      ['At which university did #1 study?', 'University of Kesten', 'Mira Holt'],
      ['Who founded the #2 ?', 'Queen Ilse', 'University of Kesten'],
    ],
  },
  {
    question: 'Who was the son of the founder of the University of Kesten?',
    hops: [
      ['Who founded the University of Kesten?', 'Queen Ilse', 'University of Kesten'],
      ['Who was the son of #1 ?', 'King Matis', 'Queen Ilse'],
    ],
  },
  {
    question: 'What did the son of Queen Ilse keep?',
    hops: [
      ['Who was the son of Queen Ilse?', 'King Matis', 'Queen Ilse'],
      ['What did #1 keep?', 'bees', 'King Matis'],
    ],
  },
  {
    question: 'In which city was the founder of the museum of Stone Bay born?',
    hops: [
      ['Who founded the museum of Stone Bay?', 'Piet Varga', 'Stone Bay'],
      ['In which city was #1 born?', 'Kesten', 'Piet Varga'],
    ],
  },
  {
    question: 'What is the best known picture of the painter whom the founder of the museum of Stone Bay taught?',
    hops: [
      ['Who founded the museum of Stone Bay?', 'Piet Varga', 'Stone Bay'],
      ['Which painter did #1 teach?', 'Lena Orlo', 'Piet Varga'],
      ['What is the best known picture of #2 ?', 'The Long Winter', 'Lena Orlo'],
    ],
  },
  {
    question: 'For whom was the castle built in which the picture The Long Winter hangs?',
    aliases: ['Duke of Merle'],
    hops: [
      ['In which castle does the picture The Long Winter hang?', 'Hallin Castle', 'The Long Winter (painting)'],
      ['For whom was #1 built?', 'Oskar, Duke of Merle', 'Hallin Castle'],
    ],
  },
  {
    question: 'When was the battle fought in which the duke died for whom Hallin Castle was built?',
    hops: [
      ['For which duke was Hallin Castle built?', 'Oskar, Duke of Merle', 'Hallin Castle'],
      ['In which battle did #1 die?', 'battle of Varn Pass', 'Oskar, Duke of Merle'],
      ['When was the #2 fought?', '1431', 'Battle of Varn Pass'],
    ],
  },
  {
    question: 'Where is the winner of the battle of Greyford buried?',
    aliases: ['Ansel', 'the church of Ansel'],
    hops: [
      ['Who won the battle of Greyford?', 'Count Brandt', 'Battle of Greyford'],
      ['Where is #1 buried?', 'church of Ansel', 'Count Brandt'],
    ],
  },
  {
    question: 'Near which town does the river of Kesten flow into the sea?',
    hops: [
      ['On which river is Kesten?', 'Dray', 'Kesten'],
      ['Near which town does the #1 flow into the sea?', 'Port Ansel', 'Dray'],
    ],
  },
];
