/**
 * What the values of QEMU's options ask for, held against the machine that there is. Each function returns what it
 * means in our own flags (nothing where the machine is so anyway), or says in one line why it cannot be had.
 * Relies on the engine's list of extensions and on settings as parse-devices.ts reads them.
 */
import { didYouMean, extensionsInOrder } from '../../../engine/index.ts';
import { UsageError } from '../../base/index.ts';
import { isSetting, settings } from '../parse-devices.ts';

/** Flags of ours that say the same; none where nothing needs saying. @throws UsageError: why it cannot be had */
export type Take = (value: string) => readonly string[];

const NOTHING: readonly string[] = [];
const refuse = (why: string): never => {
  throw new UsageError(why);
};

/** Settings by name; the first one's may be left out. */
function named(value: string, first: string, flag: string): Record<string, string> {
  return Object.fromEntries(settings(value, isSetting(value) ? undefined : first, undefined, flag));
}

/** `virt`, with settings that say what holds here. */
export const takeMachine: Take = (value) => {
  const { type = 'virt', accel, ...rest } = named(value, 'type', '-machine');
  if (type !== 'virt') refuse(`the board is QEMU's virt: expected -machine virt, got '${type}'`);
  if (accel !== undefined) takeAccelerator(accel);
  checkSettings(rest, MACHINE_SETTINGS, '-machine virt');
  return NOTHING;
};

/** Values of a setting that change nothing here; `any` where the setting is about the host. */
type Settings = Readonly<Record<string, readonly string[] | 'any'>>;

const YES: readonly string[] = ['on', 'true', 'yes', 'y'];
const NO: readonly string[] = ['off', 'false', 'no', 'n'];
const MACHINE_SETTINGS: Settings = {
  aclint: NO,
  aia: ['none'],
  acpi: [...NO, 'auto'],
  'iommu-sys': [...NO, 'auto'],
  usb: NO,
  graphics: 'any',
  'dump-guest-core': 'any',
  'mem-merge': 'any',
};

function checkSettings(its: Readonly<Record<string, string>>, known: Settings, what: string): void {
  for (const [name, value] of Object.entries(its)) {
    const allowed = Object.hasOwn(known, name) ? known[name]! : refuse(unknownSetting(name, Object.keys(known), what));
    if (allowed !== 'any' && !allowed.includes(value)) {
      refuse(`${what},${name}=${value}: here it is always ${name}=${allowed[0]}`);
    }
  }
}

const unknownSetting = (name: string, known: readonly string[], what: string): string =>
  `${what} does not know '${name}'${didYouMean(name, known)}; it knows ${known.join(', ')}`;

/** `tcg`; how QEMU arranges its threads makes no difference here. */
export const takeAccelerator: Take = (value) => {
  const { accel = '', ...rest } = named(value, 'accel', '-accel');
  // `-machine accel=kvm:tcg` asks for the first that there is.
  if (!accel.split(':').includes('tcg')) refuse(`every machine is emulated: expected tcg, got '${accel}'`);
  checkSettings(rest, TCG_SETTINGS, '-accel tcg');
  return NOTHING;
};

const TCG_SETTINGS: Settings = { thread: 'any', 'tb-size': 'any', 'split-wx': 'any', 'one-insn-per-tb': 'any' };

const CPU_MODELS = ['rv64', 'max', 'any'];
/** Properties of QEMU's CPUs that are no extensions, with what the machine has. */
const CPU_SETTINGS: Settings = {
  mmu: YES,
  pmp: YES,
  sv39: YES,
  sv48: YES,
  sv57: YES,
  cbom_blocksize: ['64'],
  cboz_blocksize: ['64'],
  cbop_blocksize: ['64'],
};
/** QEMU's names for what the list of extensions calls otherwise or has in parts. */
const CPU_ALIASES: Readonly<Record<string, string>> = { counters: 'zicntr', g: 'd', b: 'zbs' };
/** Extensions that QEMU's CPUs can have and the machine has not: switching them off is taken. */
const ABSENT = (
  'e v j zicond zimop zcmop zihpm64 zfa zfh zfhmin zfbfmin zfinx zdinx zhinx zhinxmin zbkb zbkc zbkx zk zkn zknd zkne zknh ' +
  'zkr zks zksed zksh zkt zvfh zvfhmin zvfbfmin zvfbfwma zve32f zve32x zve64f zve64d zve64x zvbb zvbc zvkb zvkg zvkn zvknc ' +
  'zvkned zvkng zvknha zvknhb zvks zvksc zvksed zvksg zvksh zvkt zca zcb zcd zce zcf zcmp zcmt zabha zalrsc zaamo zama16b ' +
  'zic64b ziccamoa ziccif zicclsm ziccrse zicfilp zicfiss smaia ssaia smstateen ssstateen smepmp smcntrpmf smcdeleg smcsrind ' +
  'sscsrind ssccfg sscofpmf ssnpm smnpm smmpm smrnmi smdbltrp ssdbltrp ssu64xl svade svvptc svrsw60t59b sdtrig'
).split(' ');

