/**
 * The set-ups that injections run in, one row each: machine, VMs and how they are judged, and what comes from outside.
 * To add one: a row here, its images in engine/subject/images, and for networks a sender (sender.ts). Relies on the
 * committed images. The papers' set-ups are there twice: a few hundred milliseconds long, and, with `@paper` behind
 * their names, as long as in the papers.
 */
import { noSuchName, UserError, type VirtioConfig } from '../../../engine/index.ts';
import { MIB, MS, machineOf, ownImage } from './machine.ts';
import { echoRequests } from './sender.ts';
import type { Setup, VmCriterion } from './types.ts';
import { isUnmodified, UNMODIFIED_FORMS, unmodifiedSetup } from './unmodified.ts';

/** An AppVM that is there from the start. */
const appVm = (name: string, change: Partial<VmCriterion> = {}): VmCriterion => ({
  name,
  role: 'appvm',
  criterion: 'output',
  createdLate: false,
  ...change,
});

/** The PrivVM's devices: a disk of zeroes, from which each AppVM gets its part, and a network card. */
const DISK_SLOT = 7;
const DISK_BYTES = 4 * MIB;
const NET_SLOT = 6;
const devices = (): readonly VirtioConfig[] => [
  {
    kind: 'block',
    slot: DISK_SLOT,
    image: { name: 'zeroes.img', bytes: new Uint8Array(DISK_BYTES) },
    readOnly: false,
    serial: '',
  },
  { kind: 'net', slot: NET_SLOT, mac: '52:54:00:12:34:56', cable: 'outside' },
];

const privVm: VmCriterion = { name: 'vm1', role: 'privvm', criterion: 'output', createdLate: false };

/** What the toolstack is told; VMIDs follow the order: 1 is the PrivVM. */
interface Toolstack {
  readonly name: string;
  readonly summary: string;
  readonly vms: readonly string[];
  readonly later?: { readonly image: string; readonly atMs: number };
  /** Further boot arguments. */
  readonly options?: string;
}

/**
 * netbench answers until NETBENCH_MS; the sender begins when it is surely up. One packet a millisecond, as in the
 * papers.
 */
const NETBENCH_MS = 200;
const SENDER_FROM_MS = 20;
/** The sender stops that long before netbench does. */
const SENDER_SPARE_MS = 10;

/** What a name ends with whose set-up is as long as in the papers. */
export const PAPER_SCALE = '@paper';

/**
 * A set-up of the papers: the PrivVM with back ends and toolstack, and AppVMs on harts of their own. `scale` multiplies
 * rounds and times of everything.
 */
function papers({ name, summary, vms, later, options }: Toolstack, scale = 1): Setup {
  const thenLater = later ? ` later=${later.image}@${later.atMs * scale}` : '';
  const scaled = scale === 1 ? '' : ` scale=${scale}`;
  const append = `vms=${vms.join(',')}${thenLater} netms=${NETBENCH_MS}${scaled}${options ? ` ${options}` : ''}`;
  const echo = vms.indexOf('netbench');
  const judged = vms.map((image, n) =>
    appVm(`vm${n + 2}`, { criterion: image === 'netbench' ? 'reception' : 'output' }),
  );
  const late = later ? [appVm(`vm${vms.length + 2}`, { createdLate: true })] : [];
  return {
    name,
    summary,
    vms: [privVm, ...judged, ...late],
    config: (seed) => machineOf(ownImage('guests.bundle'), append, seed, { harts: 4, virtio: devices() }),
    inputs: () =>
      echo < 0
        ? []
        : echoRequests({
            slot: NET_SLOT,
            vmid: echo + 2,
            fromTicks: SENDER_FROM_MS * MS,
            everyTicks: MS,
            count: NETBENCH_MS * scale - SENDER_FROM_MS - SENDER_SPARE_MS,
          }),
    ...(echo >= 0 && {
      // The papers judge windows of a second. A run of a fraction of theirs has shorter ones.
      sender: {
        slot: NET_SLOT,
        vm: `vm${echo + 2}`,
        windowTicks: Math.min(1000, 50 * scale) * MS,
        patienceTicks: 50 * MS,
      },
    }),
    graceTicks: 60 * MS,
    scale,
  };
}

