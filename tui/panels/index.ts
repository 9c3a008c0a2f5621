/** Each panel of the screen as lines of text, from a session's state. */
export {
  askAbout,
  beginningText,
  describeHit,
  hitLine,
  hitsText,
  instructionOf,
  lastHitText,
  momentOf,
  nameOf,
} from './accesses.ts';
export { headerLine, statusLine, whereLines } from './bars.ts';
export { explainSentence, explainText, partialText } from './explain.ts';
export { activityOf, createLanes, type Lanes } from './lanes.ts';
export { isTooSmall, type Layout, layoutOf, MIN_COLUMNS, MIN_ROWS, type Placed } from './layout.ts';
export { memoryLines } from './memory.ts';
export { consoleLines, disassemblyLines, scrolledCode, vmLines } from './panels.ts';
export { CSR_NAMES, registerFile, registerLines } from './registers.ts';
export { describeStack, stackText } from './stack.ts';
export { clip, span, textOf, wrap } from './text.ts';
export { timelineLines, timelineWidth } from './timeline.ts';
export {
  type Introspection,
  type Line,
  type Overlay,
  PANELS,
  type PanelName,
  type RegisterSet,
  type Session,
  type SessionEvent,
  type State,
  type Tone,
} from './types.ts';
export { chainText, whySentence, whyText } from './why.ts';
export { describeTree, whyTreeText } from './why-tree.ts';
