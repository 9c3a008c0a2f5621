/** `dejavm info TRACE`: what a trace holds, without running it. */

import { shellLine } from '../../../engine/index.ts';
import { endText, eventsOf, type Position } from '../../../replay/index.ts';
import type { Trace } from '../../../traces/index.ts';
import { byteSize, counted, EXIT, type ExitCode, grouped, table, virtualTime } from '../../base/index.ts';
import type { CommandContext } from '../command.ts';
import { toJson } from '../json/index.ts';
import { openNamedTrace } from './open.ts';

export async function infoCommand({ args, flags, io }: CommandContext<'json'>): Promise<ExitCode> {
  const trace = openNamedTrace(args[0]!, io);
  io.out(flags.json ? toJson('info', infoOf(trace)) : `${infoText(trace)}\n`);
  return trace.damage ? EXIT.damaged : EXIT.ok;
}

/** Bytes of trace per million instructions, the measure of how much a recording costs. */
function bytesPerMillion(trace: Trace): number {
  const length = trace.last.moment - trace.first.moment;
  return length === 0 ? 0 : Math.round(trace.sizeBytes / (length / 1e6));
}

function infoOf(trace: Trace) {
  const { path, header, sizeBytes, inputs, digests, notes, checkpoints, end, damage, first, last } = trace;
  const events = eventsOf(trace);
  return {
    path,
    header,
    sizeBytes,
    bytesPerMillionInstructions: bytesPerMillion(trace),
    counts: {
      inputs: inputs.length,
      digests: digests.length,
      checkpoints: checkpoints.length,
      consoleBytes: trace.console.length,
      notes: notes.length,
    },
    first,
    last,
    end: end ?? null,
    damage: damage ?? null,
    events: events.map(({ moment, kind, text }) => ({ moment, kind, text })),
    eventsLeftOut: leftOut(trace, events),
  };
}

function infoText(trace: Trace): string {
  const { header, first, last } = trace;
  const { machine } = header;
  const quantum = `${machine.quantum.policy} quantum of ${grouped(machine.quantum.ticks)} ticks`;
  const seed = machine.quantum.policy === 'jittered' ? `, seed ${machine.quantum.seed}` : '';
  const rows = [
    ['trace', trace.path],
    ['run', `${header.id}, recorded by dejavm ${header.toolVersion}`],
    ['format', `${header.formatMajor}.${header.formatMinor}, engine behaviour ${header.engineBehaviour}`],
    ['machine', `${counted(machine.harts, 'hart')}, ${byteSize(machine.ramBytes)} of RAM, ${quantum}${seed}`],
    ...(machine.append ? [['append', machine.append]] : []),
    ...(machine.devices ?? []).map(({ kind, slot, settings }) => [
      `virtio slot ${slot}`,
      [kind, ...Object.entries(settings).map(([name, value]) => `${name}=${value}`)].join(' '),
    ]),
    ...header.images.map((image) => [image.role, `${image.name}  sha256 ${image.sha256.slice(0, 16)}`]),
    ['command', shellLine(header.commandLine)],
    [
      'holds',
      [
        counted(trace.inputs.length, 'input'),
        counted(trace.digests.length, 'digest'),
        counted(trace.checkpoints.length, 'checkpoint'),
        counted(trace.console.length, 'console byte'),
        counted(trace.notes.length, 'note'),
      ].join(', '),
    ],
    ['size', `${byteSize(trace.sizeBytes)}, ${grouped(bytesPerMillion(trace))} bytes per million instructions`],
    [
      'length',
      `${grouped(last.moment - first.moment)} instructions, ${virtualTime(last.ticks - first.ticks)} of virtual time`,
    ],
    ...(header.cut ? [['cut', `of run ${header.cut.of}, ${partText(first, last)}`]] : []),
    ['end', trace.end ? endText(trace.end) : 'none: the recording was cut off'],
  ];
  const all = eventsOf(trace);
  const events = all.filter((event) => event.kind !== 'progress');
  const lines = table([['moment', 'event'], ...events.map((event) => [grouped(event.moment), event.text])], [0]);
  const progress = all.length - events.length;
  const more = progress > 0 ? `\n\n${counted(progress, 'progress note')} left out; --json lists them` : '';
  const rest = leftOut(trace, all);
  const others = rest > 0 ? `\n\nonly the first events are listed: the trace has ${grouped(rest)} more` : '';
  return `${table(rows)}\n\n${lines}${more}${others}`;
}

const partText = (first: Position, last: Position): string =>
  `moments ${grouped(first.moment)} to ${grouped(last.moment)}, from ${virtualTime(first.ticks)} on`;

/** Inputs and notes that are not among the events. */
const leftOut = ({ inputs, notes }: Trace, events: readonly unknown[]): number =>
  // The end is an event, too.
  inputs.length + notes.length - (events.length - 1);
