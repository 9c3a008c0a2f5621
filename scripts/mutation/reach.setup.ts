/**
 * A set-up file of vitest: keeps which functions of the sources a test file calls, and what CPU time its process took,
 * for `reach.ts`, in the folder that MUTATION_REACH names; without it nothing is kept. Sees that process only.
 */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { join } from 'node:path';
import { afterAll, expect } from 'vitest';

const folder = process.env.MUTATION_REACH;

if (folder) {
  const session = new Session();
  session.connect();
  session.post('Profiler.enable');
  session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  afterAll(() => {
    const test = expect.getState().testPath ?? '';
    session.post('Profiler.takePreciseCoverage', (error, coverage) => {
      if (error !== null) throw error;
      const functions = coverage.result
        .filter(({ url }) => url.startsWith('file:') && !url.includes('/node_modules/'))
        .map(({ url, functions }) => [
          url,
          functions.map(({ functionName, ranges }) => [functionName, (ranges[0]?.count ?? 0) > 0]),
        ]);
      const { user, system } = process.cpuUsage();
      const name = createHash('sha256').update(test).digest('hex').slice(0, 16);
      writeFileSync(
        join(folder, `${name}.json`),
        JSON.stringify({ test, functions, cpuSeconds: (user + system) / 1e6 }),
      );
    });
  });
}
