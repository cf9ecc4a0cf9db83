import Type, { type Static } from 'typebox';
import { type BoundingBox, type TopicFilter, TopicFilterSchema } from '../realtime/topic-filter.ts';

/**
 * The filter of the `admin:*` topics for lists over HTTP: the same names, and the same things fit. All that is given has to; what a thing
 * does not have (a place, say), it is not judged by.
 */
export const filterQueryFields = {
  bbox: Type.Optional(
    Type.String({
      maxLength: 128,
      description: 'west,south,east,north in degrees, edges included; west above east spans the date line',
    }),
  ),
  states: Type.Optional(Type.String({ maxLength: 256, description: 'one or several, with commas between' })),
  text: Type.Optional(
    Type.String({ ...TopicFilterSchema.properties.text, description: 'part of one of its ids, in any case' }),
  ),
};
const FilterQuerySchema = Type.Object(filterQueryFields);
export type FilterQuery = Static<typeof FilterQuerySchema>;

/** A filter as query parameters. */
export function writeFilterQuery({
  bbox,
  states,
  text,
}: {
  [Name in keyof TopicFilter]: TopicFilter[Name] | undefined;
}): FilterQuery {
  return {
    ...(bbox !== undefined && { bbox: `${bbox.west},${bbox.south},${bbox.east},${bbox.north}` }),
    ...(states !== undefined && { states: states.join(',') }),
    ...(text !== undefined && { text }),
  };
}

/**
 * What query parameters ask for.
 *
 * @param known states that the things of the list may have
 * @returns the filter, or what is wrong with which parameter and what to send instead
 */
export function readFilterQuery(
  { bbox, states, text }: FilterQuery,
  known: readonly string[],
): { filter: TopicFilter } | { problem: string } {
  const filter: TopicFilter = {};
  if (text !== undefined) filter.text = text;
  if (bbox !== undefined) {
    const box = readBox(bbox);
    if (typeof box === 'string') return { problem: box };
    filter.bbox = box;
  }
  if (states !== undefined) {
    const wanted = states.split(',');
    const problem = findStateProblem(wanted, known);
    if (problem !== undefined) return { problem };
    filter.states = [...new Set(wanted)];
  }
  return { filter };
}

/** What is wrong with a filter that its schema lets through: nothing would ever fit it, and whoever asked would take that for quiet. */
export function findFilterProblem({ bbox, states }: TopicFilter, known: readonly string[]): string | undefined {
  return (bbox && findBoxProblem(bbox)) ?? (states && findStateProblem(states, known));
}

function readBox(text: string): BoundingBox | string {
  const parts = text.split(',');
  const numbers = parts.map(Number);
  if (numbers.length !== 4 || parts.some((part) => part.trim() === '') || !numbers.every(Number.isFinite)) {
    return 'bbox: send four numbers with commas between, west,south,east,north in degrees';
  }
  const [west = 0, south = 0, east = 0, north = 0] = numbers;
  if (Math.max(Math.abs(west), Math.abs(east)) > 180) return 'bbox: send west and east from -180 to 180 degrees';
  if (Math.max(Math.abs(south), Math.abs(north)) > 90) return 'bbox: send south and north from -90 to 90 degrees';
  const box = { south, west, north, east };
  return findBoxProblem(box) ?? box;
}

function findBoxProblem({ south, north }: BoundingBox): string | undefined {
  return south > north ? 'bbox: south lies above north: exchange them' : undefined;
}

function findStateProblem(wanted: readonly string[], known: readonly string[]): string | undefined {
  return wanted.every((state) => known.includes(state)) ? undefined : `states: send some of ${known.join(', ')}`;
}
