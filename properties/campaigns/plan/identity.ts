/**
 * What a campaign's results belong to: the plan, the images, the engine. A database goes on only with the same of all
 * three, since its rows would otherwise come from different machines. Says which of them differs, and in what.
 */
import { ENGINE_BEHAVIOUR, FileFormatError, UserError } from '../../../engine/index.ts';
import { TOOL_VERSION } from '../../../replay/index.ts';
import { DRAW_VERSION } from './draw.ts';
import type { CampaignPlan } from './plan.ts';
import type { SetupImages } from './seeds.ts';

export interface CampaignIdentity extends SetupImages {
  readonly name: string;
  /** The file's text, and the hash of what it means. */
  readonly plan: string;
  readonly planHash: string;
  readonly toolVersion: string;
  readonly engineBehaviour: number;
  /** How rows were drawn from seeds: `DRAW_VERSION`. */
  readonly draws: number;
}

export function identityOf({ name, text, hash, images, imagesOf }: CampaignPlan): CampaignIdentity {
  const versions = { toolVersion: TOOL_VERSION, engineBehaviour: ENGINE_BEHAVIOUR, draws: DRAW_VERSION };
  return { name, plan: text, planHash: hash, ...versions, images, imagesOf };
}

/**
 * Says what differs, and how to go on.
 * @throws UserError for the database of another campaign, FileFormatError for one that was made with another machine
 */
export function refuseOther(path: string, known: CampaignIdentity, now: CampaignIdentity): void {
  const mend = 'go on with what they were made with, or write to another file with -o';
  if (known.planHash !== now.planHash) {
    throw new UserError(`${path}: holds results of another campaign: ${planDifference(known, now)}; ${mend}`);
  }
  const why = machineDifference(known, now.images);
  if (why !== undefined) throw new FileFormatError(path, `holds results of another machine: ${why}; ${mend}`);
}

/** In what the machine of a campaign differs from the one at hand with its images; undefined when in nothing. */
export function machineDifference(known: CampaignIdentity, images: CampaignIdentity['images']): string | undefined {
  if (known.engineBehaviour !== ENGINE_BEHAVIOUR) {
    return `engine behaviour ${known.engineBehaviour}, this is ${ENGINE_BEHAVIOUR}`;
  }
  if (known.toolVersion !== TOOL_VERSION) return `dejavm ${known.toolVersion}, this is ${TOOL_VERSION}`;
  if (known.draws !== DRAW_VERSION) return `rows drawn by rule ${known.draws}, this is ${DRAW_VERSION}`;
  const names = [...new Set([...Object.keys(known.images), ...Object.keys(images)])].sort();
  const hashOf = (of: CampaignIdentity['images'], name: string) => (Object.hasOwn(of, name) ? of[name] : undefined);
  const changed = names.find((name) => hashOf(known.images, name) !== hashOf(images, name));
  if (changed === undefined) return undefined;
  const short = (hash: string | undefined) => (hash ? `sha256 ${hash.slice(0, 12)}…` : 'not there');
  return `image ${changed} was ${short(hashOf(known.images, changed))}, is ${short(hashOf(images, changed))}`;
}

function planDifference(known: CampaignIdentity, now: CampaignIdentity): string {
  if (known.name !== now.name) return `it is '${known.name}', this is '${now.name}'`;
  const before = known.plan.split('\n');
  const after = now.plan.split('\n');
  const line = (text: string | undefined) => (text === undefined ? 'nothing' : `'${text.trim()}'`);
  for (let i = 0; i < Math.max(before.length, after.length); i++) {
    if (before[i]?.trim() !== after[i]?.trim()) {
      return `line ${i + 1} of its file was ${line(before[i])}, is ${line(after[i])}`;
    }
  }
  return 'the file is the same, but other sizes (--paper-scale) or other enhancements were in force';
}