/** The same as long as in the papers: about `seconds`. */
const asLong = (toolstack: Toolstack, scale: number, seconds: number): Setup =>
  papers(
    { ...toolstack, name: `${toolstack.name}${PAPER_SCALE}`, summary: `${toolstack.summary}; ${seconds} s` },
    scale,
  );

/** In the papers 1AppVM takes about 10 s, and 3AppVM 24 s. */
const ONE_APPVM: readonly Toolstack[] = [
  { name: '1appvm-unixbench', summary: 'PrivVM and unixbench', vms: ['unixbench'] },
  { name: '1appvm-blkbench', summary: 'PrivVM and blkbench, on a disk of the PrivVM', vms: ['blkbench'] },
  { name: '1appvm-netbench', summary: 'PrivVM and netbench, asked from outside', vms: ['netbench'] },
];
const THREE_APPVM: Toolstack = {
  name: '3appvm',
  summary: 'PrivVM, unixbench and netbench; a third, blkbench, is created in the middle',
  vms: ['unixbench', 'netbench'],
  later: { image: 'blkbench', atMs: 120 },
};
/** unixbench makes calls that are refused, now and then; each has the hypervisor look whether its own code is whole. */
const QUIET: readonly Toolstack[] = [
  {
    name: '1appvm-quiet',
    summary: 'PrivVM and unixbench, whose calls are all right',
    vms: ['unixbench'],
    options: 'errors=0',
  },
  {
    ...THREE_APPVM,
    name: '3appvm-quiet',
    summary: '3appvm, where no VM makes calls that are refused',
    options: 'errors=0',
  },
];
const ONE_SCALE = 50;
const THREE_SCALE = 85;

/** Two VMs that compute and make hypercalls, one on each of 2 harts. `append`: how long, if not 20 ms. */
const compute = (name: string, append: string, milliseconds: number): Setup => ({
  name,
  summary: `two VMs that compute and make hypercalls, one on each of 2 harts; ${milliseconds} ms`,
  vms: [appVm('vm1'), appVm('vm2')],
  config: (seed) => machineOf(ownImage('guest-compute.elf'), append, seed),
  inputs: () => [],
  // Three hangs of 3 ms, each found and recovered from.
  graceTicks: 12 * MS,
});

const SETUPS: readonly Setup[] = [
  compute('compute', 'steps=4', 4),
  // What `dejavm demo` shows, so that its fault can be injected again under other mechanisms.
  compute('demo', '', 20),
  ...ONE_APPVM.map((toolstack) => papers(toolstack)),
  papers(THREE_APPVM),
  ...QUIET.map((toolstack) => papers(toolstack)),
  papers({
    name: 'team',
    summary: 'PrivVM and two VMs of four vCPUs each, which any hart may run',
    vms: ['team', 'team'],
    options: 'vcpus=4 pinning=off',
  }),
  ...ONE_APPVM.map((toolstack) => asLong(toolstack, ONE_SCALE, 10)),
  asLong(THREE_APPVM, THREE_SCALE, 24),
];

/** Names of all set-ups, in the table's order. */
export const setupNames = (): readonly string[] => SETUPS.map(({ name }) => name);

/** A set-up by name. @throws UserError naming those that exist */
export function findSetup(name: string): Setup {
  if (isUnmodified(name)) return unmodifiedSetup(name);
  const found = SETUPS.find((setup) => setup.name === name);
  if (found) return found;
  throw new UserError(noSuchName('set-up', name, [...setupNames(), ...UNMODIFIED_FORMS]));
}
