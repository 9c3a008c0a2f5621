/** QEMU's command lines as people paste them: what they ask for is had, or refused in one line that says why. */
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../base/exit-codes.ts';
import { parseHarts, parseRam, parseWallClock } from '../parse-devices.ts';
import { cli } from '../test-io.ts';
import { normaliseArgv } from './command-line.ts';
import { QEMU_OPTIONS } from './options.ts';

const recorded = (line: string) => normaliseArgv(['record', ...line.split(' ')]).slice(1);

describe('what says what holds here anyway is taken', () => {
  it.each([
    ['-M virt -cpu rv64,h=true -smp cpus=2 -m 1G -nographic', '--smp cpus=2 -m 1G --console'],
    [
      'qemu-system-riscv64 -machine virt,aclint=off,aia=none,usb=off -cpu rv64,x-h=true,Zifencei=on,v=false,sv48=on -bios default -kernel Image',
      '--bios default --kernel Image',
    ],
    ['/usr/bin/qemu-system-riscv64 --machine type=virt,accel=tcg --kernel=hv.elf', '--kernel=hv.elf'],
    ['-display none -serial mon:stdio -monitor none', '--console'],
    ['-chardev stdio,id=c0,mux=on -serial chardev:c0 -mon chardev=c0', '--console'],
    ['-accel tcg,thread=single -icount shift=0,sleep=off -no-reboot', '--no-reboot'],
    ['-icount auto -accel tcg -machine accel=kvm:tcg,type=virt', ''],
    ['-global virtio-mmio.force-legacy=false -snapshot -name x -nodefaults', ''],
    [
      '-object rng-random,filename=/dev/urandom,id=r0 -device virtio-rng-device,rng=r0',
      '--device virtio-rng-device,rng=r0',
    ],
    ['-orun.djvm -m128M', '-orun.djvm -m128M'],
    ['-hda a,b.img -seed 7', '--drive file=a,,b.img,format=raw --seed 7'],
  ])('%s', (line, ours) => {
    expect(recorded(line).join(' ')).toBe(ours);
  });

  it('a value that looks like an option is a value, and what follows -- stays', () => {
    expect(recorded('-append -nographic -kernel -M -- -M virt')).toEqual(
      '--append -nographic --kernel -M -- -M virt'.split(' '),
    );
  });

  it('other verbs keep their own flags', () => {
    expect(normaliseArgv(['replay', 'T', '-g', '8M'])).toEqual(['replay', 'T', '-g', '8M']);
  });
});

describe('what cannot be had is refused in one line', () => {
  it.each([
    ['-M sifive_u', "-M sifive_u: the board is QEMU's virt"],
    ['-machine virt,aia=aplic-imsic', '-machine virt,aia=aplic-imsic: here it is always aia=none'],
    ['-machine virt,aclnt=on', "does not know 'aclnt' (did you mean aclint?)"],
    ['-cpu host', "-cpu host: the harts are QEMU's rv64"],
    ['-cpu rv64,v=true', '-cpu rv64,v=true: the harts do not have v'],
    ['-cpu rv64,h=false', '-cpu rv64,h=false: the harts always have h'],
    ['-cpu rv64,h=perhaps', 'expected true or false'],
    ['-cpu rv64,svpbnt=true', "does not know 'svpbnt' (did you mean"],
    ['-cpu rv64,cbom_blocksize=128', 'here it is always cbom_blocksize=64'],
    ['-accel kvm', "-accel kvm: every machine is emulated: expected tcg, got 'kvm'"],
    ['-enable-kvm', '-enable-kvm: every machine is emulated'],
    ['-icount shift=7', '-icount,shift=7: here it is always shift=0'],
    ['-icount shift=auto,rr=record,rrfile=r.bin', 'every run is recorded, in the file that -o names'],
    ['-icount rr=replay', '`dejavm replay TRACE`'],
    ['-serial file:log.txt', 'write > log.txt'],
    ['-serial pty', 'expected mon:stdio'],
    ['-display gtk', '-display gtk: the board has no graphics'],
    ['-monitor stdio', '-monitor stdio: there is no monitor'],
    ['-s', '-s: nobody can stop or watch a run'],
    ['-S', '-S: nobody can stop or watch a run'],
    ['-d in_asm', '-d in_asm: nobody can stop or watch a run'],
    ['-D qemu.log', '-D qemu.log: nobody can stop or watch a run'],
    ['-global virtio-mmio.force-legacy=true', 'modern'],
    ['-net user', 'networks are -netdev builtin,id=n0'],
    ['-netdev user,id=n0', 'builtin,id=n0 has a station at 10.0.2.2, as user has'],
    ['-device virtio-net-pci,netdev=n0', 'the board has no PCI, use virtio-net-device'],
    ['-smp 4,cores=3', '4 harts, and a topology of 3'],
    ['-smp 2,maxcpus=4', 'expected maxcpus=2'],
    ['-smp cpus=9', "expected a whole number from 1 to 8, got '9'"],
    ['-m 1G,maxmem=4G,slots=2', "-m does not know 'maxmem'"],
    ['-machne virt', "unknown option '-machne' (did you mean -machine?)"],
    ['-nographi', "unknown option '-nographi' (did you mean -nographic?)"],
    ['-kernl Image', "unknown option '-kernl' (did you mean -kernel?)"],
    ['-M', "option '-M' argument missing"],
  ])('%s', async (line, why) => {
    const { code, out, err } = await cli(['record', ...line.split(' ')]);
    expect(err).toContain(why);
    expect(err).toMatch(/^dejavm: .*\n$/);
    expect([code, out]).toEqual([EXIT.usage, '']);
  });

  it('none of the table is an internal error, whatever its value', async () => {
    for (const { names, hasValue } of QEMU_OPTIONS) {
      for (const name of names.filter((its) => its !== 'h' && its !== 'help')) {
        // `-kernel` last: what is taken must not start a recording here.
        for (const value of hasValue ? ['', ',', '=', 'a=b,a=b', 'constructor', '__proto__=1'] : [undefined]) {
          const argv = ['record', `-${name}`, ...(value === undefined ? [] : [value]), '-kernel', '/'];
          const { code, err } = await cli(argv);
          expect(err, argv.join(' ')).toMatch(/^dejavm: .*\n$/);
          expect(code, argv.join(' ')).toBe(EXIT.usage);
        }
      }
    }
  });
});

describe('settings of the board', () => {
  it.each([
    ['4', 4],
    ['cpus=2', 2],
    ['2,sockets=1,cores=2,threads=1', 2],
    ['cores=2,threads=2', 4],
    ['8,cores=2', 8],
    ['2,maxcpus=2', 2],
    ['maxcpus=3', 3],
  ])('-smp %s', (text, harts) => expect(parseHarts(text)).toBe(harts));

  it('-m takes size=', () => {
    expect(parseRam('size=256M')).toBe(256 * 2 ** 20);
    expect(parseRam('64')).toBe(64 * 2 ** 20);
  });

  it("-rtc takes the guest's clock", () => {
    expect(parseWallClock('base=2001-09-09T01:46:40,clock=vm')).toBe(1_000_000_000);
    expect(() => parseWallClock('base=utc,clock=host')).toThrow('expected a date');
  });
});
