import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { packageFile } from '../base/package-root.ts';
import { BUNDLED_PLANS } from './plans.ts';

it('the list has every plan of the package, and no other', () => {
  const files = readdirSync(packageFile('properties/campaigns/plans')).map((name) => name.replace(/\.yaml$/, ''));
  expect([...BUNDLED_PLANS].sort()).toEqual(files.sort());
});