/** `rv64` with extensions that the machine has, or without those that it has not. */
export const takeCpu: Take = (value) => {
  const { model = '', ...properties } = named(value, 'model', '-cpu');
  if (!CPU_MODELS.includes(model)) {
    refuse(
      `the harts are QEMU's rv64, with the extensions that docs/machine.md lists: expected -cpu rv64, got '${model}'`,
    );
  }
  for (const [name, text] of Object.entries(properties)) takeCpuProperty(name, text);
  return NOTHING;
};

function takeCpuProperty(given: string, text: string): void {
  // `x-h` is how QEMU called what was experimental; `Zifencei` and `Counters` were written so.
  const name = given.toLowerCase().replace(/^x-/, '');
  if (Object.hasOwn(CPU_SETTINGS, name)) {
    checkSettings({ [name]: text }, CPU_SETTINGS, '-cpu rv64');
    return;
  }
  const extension = CPU_ALIASES[name] ?? name;
  const here = extensionsInOrder().map((its) => its.name);
  const isHere = here.includes(extension);
  if (!isHere && !ABSENT.includes(extension)) {
    const known = [...here, ...ABSENT, ...Object.keys(CPU_ALIASES), ...Object.keys(CPU_SETTINGS)];
    refuse(`-cpu rv64 does not know '${given}'${didYouMean(name, known)}; the machine has ${here.join(' ')}`);
  }
  const wanted = YES.includes(text);
  if (!wanted && !NO.includes(text)) refuse(`-cpu rv64,${given}=${text}: expected true or false`);
  if (wanted && !isHere) refuse(`-cpu rv64,${given}=${text}: the harts do not have ${name}`);
  if (!wanted && isHere) refuse(`-cpu rv64,${given}=${text}: the harts always have ${name}`);
}

/** One instruction takes 1 ns of virtual time: `shift=0`, or `auto`, which leaves it to us. */
export const takeIcount: Take = (value) => {
  const { rr, rrfile, ...rest } = named(value, 'shift', '-icount');
  if (rr === 'replay') refuse('-icount rr=replay: that is `dejavm replay TRACE`');
  if (rrfile !== undefined)
    refuse(`-icount rrfile=${rrfile}: every run is recorded, in the file that -o names; leave out rr and rrfile`);
  checkSettings(rest, ICOUNT_SETTINGS, '-icount');
  return NOTHING;
};

const ICOUNT_SETTINGS: Settings = { shift: ['0', 'auto'], align: NO, sleep: 'any' };

const MODERN_VIRTIO = 'virtio-mmio.force-legacy';

/** `virtio-mmio.force-legacy=false`: there are only such devices. */
export const takeGlobal: Take = (value) => {
  const [name, text = ''] = value.split('=');
  if (name === MODERN_VIRTIO && NO.includes(text)) return NOTHING;
  if (name === MODERN_VIRTIO)
    return refuse(`-global ${value}: virtio devices are modern ones; leave it out, or say false`);
  return refuse(`-global ${value}: expected ${MODERN_VIRTIO}=false, or settings in -device`);
};

const CONSOLE = ['--console'] as const;

/** Standard input and output, where the console is. */
export const takeSerial: Take = (value) => {
  if (/^(mon:)?stdio$/.test(value) || value.startsWith('chardev:')) return CONSOLE;
  if (value.startsWith('file:'))
    return refuse(`-serial ${value}: the console is standard output; write > ${value.slice(5)}`);
  return refuse(
    `-serial ${value}: the console is standard output, and standard input with --console; expected mon:stdio`,
  );
};

export const takeNographic: Take = () => CONSOLE;

/** Which end is used says -serial. */
export const takeChardev: Take = (value) =>
  value === 'stdio' || value.startsWith('stdio,')
    ? NOTHING
    : refuse(`-chardev ${value}: the console is standard input and output; expected stdio`);

/** `rng-random` and its like: bytes come from the seed, so that the run can be had again. */
export const takeObject: Take = (value) =>
  /^rng-(random|builtin)(,|$)/.test(value)
    ? NOTHING
    : refuse(
        `-object ${value}: expected rng-random or rng-builtin, for a virtio-rng-device (its bytes follow from -seed)`,
      );

/** The disk of old command lines. */
export const takeDisk: Take = (value) => ['--drive', `file=${value.replaceAll(',', ',,')},format=raw`];

/** Takes these values, which ask for nothing. */
export const takeOnly =
  (allowed: readonly string[], why: string): Take =>
  (value) =>
    allowed.includes(value) ? NOTHING : refuse(`${why}: expected ${allowed.join(' or ')}, got '${value}'`);

/** What is about the host, or so anyway: there is nothing to do. */
export const takeAny: Take = () => NOTHING;

/** What cannot be had. */
export const takeNever =
  (why: string): Take =>
  () =>
    refuse(why);
