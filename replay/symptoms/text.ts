/** A symptom as one line for people. What guests wrote is made fit to be shown. */
import { exceptionName, hex, visible } from '../../engine/index.ts';
import type { EndedSymptom, MissingSymptom, OutputSymptom, StuckSymptom, Symptom, SymptomPlace } from './types.ts';

/** Characters of a guest's line that are shown. */
const MAX_SHOWN = 120;

/** One line, without an end; positions are moments. */
export function symptomText(symptom: Symptom): string {
  switch (symptom.kind) {
    case 'detected': {
      const { at, message, failure } = symptom;
      return `${message} at ${where(at)}${failure ? `; ${failure}` : ''}`;
    }
    case 'output':
      return outputText(symptom);
    case 'missing':
      return missingText(symptom);
    case 'stuck':
      return stuckText(symptom);
    case 'ended':
      return endedText(symptom);
    case 'disk': {
      const { slot, offset, pages, a, g } = symptom;
      const many = pages === 1 ? 'one page differs' : `${pages} pages differ`;
      return `the disk of virtio${slot} ends with ${hex(a)} at byte ${hex(offset)}, the golden run's with ${hex(g)}; ${many}`;
    }
  }
}

function endedText({ how, end, at, golden, loops }: EndedSymptom): string {
  const other = golden ? `${golden.end} at ${where(golden.at)}` : 'goes on';
  const traps = loops.map(({ hart, from, pc, cause, since }) => {
    return `hart ${hart} does nothing but trap in ${from}-mode at ${hex(pc)} (${exceptionName(cause)}) from ${where(since)} on`;
  });
  const what = how === 'trap-loop' ? [...traps, end].join('; ') : `${end} at ${where(at)}`;
  return `the run ends otherwise: ${what}; the golden run: ${other}`;
}

function outputText({ speaker, line, text, golden, isOrder, byte, at }: OutputSymptom): string {
  const says = `${speakerText(speaker)} prints ${quoted(text)}`;
  if (!golden) return `${says} as line ${line}, which the golden run does not, at ${where(at)}`;
  if (isOrder)
    return `${says} before ${quoted(golden.text)}, at ${where(at)}; the golden run has them in another order`;
  const other = `${quoted(golden.text)} of the golden run (${where(golden.at)})`;
  return `${says} in place of ${other}: byte ${byte} of line ${line} differs, at ${where(at)}`;
}

function missingText({ what, speaker, text = '', byte = 0, further, golden }: MissingSymptom): string {
  const does = `the golden run does at ${where(golden)}`;
  if (what === 'finished') return `${speakerText(speaker)} never finishes; ${does}`;
  const more =
    further === 0 ? '' : further === 1 ? ', and one more line is missing' : `, and ${further} more lines are missing`;
  const part = byte > 0 ? ` from byte ${byte} on` : '';
  return `${speakerText(speaker)} never prints ${quoted(text)}${part}; ${does}${more}`;
}

function stuckText({ vmid, vcpu, where: side, isGivenUp, at, cause, entries, golden }: StuckSymptom): string {
  const who = `VM ${vmid}${vcpu === undefined ? '' : ` (vCPU ${hex(vcpu)})`}`;
  const [never, does] = side === 'inside' ? ['left', 'leaves'] : ['entered', 'enters'];
  const since = at ? ` after ${where(at)}${cause ? ` (${cause.name})` : ''}` : '';
  const times = entries.a === 1 ? 'one entry' : `${entries.a} entries`;
  const other = `the golden run ${does} it at ${where(golden)}, after ${entries.g}`;
  return `${who} is not ${never}${at ? ' again' : ''}${since}, after ${times}${isGivenUp ? ', and said to have finished' : ''}; ${other}`;
}

const speakerText = (speaker: number | undefined): string =>
  speaker === undefined ? 'the hypervisor or firmware' : `VM ${speaker}`;

const where = ({ moment, hart }: SymptomPlace): string =>
  `moment ${moment}${hart === undefined ? '' : ` on hart ${hart}`}`;

function quoted(text: string): string {
  const shown = text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
  return `"${visible(shown)}"`;
}
