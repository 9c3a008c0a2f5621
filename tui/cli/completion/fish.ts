/** Completion for fish. Relies on the description alone. */
import { EXTENSION, TRACE_FOLDER_RULE } from '../../../replay/index.ts';
import type { CommandLine, CompletedOption, CompletedValue, CompletedVerb } from './description.ts';
import { quotedForFish as quoted } from './shell-text.ts';

/** The script. */
export function fishCompletion({ verbs, options }: CommandLine): string {
  const { variable, otherwise, name } = TRACE_FOLDER_RULE;
  return `# Completion of dejavm's command line in fish; written by: dejavm completion fish

function __dejavm_verb --description 'whether this is the verb of the line'
    set -l words (commandline -opc)
    test "$words[2]" = "$argv[1]"
end

function __dejavm_trace_names
    set -l base "$HOME/${otherwise.join('/')}"
    string match -q '/*' -- "$${variable}"; and set base "$${variable}"
    string match -q '/*' -- "$base"; or return
    for path in "$base/${name}"/*${EXTENSION}
        string replace -r '^.*/(.*)\\${EXTENSION}$' '$1' -- $path
    end
end

function __dejavm_list --description 'what may follow behind the last comma'
    set -l typed (string replace -r '^--?[a-z-]+=' '' -- (commandline -ct))
    set -l before (string match -r '^.*,' -- $typed)
    printf '%s\\n' "$before"$argv
end

complete -c dejavm -e
complete -c dejavm -f
${options.map((option) => optionLine('__fish_use_subcommand', option)).join('\n')}
${verbs.map((verb) => verbLines(verb)).join('\n')}
`;
}

function verbLines({ name, summary, options, places }: CompletedVerb): string {
  const here = `__dejavm_verb ${name}`;
  // What may stand at one place may stand at all: no verb mixes them.
  const [value] = places;
  return [
    `complete -c dejavm -n __fish_use_subcommand -a ${name} -d ${quoted(summary)}`,
    ...options.map((option) => optionLine(here, option)),
    ...(value ? [`complete -c dejavm -n ${quoted(here)} ${offer(value)}`.trimEnd()] : []),
  ].join('\n');
}

function optionLine(here: string, { short, long, oneDash, summary, value }: CompletedOption): string {
  const spelt = [
    ...short.map((text) => `-s ${text.slice(1)}`),
    `-l ${long.slice(2)}`,
    ...(oneDash === undefined ? [] : [`-o ${oneDash.slice(1)}`]),
  ].join(' ');
  const behind = value ? ` -r ${offer(value)}` : '';
  return `complete -c dejavm -n ${quoted(here)} ${spelt} -d ${quoted(summary)}${behind}`.trimEnd();
}

function offer({ words, files, traces, list, filesAfter }: CompletedValue): string {
  const given = words.join(' ');
  const all = [
    ...(words.length === 0 ? [] : [list ? `(__dejavm_list ${given})` : given]),
    ...(traces ? ['(__dejavm_trace_names)'] : []),
  ];
  // Behind a key (file=), fish completes names of files by itself, if it may.
  const names = files || filesAfter !== undefined ? ['-F'] : ['-f'];
  return [...names, ...(all.length === 0 ? [] : ['-a', quoted(all.join(' '))])].join(' ');
}
