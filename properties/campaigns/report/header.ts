/** What a report says of the campaign before any table. */
import { grouped, percent } from './format.ts';
import { seedLines } from './seeds.ts';
import type { Report } from './summarise.ts';

/** Name and value of each line. */
export function headerLines({ campaign }: Report): [string, string][] {
  const { name, database, toolVersion, cells, planned, run, errors, images, seeds } = campaign;
  const unfinished = run < planned ? `: ${percent(run / planned)} %, not finished` : '';
  return [
    ['campaign', name],
    ['results', database],
    ['dejavm', toolVersion],
    ['injections', `${grouped(run)} of ${grouped(planned)} run${unfinished}, in ${grouped(cells)} cells`],
    ...(errors > 0
      ? [
          ['errors', `${grouped(errors)} rows of these have no outcome: dejavm itself failed`] satisfies [
            string,
            string,
          ],
        ]
      : []),
    ...seedLines(seeds),
    ...Object.entries(images).map(([image, sha256]): [string, string] => [`image ${image}`, `sha256 ${sha256}`]),
  ];
}

/** Said in place of tables. */
export const EMPTY = 'No injection has run yet: there is nothing to report.';

/** Said under the plan. */
export const PLAN_NOTE =
  'Saved as plan.yaml, `dejavm campaign plan.yaml` makes these results again, row by row and byte by byte, from the same ' +
  'version and images.';
