/**
 * Keys and scripts to actions: counts before keys (`10s`), the `:` line, `--script`. Relies on the action table.
 * Keys are named by what they type (`s`, `+`) or, when they type nothing, by name: left, right, up, down, home, end,
 * pageup, pagedown, tab, return, escape, backspace, C-c, C-l, C-z.
 */
import { UsageError } from '../base/index.ts';
import type { Overlay, Session } from '../panels/index.ts';
import { ACTIONS, actionOfKey, runAction, runCommand } from './actions.ts';
import { pageCount } from './screen.ts';
import { change, say } from './session.ts';

/** Keys that mean the same whatever is on the screen or half typed: they concern the terminal. */
const ANYWHERE: readonly string[] = ['C-z', 'C-l'];

/** While a move is being made, nothing else is heard. */
const STOPS_WORK: readonly string[] = ['C-c', 'escape', 'q'];

/** Feeds one key. */
export function pressKey(session: Session, key: string): void {
  const { state } = session;
  if (session.work) {
    if (STOPS_WORK.includes(key)) session.work.stop();
    return;
  }
  if (ANYWHERE.includes(key)) runAction(session, actionOfKey(key)!, '');
  else if (state.prompt !== undefined) promptKey(session, state.prompt, key);
  else if (state.overlay) overlayKey(session, state.overlay, key);
  else if (/^\d$/.test(key)) change(session, { count: state.count + key });
  else if (key === ':') change(session, { prompt: '', count: '' });
  else if (key === 'escape') change(session, { count: '' });
  else actionKey(session, key);
}

/** Any key turns the page and in the end closes the overlay; q and escape close it at once, Ctrl-C quits. */
function overlayKey(session: Session, { kind, page }: Overlay, key: string): void {
  const isOver = ['q', 'escape', 'C-c'].includes(key) || page + 1 >= pageCount(session, kind);
  change(session, { overlay: isOver ? undefined : { kind, page: page + 1 }, quit: key === 'C-c' });
}

function actionKey(session: Session, key: string): void {
  const { count } = session.state;
  change(session, { count: '' });
  const action = actionOfKey(key);
  if (!action) say(session, `'${key}' does nothing; ? shows the keys`, true);
  else runAction(session, action, count);
}

function promptKey(session: Session, prompt: string, key: string): void {
  if (key === 'escape' || key === 'C-c') change(session, { prompt: undefined });
  else if (key === 'return') {
    change(session, { prompt: undefined });
    runCommand(session, prompt);
  } else if (key === 'backspace') {
    // As in vim: rubbing out the colon leaves the line.
    change(session, { prompt: prompt === '' ? undefined : prompt.slice(0, -1) });
  } else if (key.length === 1) change(session, { prompt: prompt + key });
}

/**
 * Runs a script: pieces separated by `;`, each a key with an optional count (`3s`), or a command or moment with an
 * optional colon (`:goto 2M`, `hart 1`, `1.5M`). Stops early on quit.
 * @throws UsageError for a piece that is neither, or whose action fails
 */
export function runScript(session: Session, script: string): void {
  for (const piece of script.split(';').map((text) => text.trim())) {
    if (piece === '') continue;
    runPiece(session, piece);
    if (session.state.isError) throw new UsageError(`--script '${piece}': ${session.state.message}`);
    if (session.state.quit) return;
  }
}

function runPiece(session: Session, piece: string): void {
  if (piece.startsWith(':')) {
    runCommand(session, piece.slice(1));
    return;
  }
  const match = /^(\d*)(\D.*)$/s.exec(piece);
  const key = match?.[2] ?? '';
  if (match && actionOfKey(key)) {
    for (const one of [...match[1]!, key]) pressKey(session, one);
    return;
  }
  const word = piece.split(/\s+/)[0]!;
  if (/^\d/.test(word) || ACTIONS.some((action) => action.name === word)) runCommand(session, piece);
  else throw new UsageError(`--script '${piece}': neither a key nor a command; \`dejavm tui TRACE\` and ? show them`);
}
