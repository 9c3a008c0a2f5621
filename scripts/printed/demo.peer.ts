/** What the demo says to try next, typed in a user's project: each does what is said of it, in whatever order. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type UserProject, userProject } from '../../properties/user-project.fixtures.ts';

let project: UserProject;
let demo = '';
/** The command below a comment. */
const below = (comment: string) => {
  const [, command] = new RegExp(`^ *# ${comment}.*\\n *(npx dejavm .*)$`, 'm').exec(demo)!;
  return command!;
};
const shown: string[] = [];
const type = (comment: string, more = '') => {
  shown.push(below(comment));
  return project.run(below(comment) + more);
};

beforeAll(() => {
  project = userProject();
  demo = project.run('npx dejavm demo').out;
});
afterAll(() => project.remove());

test('the hypervisor that hangs is caught, and its VMs finish', () => {
  const { code, out } = type('a hypervisor that hangs');
  expect(code).toBe(0);
  expect(out).toMatch(/hart \d hangs at/);
});

test('the same fault without the fix-up for locks strikes the same instruction, and is not survived', () => {
  const [, moment] = /^ *first difference +moment ([\d,]*\d)/m.exec(demo)!;
  const [, symbol] = /^ *hart1\.pc .* (\S+)$/m.exec(demo)!;
  const { code, out } = type('the same fault without');
  expect(out).toContain(` ${symbol}, before: `);
  expect(out).toContain(`moment ${moment},`);
  expect(out).toContain('verdict       recovery failed');
  expect(code).toBe(1);
});

// Recorded since: `latest` is not the demo's run any more.
test("the demo's run is looked at, gone to, and compared", () => {
  const frame = type('look at it', ' --script f --frame');
  expect([frame.code, frame.out]).toEqual([0, expect.stringContaining('fault: failstop')]);
  const place = type('where was the machine');
  expect([place.code, place.out]).toEqual([0, expect.stringContaining('moment ')]);
  const diff = type('what differs');
  expect([diff.code, diff.out]).toEqual([1, expect.stringContaining('failstop')]);
});

test('that is all it says', () => {
  const commands = [...demo.matchAll(/^ *(npx dejavm .*)$/gm)].map(([, command]) => command);
  expect(commands.sort()).toEqual(shown.sort());
});
